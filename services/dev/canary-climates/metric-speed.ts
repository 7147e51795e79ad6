import type { MetricEvidence, RuledJudge, WindowPlace } from '../../core/canary/metric-judge.ts';
import { latencyJudge } from '../../core/canary/metrics/latency.ts';
import { levelJudge } from '../../core/canary/metrics/level.ts';
import { ratesJudge } from '../../core/canary/metrics/rates.ts';
import { trafficJudge } from '../../core/canary/metrics/traffic.ts';
import { standardPreset } from '../../core/canary/policy.ts';
import type { StakeRules } from '../../core/canary/stakes.ts';
import type { WindowMark } from '../../core/canary/window.ts';
import { explicitOf, exponentialOf, normals, usualDurations } from './durations.ts';
import { binomial, poisson, seededRandom } from './random.ts';

// What one second of 1,000 canaries costs with ten metrics each: two rates, two latencies (one in exponential, one in
// explicit buckets), five levels, traffic. Windows of 1 s, 50 requests a second in either cohort. Prints CPU time.

const canaries = 1_000;
const seconds = 60;
const rounds = 5;
const requests = 50;

const stakes: StakeRules = { blockCapNats: 1.5, restarts: { count: 5, weightEach: 0.1 } };
const { tolerance, promoteTolerance, grids } = standardPreset;

const random = seededRandom(1, 1);
const normal = normals(random);

/** One metric of every canary; all see the same minute, again and again. */
const metricOf = <Rule, Shown, State extends MetricEvidence, Explained>(
  judge: RuledJudge<Rule, Shown & WindowMark, State, Explained>,
  rule: Rule,
  shown: () => Shown,
): ((canary: number, second: number, place: WindowPlace) => void) => {
  const windows = Array.from({ length: seconds }, (_, index) => ({
    ...shown(),
    index,
    startMs: index * 1_000,
  }));
  const states: State[] = Array.from({ length: canaries }, () => judge.initial(rule));
  return (canary, second, place) => {
    const window = windows[(second + canary) % seconds];
    const state = states[canary];
    if (window === undefined || state === undefined) return;
    states[canary] = judge.addWindow(rule, state, window, place);
  };
};

const durationsRule = {
  ...stakes,
  margin: 0.0443,
  promoteMargin: 0.139,
  tolerance: { relative: 1.1, absolute: 0.0005 },
  promoteTolerance: { relative: 1.25, absolute: 0.002 },
  phi: { tails: [2, 2, 2, 2], meanLog: 2 },
};
const rates = (): ReturnType<typeof metricOf> =>
  metricOf(
    ratesJudge,
    { ...stakes, tolerance, promoteTolerance, grids, prior: { rate: 0.005, total: 100 }, phi: 2 },
    () => ({
      canary: { total: requests, events: binomial(random, requests, 0.005) },
      baseline: { total: requests, events: binomial(random, requests, 0.005) },
    }),
  );
const level = (): ReturnType<typeof metricOf> =>
  metricOf(
    levelJudge,
    {
      ...stakes,
      worse: 'higher',
      margin: 0.1,
      promoteMargin: 0.2,
      variance: 0.005,
      windowsPerBatch: 60,
    },
    () => ({
      canary: { mean: 0.4 + 0.02 * normal(), series: 3 },
      baseline: { mean: 0.4 + 0.02 * normal(), series: 3 },
    }),
  );
const metrics = [
  rates(),
  rates(),
  metricOf(latencyJudge, durationsRule, () => ({
    canary: exponentialOf(normal, requests, usualDurations, 1, 4),
    baseline: exponentialOf(normal, requests, usualDurations, 1, 4),
  })),
  metricOf(latencyJudge, durationsRule, () => ({
    canary: explicitOf(normal, requests, usualDurations, 1),
    baseline: explicitOf(normal, requests, usualDurations, 1),
  })),
  ...Array.from({ length: 5 }, level),
  metricOf(
    trafficJudge,
    { ...stakes, least: 0.8, promoteLeast: 0.67, phi: 2, settleWindows: 30 },
    () => ({
      canary: poisson(random, requests),
      baseline: poisson(random, requests),
      canaryShare: 0.5,
    }),
  ),
];

for (let round = 0; round < rounds; round += 1) {
  const before = process.cpuUsage();
  for (let second = 0; second < seconds; second += 1) {
    const index = round * seconds + second;
    const place = {
      judged: index >= seconds,
      endsBlock: index % 15 === 14,
      beginsRestart: index > 0 && index % 300 === 0,
    };
    for (let canary = 0; canary < canaries; canary += 1)
      for (const judge of metrics) judge(canary, second, place);
  }
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1_000 / seconds;
  const what = round === 0 ? 'warm-up' : 'judged';
  process.stdout.write(
    `${what}: ${ms.toFixed(1)} ms of CPU for a second of ${canaries} canaries\n`,
  );
}
