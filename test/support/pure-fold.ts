import type { LogRecord, Position } from '../../services/core/log/record.ts';
import type { FoldState, Outcome } from '../../services/core/projection.ts';
import { knownTexts } from '../../services/core/known-rows.ts';
import { address, check, fold, foldOpening } from '../../services/core/projection.ts';
import { compareUtf8 } from '../../services/core/utf8-order.ts';
import { tools } from './given.ts';
import { value } from './records.ts';

/** What the read models must be: records 0..n folded one by one over a map, without projector and without store. */
export type PureFold = {
  /** As `ReadModelStore.dump` after the records before `next`. */
  readonly dumpAt: (next: Position) => readonly string[];
  /** What became of the records before `next`, and how often. */
  readonly outcomesAt: (next: Position) => { readonly [outcome: string]: number };
};

/** `records` may grow meanwhile. */
export const pureFold = (records: readonly LogRecord[], audience: string): PureFold => {
  let rows = new Map<string, string>();
  let state: FoldState | undefined;
  let outcomes: Outcome[] = [];

  const foldOne = (record: LogRecord): void => {
    const folded =
      state === undefined
        ? value(foldOpening(tools, audience, record))
        : fold(tools, state, check(tools, audience, state, [record]), knownTexts(rows));
    state = folded.state;
    outcomes.push(...folded.outcomes);
    for (const { model, key, value: row } of folded.writes)
      if (row === null) rows.delete(address(model, key));
      else rows.set(address(model, key), row);
  };

  const foldTo = (next: Position): void => {
    if (next < (state?.next ?? 0)) {
      rows = new Map();
      state = undefined;
      outcomes = [];
    }
    for (const record of records.slice(state?.next ?? 0, next)) foldOne(record);
    if ((state?.next ?? 0) !== next) throw new RangeError(`there is no record ${next - 1} yet`);
  };

  return {
    dumpAt: (next) => {
      foldTo(next);
      return [...rows].map(([at, row]) => `${at}\n${row}`).toSorted(compareUtf8);
    },
    outcomesAt: (next) => {
      foldTo(next);
      const counts: Record<string, number> = {};
      for (const outcome of outcomes) {
        const name = outcome.outcome === 'dead-letter' ? outcome.code : outcome.outcome;
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    },
  };
};
