import type { DeadLetter } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import type { CircumstanceRow, NotedRow } from './circumstances.ts';
import type { ApprovalRow, FreezesRow, RecentRow, SlotGuardRow, StopsRow } from './guard.ts';
import { hasEnded } from './lifecycle.ts';
import { createKeysWritten } from './keys-written.ts';
import type { Crypto } from './markers/crypto.ts';
import type { ProducerRow } from './producers.ts';
import type { DecisionRow } from './read-models.ts';
import type { RetentionRow } from './retention.ts';
import type { MarkerRow } from './row-forms/marker.ts';
import { readRow, rowText } from './row-text.ts';
import { noRow, rowHash } from './rows-digest.ts';
import type { AttemptLine, SlotState } from './slot-state.ts';

// Rows as the fold looks at them: read from their texts once, however many records touch them.

export type RowAddress = { readonly model: string; readonly key: string };
/** `isNew`: the row was taken for not being there, which whoever commits makes sure of. */
export type RowChange = RowAddress & { readonly value: string | null; readonly isNew?: boolean };

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
/** A row that nobody looked for. */
const presumedAbsent: KnownRow = { ...absentRow };

/** A row that was read: what it says and its hash are made when they are first asked for. */
class ReadRow implements KnownRow {
  readonly bytes: number;
  readonly #model: string;
  readonly #key: string;
  readonly #text: string;
  #row: unknown;
  #hash: bigint | undefined;

  constructor(model: string, key: string, text: string) {
    this.#model = model;
    this.#key = key;
    this.#text = text;
    // The text, and what is made of it.
    this.bytes = rowBytesMin + 3 * text.length;
  }

  row(): unknown {
    return (this.#row ??= readRow(this.#model, this.#text));
  }

  hash(crypto: Crypto): bigint {
    return (this.#hash ??= rowHash(crypto, {
      model: this.#model,
      key: this.#key,
      value: this.#text,
    }));
  }
}

/** A row that was written. */
class WrittenRow implements KnownRow {
  readonly bytes: number;
  readonly #row: unknown;
  readonly #hash: bigint;

  constructor(row: unknown, hash: bigint, text: string) {
    this.#row = row;
    this.#hash = hash;
    this.bytes = rowBytesMin + 2 * text.length;
  }

  row(): unknown {
    return this.#row;
  }

  hash(): bigint {
    return this.#hash;
  }
}

/** Values by model and key. Keys are long, and a text that was put together of both would be hashed each time. */
type ByPlace<Value> = Map<string, Map<string, Value>>;

const placesOf = <Value>(places: ByPlace<Value>, model: string): Map<string, Value> => {
  const known = places.get(model);
  if (known !== undefined) return known;
  const made = new Map<string, Value>();
  places.set(model, made);
  return made;
};

/** Rows that were found by `address`, by place. Of those that are asked for most are new: only few are found. */
const rowsFound = (found: LoadedRows): ByPlace<KnownRow> => {
  const rows: ByPlace<KnownRow> = new Map();
  for (const [at, text] of found) {
    const end = at.indexOf('\n');
    const model = at.slice(0, end);
    const key = at.slice(end + 1);
    placesOf(rows, model).set(key, new ReadRow(model, key, text));
  }
  return rows;
};

/** Rows of which nobody knows more than the texts. What has no text is not there. */
export const knownTexts = (loaded: LoadedRows): KnownRows => {
  const read: ByPlace<KnownRow> = new Map();
  return {
    get: (model, key) => {
      const places = placesOf(read, model);
      const known = places.get(key);
      if (known !== undefined) return known;
      const text = loaded.get(address(model, key));
      const row = text === undefined ? absentRow : new ReadRow(model, key, text);
      places.set(key, row);
      return row;
    },
  };
};

export type RowMemory = KnownRows & {
  /** Rows that were asked for, and those of them that are there. */
  readonly learn: (asked: readonly RowAddress[], found: LoadedRows) => void;
  /** Rows as they stand after a step. */
  readonly keep: (rows: readonly FoldedRow[]) => void;
  /** Of nearly every marker and deployment that is new, it knows that it is. */
  readonly knowsNew: () => boolean;
};

/** A row as a step left it. */
export type FoldedRow = RowAddress & { readonly known: KnownRow };

