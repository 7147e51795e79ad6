import type { Crypto } from './markers/crypto.ts';

// A digest of all rows of a generation that rolls along: each row's hash, added up. The order in which rows are
// written does not matter, and a step adds what is new and takes away what was.

/** Hex digits of SHA-256 that a row adds: 128 bits. */
const digits = 32;
const modulus: bigint = 1n << 128n;

export const noRow = 0n;
export const noRowsDigest: string = '0'.repeat(digits);

type Row = { readonly model: string; readonly key: string; readonly value: string };

/** The hash of one row. Model and key hold no line break. */
export const rowHash = (crypto: Crypto, { model, key, value }: Row): bigint =>
  BigInt(`0x${crypto.sha256HexOfText(`${model}\n${key}\n${value}`).slice(0, digits)}`);

/** The digest after rows were changed; `hash` is what they add less what they had added. */
export const rolledDigest = (digest: string, hash: bigint): string => {
  const sum = (BigInt(`0x${digest}`) + hash) % modulus;
  return (sum < 0n ? sum + modulus : sum).toString(16).padStart(digits, '0');
};

/** The digest of rows that were read back: what a checkpoint's `rowsDigest` must say of all rows of its generation. */
export const rowsDigestOf = (crypto: Crypto, rows: Iterable<Row>): string => {
  let sum = noRow;
  for (const row of rows) sum += rowHash(crypto, row);
  return rolledDigest(noRowsDigest, sum);
};
