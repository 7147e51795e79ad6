import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';

// Golden logs: whole records as they were written once, with the keys that their log named. A later version must read
// them as this one does.

export type GoldenLog = {
  readonly name: string;
  /** One sentence for people. */
  readonly about: string;
  readonly layer: 'log';
  readonly audience: string;
  /** Position by position; keys, header values and values in base64. */
  readonly records: readonly {
    readonly appendedAtMs: number;
    readonly key: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
    readonly value: string;
  }[];
  readonly expect: {
    /** What became of the records after those that change trust. */
    readonly notes: readonly string[];
    /** Fields of the lines of `timeline` and `current`; later versions may add others. */
    readonly timeline?: readonly object[];
    readonly current?: readonly object[];
  };
};

export const goldenFolder: string = join(import.meta.dirname, '..', 'golden', 'records');

export const goldenLogs = (side: 'valid' | 'invalid'): readonly GoldenLog[] =>
  readdirSync(join(goldenFolder, side))
    .toSorted()
    .map((file) => ({
      ...(JSON.parse(readFileSync(join(goldenFolder, side, file), 'utf8')) as GoldenLog),
      name: file.replace(/\.json$/, ''),
    }))
    .filter((log) => log.layer === 'log');

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

export const recordsIn = ({ records }: Pick<GoldenLog, 'records'>): readonly LogRecord[] =>
  records.map(({ appendedAtMs, key, headers, value }, position) => ({
    position,
    appendedAtMs,
    key: bytesOf(key),
    headers: headers.map(([name, content]) => ({ name, value: bytesOf(content) })),
    value: bytesOf(value),
  }));

export const asGolden = (
  records: readonly (NewRecord & { readonly appendedAtMs: number })[],
): GoldenLog['records'] =>
  records.map(({ appendedAtMs, key, headers, value }) => ({
    appendedAtMs,
    key: base64(key),
    headers: headers.map((header) => [header.name, base64(header.value)]),
    value: base64(value),
  }));
