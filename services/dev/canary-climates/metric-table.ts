import { parseArgs } from 'node:util';

import type { RuledJudge, WindowPlace } from '../../core/canary/judge/metric-judge.ts';
import { logRollbackIn } from '../../core/canary/judge/metric-judge.ts';
import { latencyJudge } from '../../core/canary/metrics/latency.ts';
import type { LatencyRule } from '../../core/canary/metrics/latency.ts';
import { levelJudge } from '../../core/canary/metrics/level.ts';
import type { LevelRule } from '../../core/canary/metrics/level.ts';
import type { StakeRules } from '../../core/canary/statistics/stakes.ts';
import { explicitOf, exponentialOf, normals, usualDurations } from './durations.ts';
import { addToOne, initialOne } from './one-metric.ts';
import type { Random } from './random.ts';
import { poisson, seededRandom } from './random.ts';

// One metric alone, judged for 30 minutes after its warm-up: how often the same program is held to be worse, and how
// soon a worse one is found. A small seeded run; the calibration of the whole judge is elsewhere.

const usage = `Usage: node services/dev/canary-climates/metric-table.ts [--runs N] [--only latency|level]

  --runs N   runs per row, 1 to 100000 (default 200)
  --only M   one metric alone`;

const windowMs = 5_000;
const warmUpWindows = 12;
const judgedWindows = 360;
const blockWindows = 3;
const restartWindows = 60;
const runsMax = 100_000;
const exitBadInput = 2;

type Row<Rule, Window> = {
  readonly name: string;
  readonly rule: Rule;
  /** ln of the evidence at which a canary is rolled back. */
  readonly needed: number;
  readonly begin: (random: Random) => () => Window;
};

/** Without cap and restarts, as each test was measured by itself. */
const bare: StakeRules = { blockCapNats: 1e9, restarts: { count: 0, weightEach: 0 } };
/** As in the presets. */
const robust: StakeRules = { blockCapNats: 1.5, restarts: { count: 5, weightEach: 0.03 } };

type DurationsWindow = Parameters<typeof latencyJudge.addWindow>[3];
type LevelWindow = Parameters<typeof levelJudge.addWindow>[3];

const latencyRule = (margin: number): LatencyRule => ({
  ...bare,
  margin,
  promoteMargin: 0.139,
  tolerance: { relative: 1, absolute: 0 },
  promoteTolerance: { relative: 1.25, absolute: 0.002 },
  fineBelowMs: 10,
  phi: { tails: [1, 1, 1, 1], meanLog: 1 },
  measuredAt: null,
});

const latencyRow = (
  name: string,
  canaryRps: number,
  baselineRps: number,
  slower: number,
  margin: number,
  buckets: 'scale 4' | 'scale 3' | 'explicit' = 'scale 4',
): Row<LatencyRule, DurationsWindow> => ({
  name: `latency ${name}, ${canaryRps}/${baselineRps} rps, ${buckets}, margin ${100 * margin} %`,
  rule: latencyRule(margin),
  needed: Math.log(100),
  begin: (random) => {
    const normal = normals(random);
    const draw = (rps: number, factor: number): DurationsWindow['canary'] => {
      const count = poisson(random, (rps * windowMs) / 1_000);
      return buckets === 'explicit'
        ? explicitOf(normal, count, usualDurations, factor)
        : exponentialOf(normal, count, usualDurations, factor, buckets === 'scale 3' ? 3 : 4);
    };
    return () => ({ canary: draw(canaryRps, slower), baseline: draw(baselineRps, 1) });
  },
});

const latencyRows: readonly Row<LatencyRule, DurationsWindow>[] = [
  latencyRow('same', 50, 50, 1, 0),
  latencyRow('same', 5, 45, 1, 0),
  latencyRow('same', 5, 5, 1, 0),
  latencyRow('same', 50, 50, 1, 0, 'explicit'),
  latencyRow('+10 %', 50, 50, 1.1, 0),
  latencyRow('+25 %', 50, 50, 1.25, 0),
  latencyRow('+10 %', 50, 50, 1.1, 0.0443),
  latencyRow('+25 %', 50, 50, 1.25, 0.0443),
  latencyRow('+25 %', 50, 50, 1.25, 0.0443, 'scale 3'),
  latencyRow('+25 %', 5, 45, 1.25, 0),
  latencyRow('+25 %', 5, 5, 1.25, 0),
  latencyRow('+10 %', 50, 50, 1.1, 0, 'explicit'),
  latencyRow('+25 %', 50, 50, 1.25, 0, 'explicit'),
];

/** Noise of either cohort, as a share of its level; both feel the load. */
const levelDeviation = 0.05;