/** Whether more is to be said of a row. What is over is read again if need be: to hold it costs more than that. */
const isOpen: { readonly [model: string]: (row: never) => boolean } = {
  deployment: ({ attempts }: Deployment) => attempts.some((attempt) => !hasEnded(attempt)),
  timeline: (line: AttemptLine) => !hasEnded(line),
  slot: () => true,
  environment: () => true,
  component: () => true,
  producer: () => true,
};

const isOpenRow = (model: string, known: KnownRow): boolean => {
  const row = known.row();
  return row !== undefined && isOpen[model]?.(row as never) === true;
};

type Remembered = {
  /** The rows that were used since it last forgot, and those before. */
  young: Map<string, KnownRow>;
  old: Map<string, KnownRow>;
};

/** Models of which nearly every row that is asked for is new. */
const mostlyNew: ReadonlySet<string> = new Set(['marker', 'deployment']);

/**
 * Remembers the rows that were used last, up to twice `bytesMax`. It forgets between steps only: what was learnt for a
 * step is there until `keep`. `isEmpty`: nothing but the record that opens the log is folded yet, so a row that no step
 * has written since is not there, and need not be asked for.
 */
export const createRowMemory = (bytesMax: number, isEmpty = false): RowMemory => {
  const written = isEmpty ? createKeysWritten() : undefined;
  const remembered = new Map<string, Remembered>();
  for (const model of Object.keys(isOpen))
    remembered.set(model, { young: new Map(), old: new Map() });
  let youngBytes = 0;
  /** For this step alone. */
  let passing: ByPlace<KnownRow> = new Map();
  const put = ({ young }: Remembered, key: string, row: KnownRow): void => {
    youngBytes += row.bytes - (young.get(key)?.bytes ?? 0);
    young.set(key, row);
  };
  const isNew = (model: string, key: string): boolean =>
    written !== undefined && mostlyNew.has(model) && !written.mayHave(key);
  const forget = ({ young, old }: Remembered, key: string): void => {
    youngBytes -= young.get(key)?.bytes ?? 0;
    young.delete(key);
    old.delete(key);
  };
  return {
    get: (model, key) => {
      const rows = remembered.get(model);
      const known = rows?.young.get(key);
      if (known !== undefined) return known;
      const aged = rows?.old.get(key);
      if (rows === undefined || aged === undefined)
        return passing.get(model)?.get(key) ?? (isNew(model, key) ? absentRow : undefined);
      put(rows, key, aged);
      return aged;
    },
    learn: (asked, found) => {
      const rows = rowsFound(found);
      for (const { model, key } of asked) {
        const row = rows.get(model)?.get(key);
        const kept = row === undefined ? undefined : remembered.get(model);
        if (row === undefined || kept === undefined)
          placesOf(passing, model).set(key, row ?? absentRow);
        else put(kept, key, row);
      }
    },
    keep: (rows) => {
      passing = new Map();
      for (const { model, key, known } of rows) {
        if (mostlyNew.has(model)) written?.add(key);
        const kept = remembered.get(model);
        if (kept === undefined) continue;
        if (isOpenRow(model, known)) put(kept, key, known);
        else forget(kept, key);
      }
      if (youngBytes <= bytesMax) return;
      for (const kept of remembered.values()) {
        kept.old = kept.young;
        kept.young = new Map();
      }
      youngBytes = 0;
    },
    knowsNew: () => written?.isFull() === false,
  };
};

/** The rows that the fold itself looks at. */
export type RowTypes = {
  readonly marker: MarkerRow;
  readonly deployment: Deployment;
  readonly slot: SlotState;
  readonly timeline: AttemptLine;
  readonly 'dead-letter': DeadLetter;
  readonly retention: RetentionRow;
  readonly decision: DecisionRow;
  readonly guard: StopsRow | FreezesRow | SlotGuardRow | RecentRow | ApprovalRow;
  readonly circumstance: CircumstanceRow;
  readonly noted: NotedRow;
  readonly producer: ProducerRow;
};

/** A row's place in one fold. It is found once, and whoever has it need not look for the row again. */
export type Cell<Row = unknown> = RowAddress & {
  /** The row before the fold, as far as it is known; once it is settled, the row after it. */
  known: KnownRow | undefined;
  /** The row as the fold leaves it. */
  row: Row | undefined;
  isChanged: boolean;
  /** Somebody was asked for it; for what it leads to. */
  isWanted: boolean;
  isFollowed: boolean;
};

