import type { LogRecord, Position } from '../../core/log/record.ts';
import { knownTexts } from '../../core/known-rows.ts';
import type { KnownRow, KnownRows } from '../../core/known-rows.ts';
import type { FoldState, Outcome } from '../../core/projection.ts';
import { address, check, fold, foldOpening } from '../../core/projection.ts';
import { tools } from './tools.ts';
import { audience } from './write.ts';

// What the read models must be: records 0..n folded one by one over a map, without projector and without store, and
// remembered for every n. So a checkpoint is compared by looking at the rows that lie between it and the one before.

type Version = { readonly from: Position; readonly row: string | null };

type Remembered = {
  readonly state: FoldState | undefined;
  readonly rows: ReadonlyMap<string, KnownRow>;
  readonly versions: ReadonlyMap<string, readonly Version[]>;
  readonly touched: readonly (readonly string[])[];
  readonly outcomes: readonly Outcome[];
  readonly digests: readonly string[];
};

const nothing: Remembered = {
  state: undefined,
  rows: new Map(),
  versions: new Map(),
  touched: [],
  outcomes: [],
  digests: [''],
};

/** `trust`, `duplicate`, the note of what was applied, or the code of a dead letter. */
export const outcomeName = (outcome: Outcome): string => {
  switch (outcome.outcome) {
    case 'trust':
    case 'operation':
    case 'circumstance':
    case 'left-out':
    case 'duplicate':
      return outcome.outcome;
    case 'applied':
      return outcome.note;
    case 'dead-letter':
      return outcome.code;
  }
};

export class Reference {
  readonly #records: readonly LogRecord[];
  readonly #rows: Map<string, KnownRow>;
  readonly #digests: string[];
  readonly #versions: Map<string, readonly Version[]>;
  readonly #touched: (readonly string[])[];
  readonly #outcomes: Outcome[];
  #state: FoldState | undefined;

  /** `records` may grow meanwhile. `from`: what another one of the same records has remembered. */
  constructor(records: readonly LogRecord[], from: Remembered = nothing) {
    this.#records = records;
    this.#rows = new Map(from.rows);
    this.#versions = new Map(from.versions);
    this.#touched = [...from.touched];
    this.#outcomes = [...from.outcomes];
    this.#digests = [...from.digests];
    this.#state = from.state;
  }

  remembered(): Remembered {
    return {
      state: this.#state,
      rows: this.#rows,
      versions: this.#versions,
      touched: this.#touched,
      outcomes: this.#outcomes,
      digests: this.#digests,
    };
  }

  get logId(): string | undefined {
    return this.#state?.trust.logId;
  }

  /** Folds up to a position; the records before it must be there. */
  foldTo(next: Position): void {
    for (let at = this.#state?.next ?? 0; at < next; at++) this.#foldOne(at);
  }

  #foldOne(position: Position): void {
    const record = this.#records[position];
    if (record === undefined) throw new RangeError(`there is no record ${position} yet`);
    const folded = this.#folded(record);
    this.#state = folded.state;
    this.#outcomes.push(...folded.outcomes);
    this.#digests.push(folded.state.rowsDigest);
    for (const { model, key, known } of folded.rows) this.#rows.set(address(model, key), known);
    const touched: string[] = [];
    for (const { model, key, value } of folded.writes) {
      const at = address(model, key);
      touched.push(at);
      const before = this.#versions.get(at) ?? [];
      this.#versions.set(at, [...before, { from: position + 1, row: value }]);
    }
    this.#touched.push(touched);
  }

  #folded(record: LogRecord): ReturnType<typeof fold> {
    const state = this.#state;
    if (state !== undefined) {
      const absent = knownTexts(new Map());
      const known: KnownRows = {
        get: (model, key) => this.#rows.get(address(model, key)) ?? absent.get(model, key),
      };
      return fold(tools, state, check(tools, audience, state, [record]), known);
    }
    const opened = foldOpening(tools, audience, record);
    if (!opened.ok) throw new TypeError(opened.problem.message);
    return opened.value;
  }

  /** The row as of the records before `next`; undefined: there is none. */
  rowAt(at: string, next: Position): string | undefined {
    const versions = this.#versions.get(at) ?? [];
    return versions.findLast(({ from }) => from <= next)?.row ?? undefined;
  }

  /** Rows that the records from `from` to below `to` wrote. */
  touchedIn(from: Position, to: Position): readonly string[] {
    return this.#touched.slice(from, to).flat();
  }

  /** The digest of all rows after the records before `next`. */
  rowsDigestAt(next: Position): string | undefined {
    return this.#digests[next];
  }

  outcomeAt(position: Position): Outcome | undefined {
    return this.#outcomes[position];
  }

  /** As `ReadModelStore.dump` after the records before `next`, unsorted. */
  dumpAt(next: Position): readonly string[] {
    const lines: string[] = [];
    for (const at of this.#versions.keys()) {
      const row = this.rowAt(at, next);
      if (row !== undefined) lines.push(`${at}\n${row}`);
    }
    return lines;
  }
}