const levelRow = (
  name: string,
  like: number,
  factor: number,
  margin: number,
  isKnown: boolean,
): Row<LevelRule, LevelWindow> => ({
  name:
    `level ${name}, noise like the last by ${like}, margin ${100 * margin} %, ` +
    (isKnown ? 'history' : 'no history'),
  rule: {
    ...robust,
    worse: 'higher',
    growsWithRequests: true,
    margin,
    promoteMargin: margin + 0.1,
    variance: isKnown ? (2 * levelDeviation ** 2 * (1 + like)) / (1 - like) : null,
    windowsPerBatch: 60_000 / windowMs,
  },
  // Of a weight of .1 in a family that needs 1 : 200.
  needed: Math.log(2_000),
  begin: (random) => {
    const normal = normals(random);
    const fresh = Math.sqrt(1 - like * like) * levelDeviation;
    let canary = levelDeviation * normal();
    let baseline = levelDeviation * normal();
    let load = 0;
    return () => {
      canary = like * canary + fresh * normal();
      baseline = like * baseline + fresh * normal();
      load = 0.95 * load + 0.05 * normal();
      const shared = 0.4 * Math.exp(load);
      return {
        canary: { mean: Math.max(0, shared * factor * (1 + canary)), series: 3 },
        baseline: { mean: Math.max(0, shared * (1 + baseline)), series: 3 },
      };
    };
  },
});

const levelRows: readonly Row<LevelRule, LevelWindow>[] = [0, 0.8, 0.95].flatMap((like) => [
  levelRow('same', like, 1, 0, false),
  levelRow('same', like, 1, 0.05, false),
  levelRow('same', like, 1, 0, true),
  levelRow('+10 %', like, 1.1, 0.05, false),
  levelRow('+25 %', like, 1.25, 0.1, false),
  levelRow('+10 %', like, 1.1, 0.05, true),
  levelRow('+25 %', like, 1.25, 0.1, true),
]);

const placeOf = (index: number): WindowPlace => ({
  index,
  startMs: index * windowMs,
  judged: index >= warmUpWindows,
  endsBlock: (index + 1) % blockWindows === 0,
  beginsRestart: index > 0 && index % restartWindows === 0,
});

const tell = <Rule, Window, Rest, Explained>(
  judge: RuledJudge<Rule, Window, Rest, Explained>,
  row: Row<Rule, Window>,
  stream: number,
  runs: number,
): void => {
  const delays: number[] = [];
  const promotions: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const next = row.begin(seededRandom(1, stream * runsMax + run));
    let state = initialOne(judge, row.rule);
    let promotedAt: number | undefined;
    for (let index = 0; index < warmUpWindows + judgedWindows; index += 1) {
      state = addToOne(judge, row.rule, state, next(), placeOf(index));
      const judgedSeconds = ((index + 1 - warmUpWindows) * windowMs) / 1_000;
      if (judge.logPromote(row.rule, state) >= Math.log(20)) promotedAt ??= judgedSeconds;
      if (logRollbackIn(state) < row.needed) continue;
      delays.push(judgedSeconds);
      break;
    }
    if (promotedAt !== undefined) promotions.push(promotedAt);
  }
  const shown = [
    row.name.padEnd(74),
    `worse ${share(delays, runs)} ${quantiles(delays, runs)}`.padEnd(30),
    `good ${share(promotions, runs)} ${quantiles(promotions, runs)}`,
  ];
  process.stdout.write(`${shown.join('').trimEnd()}\n`);
};

const share = (found: readonly number[], runs: number): string =>
  `${((100 * found.length) / runs).toFixed(2)} %`;

/** Median and 90 % quantile over all runs, in seconds; `-`: not found in as many. */
const quantiles = (found: readonly number[], runs: number): string => {
  const ascending = found.toSorted((left, right) => left - right);
  const at = (quantile: number): string => String(ascending[Math.ceil(quantile * runs) - 1] ?? '-');
  return found.length === 0 ? '' : `${at(0.5)}/${at(0.9)} s`;
};

const main = (): void => {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '200' }, only: { type: 'string' } },
  });
  const runs = /^\d+$/.test(values.runs) ? Number(values.runs) : 0;
  const isKnownMetric = values.only === undefined || ['latency', 'level'].includes(values.only);
  if (runs < 1 || runs > runsMax || !isKnownMetric) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = exitBadInput;
    return;
  }
  if (values.only !== 'level')
    for (const [stream, row] of latencyRows.entries()) tell(latencyJudge, row, stream, runs);
  if (values.only !== 'latency')
    for (const [stream, row] of levelRows.entries()) tell(levelJudge, row, 100 + stream, runs);
};

main();
