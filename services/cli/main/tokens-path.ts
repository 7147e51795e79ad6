import { join } from 'node:path';
import type { Settings } from '../../core/settings.ts';

/** The list of the tokens that JSON markers are taken with. */
export const tokensPathOf = ({
  tokensFile,
  dataFolder,
}: Pick<Settings, 'tokensFile' | 'dataFolder'>): string =>
  tokensFile ?? join(dataFolder, 'tokens.txt');
