import type { SignatureChecks } from '../core/check/check-record.ts';
import type { RememberedRange, SignatureOutcome } from '../core/check/remembered.ts';
import {
  isSampled,
  outcomeSays,
  outcomeWith,
  rangeHolds,
  rangeKey,
  rangesPrefix,
  readRange,
} from '../core/check/remembered.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { BelievedChecks, ProjectionPorts, WrongChecks } from '../ports/projecting.ts';
import type { Aside } from '../ports/read-model-store.ts';
import { openMemory } from './checks-memory.ts';

/** One way through a batch's checks. */
export type Pass = {
  readonly signatures: SignatureChecks;
  /** False: something remembered was wrong and is forgotten; the batch has to be checked once more. */
  readonly isSound: () => boolean;
};

/**
 * What came of signature checks, for one fold: it believes what was remembered as far as it is told to, and
 * remembers what it checked itself. It never fails: what cannot be read is checked, what cannot be kept is not kept.
 */
export type Checks = {
  /** Where a batch that begins here is best cut, so that whole remembered ranges fall into it. */
  readonly cut: (logId: string, from: Position, recordsMax: number) => Promise<Position>;
  readonly pass: (logId: string, records: readonly LogRecord[]) => Pass;
  /** The batch of the last pass is in the read models: only now it is remembered. */
  readonly committed: () => Promise<void>;
  /** Keeps what is too short to be kept by itself yet. */
  readonly end: () => Promise<void>;
};

type Batch = {
  readonly logId: string;
  readonly records: readonly LogRecord[];
  readonly from: Position;
  /** Ranges of this batch that are remembered, made of its bytes, and not known to be wrong. */
  held: readonly RememberedRange[];
  /** What came of the checks of the last pass. */
  outcomes: SignatureOutcome[];
};

export const openChecks = (
  tools: ProjectionPorts['tools'],
  audience: string,
  aside: Aside,
  believed?: BelievedChecks,
): Checks => {
  const memory = openMemory(tools, audience, aside);
  const wrong = (range: WrongChecks, logId: string): void => {
    memory.forget(rangeKey(logId, range.from));
    believed?.onWrong?.(range);
  };
  const ahead = openAhead(aside, wrong);
  let batch: Batch | undefined;

  const cut: Checks['cut'] = async (logId, from, recordsMax) => {
    if (believed === undefined) return from + recordsMax;
    const ranges = await ahead.read(logId, from, from + recordsMax);
    let to = from;
    for (const range of ranges) {
      if (range.from !== to || (to > from && range.to > from + recordsMax)) break;
      ({ to } = range);
    }
    return to > from ? to : Math.min(from + recordsMax, ranges[0]?.from ?? Infinity);
  };

  const heldIn = (
    logId: string,
    records: readonly LogRecord[],
    from: Position,
  ): readonly RememberedRange[] =>
    ahead.within(logId, from, from + records.length).filter((range) => {
      const own = records.slice(range.from - from, range.to - from);
      if (rangeHolds(tools, audience, logId, range, own)) return true;
      wrong({ from: range.from, to: range.to, why: 'other-bytes' }, logId);
      return false;
    });

  const pass: Checks['pass'] = (logId, records) => {
    const from = records[0]?.position ?? 0;
    const held = batch?.records === records ? batch.held : heldIn(logId, records, from);
    const current: Batch = { logId, records, from, held, outcomes: records.map(() => '-') };
    batch = current;
    const said = rememberedOf(current);
    const otherwise: Position[] = [];
    return {
      signatures: {
        known: (position, signed) =>
          believed === undefined || isSampled(believed.seed, believed.sampleShare, position)
            ? undefined
            : outcomeSays(said[position - from], signed),
        found: (position, signed, isGood) => {
          const at = position - from;
          const before = outcomeSays(said[at], signed);
          if (before !== undefined && before !== isGood) otherwise.push(position);
          current.outcomes[at] = outcomeWith(current.outcomes[at] ?? '-', signed, isGood);
        },
      },
      isSound: () => {
        if (otherwise.length === 0) return true;
        const isWrong = (range: RememberedRange): boolean =>
          otherwise.some((position) => position >= range.from && position < range.to);
        for (const range of current.held.filter(isWrong))
          wrong({ from: range.from, to: range.to, why: 'other-outcome' }, logId);
        current.held = current.held.filter((range) => !isWrong(range));
        return false;
      },
    };
  };

  return {
    cut,
    pass,
    committed: async () => {
      if (batch === undefined) return;
      const { logId, records, from, held, outcomes } = batch;
      batch = undefined;
      const end = from + records.length;
      let next = from;
      for (const range of [...held, { from: end, to: end }]) {
        const [low, high] = [next - from, range.from - from];
        if (high > low)
          await memory.add(logId, records.slice(low, high), outcomes.slice(low, high));
        next = range.to;
      }
      await memory.write();
    },
    end: memory.end,
  };
};

/** One a record, from the ranges that hold. */
const rememberedOf = ({
  records,
  from,
  held,
}: Batch): readonly (SignatureOutcome | undefined)[] => {
  const remembered: (SignatureOutcome | undefined)[] = records.map(() => undefined);
  for (const range of held)
    for (const [at, outcome] of range.outcomes.entries())
      remembered[range.from - from + at] = outcome;
  return remembered;
};

type Ahead = {
  /** The ranges that begin at `from` or later, at least as far as `to`. No two overlap. */
  readonly read: (
    logId: string,
    from: Position,
    to: Position,
  ) => Promise<readonly RememberedRange[]>;
  /** Those of them that lie in [from, to). */
  readonly within: (logId: string, from: Position, to: Position) => readonly RememberedRange[];
};

const readAheadRanges = 100;

/** Reads remembered ranges page by page. What is damaged is told, and as if it were not there. */
const openAhead = (aside: Aside, onDamage: (damage: WrongChecks, logId: string) => void): Ahead => {
  let of: string | undefined;
  let ranges: readonly RememberedRange[] = [];
  let lastKey: string | undefined;
  let isAll = false;

  const readPage = async (logId: string, after: string): Promise<void> => {
    const page = await aside.scan({
      prefix: rangesPrefix(logId),
      after,
      rowsMax: readAheadRanges,
    });
    isAll = !page.ok || page.value.length < readAheadRanges;
    if (!page.ok) return;
    for (const { key, value } of page.value) {
      lastKey = key;
      const range = readRange(key, value);
      const from = range?.from ?? Number(key.slice(rangesPrefix(logId).length));
      if (range !== undefined && range.from >= (ranges.at(-1)?.to ?? 0))
        ranges = [...ranges, range];
      if (range === undefined && Number.isSafeInteger(from))
        onDamage({ from, to: from, why: 'damaged' }, logId);
    }
  };

  return {
    read: async (logId, from, to) => {
      if (of !== logId) {
        of = logId;
        ranges = [];
        lastKey = rangeKey(logId, Math.max(0, from - 1));
        isAll = false;
      }
      ranges = ranges.filter((range) => range.from >= from);
      while (!isAll && (ranges.at(-1)?.from ?? -1) < to) await readPage(logId, lastKey ?? '');
      return ranges;
    },
    within: (logId, from, to) =>
      of === logId ? ranges.filter((range) => range.from >= from && range.to <= to) : [],
  };
};
