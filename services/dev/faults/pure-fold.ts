import type { CheckTools } from '../../core/check/check-record.ts';
import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Crypto } from '../../core/markers/crypto.ts';
import type { FoldState, Outcome } from '../../core/projection.ts';
import { knownTexts } from '../../core/known-rows.ts';
import { address, check, fold, foldOpening } from '../../core/projection.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

/** What the read models must be: records 0..n folded one at a time over a map, with no projector and no store. */
export type PureFold = {
  /** As `ReadModelStore.dump` gives it after the records before `next`. */
  readonly dumpAt: (next: Position) => readonly string[];
  /** What became of the records before `next`, by position. */
  readonly outcomesAt: (next: Position) => readonly Outcome[];
  /** The row of a model, as it stands after the last call. */
  readonly rowsOf: (model: string) => readonly string[];
};

/** `records` may grow meanwhile. A position before the last one asked for folds again from record 0. */
export const openPureFold = (
  records: readonly LogRecord[],
  audience: string,
  given: CheckTools,
): PureFold => {
  const tools = { ...given, crypto: rememberingCrypto(given.crypto) };
  let rows = new Map<string, string>();
  let state: FoldState | undefined;
  let outcomes: Outcome[] = [];

  const foldOne = (record: LogRecord): void => {
    const folded = state === undefined ? opening(record) : later(state, record);
    state = folded.state;
    outcomes.push(...folded.outcomes);
    for (const { model, key, value } of folded.writes)
      if (value === null) rows.delete(address(model, key));
      else rows.set(address(model, key), value);
  };
  const later = (from: FoldState, record: LogRecord): ReturnType<typeof fold> =>
    fold(tools, from, check(tools, audience, from, [record]), knownTexts(rows));
  const opening = (record: LogRecord): ReturnType<typeof fold> => {
    const opened = foldOpening(tools, audience, record);
    if (!opened.ok) throw new Error(`record 0 opens no log: ${opened.problem.message}`);
    return opened.value;
  };

  const foldTo = (next: Position): void => {
    if (next < (state?.next ?? 0)) {
      rows = new Map();
      state = undefined;
      outcomes = [];
    }
    for (const record of records.slice(state?.next ?? 0, next)) foldOne(record);
    if ((state?.next ?? 0) !== next)
      throw new RangeError(`the log has no record ${next - 1}: it ends at ${records.length}`);
  };

  return {
    dumpAt: (next) => {
      foldTo(next);
      return [...rows].map(([at, row]) => `${at}\n${row}`).toSorted(compareUtf8);
    },
    outcomesAt: (next) => {
      foldTo(next);
      return outcomes;
    },
    rowsOf: (model) =>
      [...rows].filter(([at]) => at.startsWith(`${model}\n`)).map(([, row]) => row),
  };
};

/** The same signatures are checked in every fold of a log: once is enough. */
const rememberingCrypto = (crypto: Crypto): Crypto => {
  const known = new Map<string, boolean>();
  return {
    ...crypto,
    verify: (algorithm, publicKey, message, signature) => {
      const asked = Buffer.concat([publicKey, signature, message]).toString('latin1');
      const good = known.get(asked) ?? crypto.verify(algorithm, publicKey, message, signature);
      known.set(asked, good);
      return good;
    },
  };
};

/** Lines that only one of two dumps has, at most `linesMax` of them. */
export const difference = (
  stored: readonly string[],
  folded: readonly string[],
  linesMax = 20,
): readonly string[] => {
  const has = { stored: new Set(stored), folded: new Set(folded) };
  return [
    ...stored.filter((line) => !has.folded.has(line)).map((line) => `only stored: ${line}`),
    ...folded.filter((line) => !has.stored.has(line)).map((line) => `only folded: ${line}`),
  ].slice(0, linesMax);
};
