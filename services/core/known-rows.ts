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

export type KnownRows = {
  readonly get: (model: string, key: string) => KnownRow | undefined;
};

/** What a row that takes no text costs in a memory, about. */
const rowBytesMin = 200;

const absentRow: KnownRow = { row: () => undefined, hash: () => noRow, bytes: rowBytesMin };

const rowFromText = (model: string, key: string, text: string): KnownRow => {
  let row: unknown;
  let isRead = false;
  let hash: bigint | undefined;
  return {
    row: () => {
      if (!isRead) row = readRow(model, text);
      isRead = true;
      return row;
    },
    hash: (crypto) => (hash ??= rowHash(crypto, { model, key, value: text })),
    // The text, and what was read from it.
    bytes: rowBytesMin + 3 * text.length,
  };
};

/** Values by model and key. Keys are long, and a text that was put together of both would be hashed each time. */
type ByPlace<Value> = Map<string, Map<string, Value>>;

const valueAt = <Value>(places: ByPlace<Value>, model: string, key: string): Value | undefined =>
  places.get(model)?.get(key);

const putAt = <Value>(places: ByPlace<Value>, model: string, key: string, value: Value): void => {
  const keys = places.get(model);
  if (keys === undefined) places.set(model, new Map([[key, value]]));
  else keys.set(key, value);
};

/** Rows of which nobody knows more than the texts. What has no text is not there. */
export const knownTexts = (loaded: LoadedRows): KnownRows => {
  const read: ByPlace<KnownRow> = new Map();
  return {
    get: (model, key) => {
      const known = valueAt(read, model, key);
      if (known !== undefined) return known;
      const text = loaded.get(address(model, key));
      const row = text === undefined ? absentRow : rowFromText(model, key, text);
      putAt(read, model, key, row);
      return row;
    },
  };
};

export type RowMemory = KnownRows & {
  /** Rows that were asked for, and those of them that are there. */
  readonly learn: (asked: readonly RowAddress[], found: LoadedRows) => void;
  /** Rows as they stand after a step. */
  readonly keep: (rows: readonly FoldedRow[]) => void;
};

/** A row as a step left it. */
export type FoldedRow = RowAddress & { readonly known: KnownRow };

/** Models whose rows are looked at again; the others' are mostly written once. */
const remembered: ReadonlySet<string> = new Set([
  'deployment',
  'slot',
  'timeline',
  'environment',
  'component',
  'producer',
]);

/**
 * Remembers the rows that were used last, up to twice `bytesMax`. It forgets between steps only: what was learnt for a
 * step is there until `keep`.
 */
export const createRowMemory = (bytesMax: number): RowMemory => {
  let young: ByPlace<KnownRow> = new Map();
  let old: ByPlace<KnownRow> = new Map();
  let youngBytes = 0;
  /** For this step alone. */
  let passing: ByPlace<KnownRow> = new Map();
  const put = (model: string, key: string, row: KnownRow): void => {
    youngBytes += row.bytes - (valueAt(young, model, key)?.bytes ?? 0);
    putAt(young, model, key, row);
  };
  return {
    get: (model, key) => {
      const known = valueAt(young, model, key);
      if (known !== undefined) return known;
      const aged = valueAt(old, model, key);
      if (aged === undefined) return valueAt(passing, model, key);
      put(model, key, aged);
      return aged;
    },
    learn: (asked, found) => {
      for (const { model, key } of asked) {
        const text = found.get(address(model, key));
        const row = text === undefined ? absentRow : rowFromText(model, key, text);
        if (remembered.has(model)) put(model, key, row);
        else putAt(passing, model, key, row);
      }
    },
    keep: (rows) => {
      passing = new Map();
      for (const { model, key, known } of rows) if (remembered.has(model)) put(model, key, known);
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
  /** Makes the texts of up to so many changed rows; true when all have theirs. Nothing is put any more. */
  readonly settle: (crypto: Crypto, rowsMax: number) => boolean;
  readonly changes: () => RowChanges;
};

export type RowChanges = {
  readonly writes: readonly RowChange[];
  /** What the writes add to the rows' digest. */
  readonly hash: bigint;
  readonly rows: readonly FoldedRow[];
};

type Changed = RowAddress & { row: unknown };

export const openFoldRows = (known: KnownRows): FoldRows => {
  const changed: ByPlace<Changed> = new Map();
  const derived: ByPlace<KnownRow> = new Map();
  const before = (model: string, key: string): KnownRow =>
    known.get(model, key) ?? valueAt(derived, model, key) ?? absentRow;
  const writes: RowChange[] = [];
  const rows: FoldedRow[] = [];
  let sum = noRow;
  let unsettled: Changed[] | undefined;
  const put = (model: string, key: string, row: unknown): void => {
    const change = valueAt(changed, model, key);
    if (change === undefined) putAt(changed, model, key, { model, key, row });
    else change.row = row;
  };
  const row = (model: string, key: string): unknown => {
    const change = valueAt(changed, model, key);
    return change === undefined ? before(model, key).row() : change.row;
  };
  return {
    get: (model, key) => row(model, key) as RowTypes[typeof model] | undefined,
    row,
    was: (model, key, rowBefore) => {
      if (valueAt(changed, model, key) !== undefined || known.get(model, key) !== undefined) return;
      if (valueAt(derived, model, key) !== undefined) return;
      const value = rowBefore();
      const text = value === undefined ? undefined : rowText(model, value);
      putAt(derived, model, key, text === undefined ? absentRow : rowFromText(model, key, text));
    },
    put,
    remove: (model, key) => put(model, key, undefined),
    settle: (crypto, rowsMax) => {
      unsettled ??= [...changed.values()].flatMap((places) => [...places.values()]);
      for (const { model, key, row: now } of unsettled.splice(0, rowsMax)) {
        const was = before(model, key).hash(crypto);
        const value = now === undefined ? null : rowText(model, now);
        const hash = value === null ? noRow : rowHash(crypto, { model, key, value });
        rows.push({ model, key, known: value === null ? absentRow : rowOf(now, hash, value) });
        // A row that is what it was need not be written.
        if (hash === was) continue;
        sum += hash - was;
        writes.push({ model, key, value });
      }
      return unsettled.length === 0;
    },
    changes: () => ({ writes, hash: sum, rows }),
  };
};

const rowOf = (row: unknown, hash: bigint, text: string): KnownRow => ({
  row: () => row,
  hash: () => hash,
  bytes: rowBytesMin + 2 * text.length,
});
