import { cells, isGood, isMargin } from '../cells.ts';
import type { Cell } from '../cells.ts';
import { goalRuns } from '../goals.ts';
import type { JudgePlug } from '../judge-plug.ts';
import { judges } from '../judges.ts';
import type { Line } from './line.ts';
import type { Row } from './rows.ts';
import { afterRequestsOf, quantileOf } from '../tally.ts';
import { baseName, percent } from './tables.ts';

// What the judge is held against beside the published tables.

const coreTimesBound = 1.6;
/** Where a tenth of the requests is slower, the nearest good canary differs in the tail alone. */
const tailTimesBound = 1.8;
const presetTimesBound = 4;
const warmUpSeconds = 60;
/** Shorter bounds drown in the length of the windows: then six windows count. */
const boundSecondsMin = 20;
const shortSecondsMax = 30;
const deadlineSeconds = 1_800;
/** A judge that rolls back more good canaries than this buys its power. */
const peerFalseShareMax = 0.01;
const standardErrors = 2;

type Seen = (judge: string, cell: string) => Row | undefined;

export const goalLines = (rows: readonly Row[]): readonly Line[] => {
  const seen: Seen = (judge, cell) =>
    rows.find((row) => baseName(row.judge) === judge && row.cell.name === cell);
  return [
    ...falseRollbacks(seen),
    ...coreDelays(seen),
    ...presetDelays(seen),
    ...power(seen),
    ...speed(seen),
    ...promotion(seen),
  ];
};

const lineOf = (
  list: string,
  what: string,
  wanted: string,
  row: Row | undefined,
  check: (row: Row) => { readonly seen: string; readonly isMet: boolean },
  isBeyond = false,
): Line =>
  row === undefined
    ? { list, what, wanted, seen: 'no runs yet', isMet: false, isBeyond }
    : { list, what, wanted, ...check(row), isBeyond };

/** A climate of our own. */
const isGrown = ({ climate }: Cell): boolean => climate.name === 'grown';

/**
 * Whether the tables have a least time there: errors wherever there is traffic, latency without a margin or with 4.4 %,
 * and a slow tenth at 50/50 alone.
 */
const hasPublishedBound = (judge: JudgePlug, { traffic, truth }: Cell): boolean => {
  const name = baseName(judge);
  const place = `${traffic.canaryRps}/${traffic.baselineRps}`;
  if (name.startsWith('errors')) return traffic.canaryRps >= 1;
  if (truth.latency.part > 0 && place !== '50/50') return false;
  return (
    name === 'latency core' || (name === 'latency core 4.4 %' && /^50\/50$|^5\/45$/u.test(place))
  );
};

/** Every judge that makes a promise, in every climate. */
const falseRollbacks = (seen: Seen): readonly Line[] =>
  judges.flatMap((judge) => {
    const share = judge.falseRollbackShareMax;
    if (share === null) return [];
    return cells
      .filter(({ isPromised }) => isPromised)
      .map((cell) => {
        const runsMin = goalRuns(cell, judge);
        return lineOf(
          'Good canaries rolled back, looking after every window',
          `${baseName(judge)}: ${cell.name}`,
          `at most ${percent(share)} (95 % limit), ${runsMin} runs`,
          seen(baseName(judge), cell.name),
          ({ summary: { runs, rolledBack } }) => ({
            seen: `${rolledBack.runs} of ${runs}, at most ${percent(rolledBack.upper95)}`,
            isMet: runs >= runsMin && rolledBack.upper95 <= share,
          }),
          isGrown(cell),
        );
      });
  });

const isRegression = (cell: Cell): boolean => !isGood(cell) && !isMargin(cell);

/** The tests by themselves, between buckets that hide nothing; where a median by the deadline can be told. */
const coreDelays = (seen: Seen): readonly Line[] =>
  judges
    .filter(({ name }) => /^(errors|latency) core/u.test(name) && !name.includes('explicit'))
    .flatMap((judge) =>
      cells
        .filter((cell) => isRegression(cell) && judge.isTriedIn(cell))
        .flatMap((cell) => {
          const times = cell.truth.latency.part > 0 ? tailTimesBound : coreTimesBound;
          return delayLine(
            'The core tests beside the least time (Wald)',
            seen,
            judge,
            cell,
            times,
            0,
            !hasPublishedBound(judge, cell),
          );
        }),
    );

/** In plain weather, after the warm-up; the bound is that of the half of alpha for looking after every window. */
const presetDelays = (seen: Seen): readonly Line[] =>
  judges
    .filter(({ name }) => /^(standard|sensitive) /u.test(name))
    .flatMap((judge) =>
      cells
        .filter((cell) => isRegression(cell) && cell.climate.name === 'iid')
        .flatMap((cell) =>
          delayLine(
            'The presets after the warm-up beside the least time',
            seen,
            judge,
            cell,
            presetTimesBound,
            warmUpSeconds,
          ),
        ),
    );

