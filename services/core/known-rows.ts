import type { DeadLetter } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import type { Crypto } from './markers/crypto.ts';
import type { RetentionRow } from './retention.ts';
import type { MarkerRow } from './row-forms/marker.ts';
import { readRow, rowText } from './row-text.ts';
import { noRow, rowHash } from './rows-digest.ts';
import type { AttemptLine, SlotState } from './slot-state.ts';

// Rows as the fold looks at them: read from their texts once, however many records touch them.

export type RowAddress = { readonly model: string; readonly key: string };
export type RowChange = RowAddress & { readonly value: string | null };

export const address = (model: string, key: string): string => `${model}\n${key}`;

/** Rows that were loaded, by `address`. Rows that do not exist are simply absent. */
export type LoadedRows = ReadonlyMap<string, string>;

/** A row that is known, or known not to be there. Its parts are made when they are first asked for. */
export type KnownRow = {
  readonly row: () => unknown;
  readonly hash: (crypto: Crypto) => bigint;
  readonly bytes: number;
};

export type KnownRows = { readonly get: (at: string) => KnownRow | undefined };

/** What a row that takes no text costs in a memory, about. */
const rowBytesMin = 200;

const absentRow: KnownRow = { row: () => undefined, hash: () => noRow, bytes: rowBytesMin };

export const rowFromText = (model: string, at: string, text: string): KnownRow => {
  let row: unknown;
  let isRead = false;
  let hash: bigint | undefined;
  return {
    row: () => {
      if (!isRead) row = readRow(model, text);
      isRead = true;
      return row;
    },
    hash: (crypto) => (hash ??= rowHash(crypto, at, text)),
    // The text, and what was read from it.
    bytes: rowBytesMin + 3 * text.length,
  };
};

/** Rows of which nobody knows more than the texts. What has no text is not there. */
export const knownTexts = (loaded: LoadedRows): KnownRows => {
  const read = new Map<string, KnownRow>();
  return {
    get: (at) => {
      const known = read.get(at);
      if (known !== undefined) return known;
      const text = loaded.get(at);
      const row =
        text === undefined ? absentRow : rowFromText(at.slice(0, at.indexOf('\n')), at, text);
      read.set(at, row);
      return row;
    },
  };
};

export type RowMemory = KnownRows & {
  /** Rows that were asked for, and those of them that are there. */
  readonly learn: (asked: readonly RowAddress[], found: LoadedRows) => void;
  /** Rows as they stand after a step. */
  readonly keep: (rows: ReadonlyMap<string, KnownRow>) => void;
};

/** Models whose rows are looked at again; the others' are mostly written once. */
const remembered: ReadonlySet<string> = new Set([
  'deployment',
  'slot',
  'timeline',
  'environment',
  'component',
  'producer',
]);
const isRemembered = (at: string): boolean => remembered.has(at.slice(0, at.indexOf('\n')));

/**
 * Remembers the rows that were used last, up to twice `bytesMax`. It forgets between steps only: what was learnt for a
 * step is there until `keep`.
 */
export const createRowMemory = (bytesMax: number): RowMemory => {
  let young = new Map<string, KnownRow>();
  let old = new Map<string, KnownRow>();
  let youngBytes = 0;
  /** For this step alone. */
  const passing = new Map<string, KnownRow>();
  const put = (at: string, row: KnownRow): void => {
    youngBytes += row.bytes - (young.get(at)?.bytes ?? 0);
    young.set(at, row);
  };
  return {
    get: (at) => {
      const known = young.get(at);
      if (known !== undefined) return known;
      const aged = old.get(at);
      if (aged === undefined) return passing.get(at);
      put(at, aged);
      return aged;
    },
    learn: (asked, found) => {
      for (const { model, key } of asked) {
        const at = address(model, key);
        const text = found.get(at);
        const row = text === undefined ? absentRow : rowFromText(model, at, text);
        if (remembered.has(model)) put(at, row);
        else passing.set(at, row);
      }
    },
    keep: (rows) => {
      passing.clear();
      for (const [at, row] of rows) if (isRemembered(at)) put(at, row);
      if (youngBytes <= bytesMax) return;
      old = young;
      young = new Map();
      youngBytes = 0;
    },
  };
};

/** The rows that the fold itself looks at. */
type RowTypes = {
  readonly marker: MarkerRow;
  readonly deployment: Deployment;
  readonly slot: SlotState;
  readonly timeline: AttemptLine;
  readonly 'dead-letter': DeadLetter;
  readonly retention: RetentionRow;
};

/** Rows over those that were known: what a batch changes, each row written once however many records touch it. */
export type FoldRows = {
  readonly get: <Model extends keyof RowTypes>(
    model: Model,
    key: string,
  ) => RowTypes[Model] | undefined;
  /** The same of any model. */
  readonly row: (model: string, key: string) => unknown;
  /** What a row was before this batch, where that is known without reading it; `undefined`: it was not there. */
  readonly was: (model: string, key: string, row: () => unknown) => void;
  readonly put: (model: string, key: string, row: unknown) => void;
  readonly remove: (model: string, key: string) => void;
  readonly changes: (crypto: Crypto) => RowChanges;
};

export type RowChanges = {
  readonly writes: readonly RowChange[];
  /** What the writes add to the rows' digest. */
  readonly hash: bigint;
  readonly rows: ReadonlyMap<string, KnownRow>;
};

export const openFoldRows = (known: KnownRows): FoldRows => {
  const changed = new Map<string, RowAddress & { row: unknown }>();
  const derived = new Map<string, KnownRow>();
  const before = (at: string): KnownRow => known.get(at) ?? derived.get(at) ?? absentRow;
  const put = (model: string, key: string, row: unknown): void => {
    const at = address(model, key);
    const change = changed.get(at);
    if (change === undefined) changed.set(at, { model, key, row });
    else change.row = row;
  };
  const row = (model: string, key: string): unknown => {
    const at = address(model, key);
    const change = changed.get(at);
    return change === undefined ? before(at).row() : change.row;
  };
  return {
    get: (model, key) => row(model, key) as RowTypes[typeof model] | undefined,
    row,
    was: (model, key, rowBefore) => {
      const at = address(model, key);
      if (changed.has(at) || derived.has(at) || known.get(at) !== undefined) return;
      const value = rowBefore();
      derived.set(
        at,
        value === undefined ? absentRow : rowFromText(model, at, rowText(model, value)),
      );
    },
    put,
    remove: (model, key) => put(model, key, undefined),
    changes: (crypto) => {
      const writes: RowChange[] = [];
      const rows = new Map<string, KnownRow>();
      let sum = noRow;
      for (const [at, { model, key, row: now }] of changed) {
        const was = before(at).hash(crypto);
        const value = now === undefined ? null : rowText(model, now);
        const hash = value === null ? noRow : rowHash(crypto, at, value);
        rows.set(at, value === null ? absentRow : rowOf(now, hash, value));
        // A row that is what it was need not be written.
        if (hash === was) continue;
        sum += hash - was;
        writes.push({ model, key, value });
      }
      return { writes, hash: sum, rows };
    },
  };
};

const rowOf = (row: unknown, hash: bigint, text: string): KnownRow => ({
  row: () => row,
  hash: () => hash,
  bytes: rowBytesMin + 2 * text.length,
});
