import type { Crypto } from '../core/markers/crypto.ts';

const storeDigits = 12;

/**
 * The group in which projectors of one store stand by for each other. Another store of the same log is another
 * group's: it has to be filled as well.
 */
export const projectorGroup = (crypto: Crypto, audience: string, storeName: string): string =>
  `plimsoll.${audience}.projector.${crypto.sha256HexOfText(storeName).slice(0, storeDigits)}`;