/** Rows over those that were known: what a batch changes, each row written once however many records touch it. */
export type FoldRows = {
  readonly cell: {
    <Model extends keyof RowTypes>(model: Model, key: string): Cell<RowTypes[Model]>;
    (model: string, key: string): Cell;
  };
  /** Whether anybody knows the row as it was. */
  readonly isKnown: (cell: Cell) => boolean;
  /** Takes a row of which nothing is known for not being there: the commit makes sure. */
  readonly presumeAbsent: (cell: Cell) => void;
  /** The row as it is now. */
  readonly now: <Row>(cell: Cell<Row>) => Row | undefined;
  readonly change: <Row>(cell: Cell<Row>, row: Row | undefined) => void;
  /** What a row was before this batch, where that is known without reading it; `undefined`: it was not there. */
  readonly was: (cell: Cell, row: () => unknown) => void;
  /** The same by place. */
  readonly get: <Model extends keyof RowTypes>(
    model: Model,
    key: string,
  ) => RowTypes[Model] | undefined;
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

/** Not written: to remove what is not there tells whether it is. */
const asGone = ({ model, key }: RowAddress): RowChange => ({
  model,
  key,
  value: null,
  isNew: true,
});

type ModelCells = { readonly cells: Map<string, Cell>; readonly changed: Cell[] };

export const openFoldRows = (known: KnownRows): FoldRows => {
  const models = new Map<string, ModelCells>();
  const writes: RowChange[] = [];
  let sum = noRow;
  const presumed: Cell[] = [];
  let changed: Cell[] | undefined;
  let settled = 0;

  const cellsOf = (model: string): ModelCells => {
    const there = models.get(model);
    if (there !== undefined) return there;
    const made = { cells: new Map<string, Cell>(), changed: [] };
    models.set(model, made);
    return made;
  };
  const cell = (model: string, key: string): Cell<never> => {
    const { cells } = cellsOf(model);
    const there = cells.get(key);
    if (there !== undefined) return there as Cell<never>;
    const made: Cell = {
      model,
      key,
      known: known.get(model, key),
      row: undefined,
      isChanged: false,
      isWanted: false,
      isFollowed: false,
    };
    cells.set(key, made);
    return made as Cell<never>;
  };
  /** It may have been learnt since it was looked for. */
  const before = (at: Cell): KnownRow | undefined => (at.known ??= known.get(at.model, at.key));
  const now = <Row>(at: Cell<Row>): Row | undefined =>
    at.isChanged ? at.row : (before(at)?.row() as Row | undefined);
  const change = <Row>(at: Cell<Row>, row: Row | undefined): void => {
    at.row = row;
    if (at.isChanged) return;
    at.isChanged = true;
    cellsOf(at.model).changed.push(at);
  };
  const settleOne = (crypto: Crypto, at: Cell): void => {
    const { model, key, row } = at;
    const isNew = before(at) === presumedAbsent;
    const was = at.known?.hash(crypto) ?? noRow;
    const value = row === undefined ? null : rowText(model, row);
    const hash = value === null ? noRow : rowHash(crypto, { model, key, value });
    at.known = value === null ? absentRow : new WrittenRow(row, hash, value);
    // A row that is what it was need not be written.
    if (hash === was && !isNew) return;
    sum += hash - was;
    writes.push(isNew ? { model, key, value, isNew } : { model, key, value });
  };

  return {
    cell,
    isKnown: (at) => before(at) !== undefined,
    presumeAbsent: (at) => {
      if (at.isWanted || before(at) !== undefined) return;
      at.known = presumedAbsent;
      presumed.push(at);
    },
    now,
    change,
    was: (at, rowBefore) => {
      if (at.isChanged || before(at) !== undefined) return;
      const row = rowBefore();
      at.known =
        row === undefined ? absentRow : new ReadRow(at.model, at.key, rowText(at.model, row));
    },
    get: (model, key) => now(cell(model, key)),
    put: (model, key, row) => change(cell(model, key) as Cell, row),
    remove: (model, key) => change(cell(model, key) as Cell, undefined),
    settle: (crypto, rowsMax) => {
      changed ??= [...models.values()].flatMap((model) => model.changed);
      const end = Math.min(changed.length, settled + rowsMax);
      for (const at of changed.slice(settled, end)) settleOne(crypto, at);
      settled = end;
      return end === changed.length;
    },
    // All of them are known by now.
    changes: () => ({
      writes: [...writes, ...presumed.filter(({ isChanged }) => !isChanged).map(asGone)],
      hash: sum,
      rows: (changed ?? []) as readonly Cell[] as readonly FoldedRow[],
    }),
  };
};