const delayLine = (
  list: string,
  seen: Seen,
  judge: JudgePlug,
  cell: Cell,
  times: number,
  fromSeconds: number,
  isBeyond = false,
): readonly Line[] => {
  const bound = judge.boundSeconds(cell);
  if (bound === null) return [];
  const isShort = bound < boundSecondsMin;
  // The presets gain at most so much a block: a time in windows is not theirs.
  if (isShort && fromSeconds > 0) return [];
  const secondsMax = isShort ? shortSecondsMax : times * bound;
  // Half of the runs may go beyond the deadline then.
  if (fromSeconds + secondsMax > deadlineSeconds) return [];
  return [
    lineOf(
      list,
      `${baseName(judge)}: ${cell.name}`,
      isShort
        ? `median at most ${shortSecondsMax} s`
        : `median at most ${times}x ${bound.toFixed(1)} s`,
      seen(baseName(judge), cell.name),
      ({ tally }) => {
        // A warm-up begins with the first requests.
        const at = fromSeconds > 0 ? afterRequestsOf(tally) : tally.rolledBackAt;
        const medianSeconds = quantileOf(at, tally.runs, 0.5);
        if (medianSeconds === null) return { seen: 'not found by half', isMet: false };
        const after = medianSeconds - fromSeconds;
        return {
          seen: `${after} s, ${(after / bound).toFixed(2)}x`,
          isMet: after <= secondsMax,
        };
      },
      isBeyond,
    ),
  ];
};

/** At the deadline, against the Mann-Whitney judge that looks once, wherever that one keeps 1 %. */
const power = (seen: Seen): readonly Line[] => {
  const list = 'Found by the deadline, beside the Mann-Whitney judge at the end';
  const beside = cells.filter(isRegression).flatMap((cell) => {
    const good = cells.find(
      (each) => isGood(each) && each.climate === cell.climate && each.traffic === cell.traffic,
    );
    const peer = seen('kayenta at the end', cell.name);
    const peerGood = good && seen('kayenta at the end', good.name);
    if (peer === undefined || peerGood === undefined) return [];
    if (peerGood.summary.rolledBack.share > peerFalseShareMax) return [];
    const { rolledBack, runs } = peer.summary;
    return [
      lineOf(
        list,
        `sensitive: ${cell.name}`,
        `at least ${percent(rolledBack.share)}`,
        seen('sensitive', cell.name),
        ({ summary }) => {
          const own = summary.rolledBack;
          const pooled = (own.runs + rolledBack.runs) / (summary.runs + runs);
          const error = Math.sqrt(pooled * (1 - pooled) * (1 / summary.runs + 1 / runs));
          return {
            seen: percent(own.share),
            isMet: own.share >= rolledBack.share - standardErrors * error,
          };
        },
        isGrown(cell),
      ),
    ];
  });
  const atLeast = (judge: string, cell: string, share: number): Line =>
    lineOf(
      list,
      `${judge}: ${cell}`,
      `at least ${percent(share)}`,
      seen(judge, cell),
      ({ summary: { rolledBack } }) => ({
        seen: percent(rolledBack.share),
        isMet: rolledBack.share >= share,
      }),
    );
  return [
    ...beside,
    atLeast('sensitive', 'iid 5/5, errors 1 %', 0.8),
    atLeast('sensitive', 'iid 5/45, errors 1 %', 0.95),
    atLeast('standard', 'iid 0.2/1.8, errors 5 %', 0.8),
  ];
};

/** From the start, warm-up included, where there are 50 requests a second. */
const speed = (seen: Seen): readonly Line[] =>
  ['50/50', '50/450'].flatMap((traffic) =>
    (
      [
        ['errors 2 %', 150, 180],
        ['errors 5 %', 125, null],
        ['latency +25 %', 145, null],
        ['latency +100 %', 130, null],
      ] as const
    ).map(([truth, medianMax, p90Max]) =>
      lineOf(
        'The standard preset from the start, warm-up included',
        `standard: iid ${traffic}, ${truth}`,
        `median at most ${medianMax} s${p90Max === null ? '' : `, 90th percentile ${p90Max} s`}`,
        seen('standard', `iid ${traffic}, ${truth}`),
        ({ summary: { rolledBack } }) => ({
          seen: `${rolledBack.medianSeconds ?? '-'}/${rolledBack.p90Seconds ?? '-'} s`,
          isMet:
            (rolledBack.medianSeconds ?? Infinity) <= medianMax &&
            (rolledBack.p90Seconds ?? Infinity) <= (p90Max ?? Infinity),
        }),
      ),
    ),
  );

const promotion = (seen: Seen): readonly Line[] => {
  const list = 'Promotion';
  const soonMax = 310;
  const soon = ['50/50', '50/450'].map((traffic) =>
    lineOf(
      list,
      `standard: iid ${traffic}`,
      `median at most ${soonMax} s`,
      seen('standard', `iid ${traffic}`),
      ({ summary: { promoted } }) => ({
        seen: `${promoted.medianSeconds ?? '-'} s`,
        isMet: (promoted.medianSeconds ?? Infinity) <= soonMax,
      }),
    ),
  );
  const shareLine = (judge: string, cell: string, share: number, atMost: boolean): Line =>
    lineOf(
      list,
      `${judge}: ${cell}`,
      `${atMost ? 'at most' : 'at least'} ${percent(share)} promoted`,
      seen(judge, cell),
      ({ summary: { promoted } }) => ({
        seen: percent(promoted.share),
        isMet: atMost ? promoted.share <= share : promoted.share >= share,
      }),
    );
  const onMargins = judges
    .filter(({ looksFor }) => looksFor === 'promotion')
    .flatMap((judge) =>
      cells
        .filter((cell) => isMargin(cell) && judge.isTriedIn(cell))
        .map((cell) => shareLine(baseName(judge), cell.name, 0.05, true)),
    );
  const twiceAsBad = ['50/50', '50/450', '5/45', '5/5'].map((traffic) =>
    shareLine('standard', `iid ${traffic}, errors 1 %`, 0.015, true),
  );
  return [...soon, shareLine('standard', 'iid 5/45', 0.8, false), ...onMargins, ...twiceAsBad];
};
