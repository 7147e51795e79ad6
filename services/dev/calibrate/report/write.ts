import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { climates } from '../climates.ts';
import { delayPlot, falseRollbackPlot } from './plots.ts';
import type { Row } from './rows.ts';
import { pageOf } from './tables.ts';

/** Writes the tables and the plots into the folder; answers the files' names. */
export const writeReport = (folder: string, rows: readonly Row[]): readonly string[] => {
  const files: Readonly<Record<string, string>> = {
    'calibration.md': pageOf(rows, climates),
    'false-rollbacks.svg': falseRollbackPlot(rows),
    'delays.svg': delayPlot(rows),
  };
  mkdirSync(folder, { recursive: true });
  return Object.entries(files).map(([name, content]) => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  });
};
