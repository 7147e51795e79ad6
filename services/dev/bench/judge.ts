import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { initialFamily, judgeWindow } from '../../core/canary/judge/judge.ts';
import type { JudgedWindow, MetricWindow } from '../../core/canary/judge/judged-window.ts';
import type { MetricNoise } from '../../core/canary/judge/noise.ts';
import type { FamilyRule } from '../../core/canary/judge/rule.ts';
import type { FamilyState } from '../../core/canary/judge/state.ts';
import { familyRuleOf } from '../../core/canary/policy/family-rule.ts';
import type { MetricPolicy } from '../../core/canary/policy/policy.ts';
import { presetMetric, presets } from '../../core/canary/policy/presets.ts';
import {
  explicitOf,
  exponentialOf,
  normals,
  usualDurations,
} from '../canary-climates/durations.ts';
import { binomial, poisson, seededRandom } from '../canary-climates/random.ts';
import type { SaidCounts } from '../../core/canary/statistics/rate-counts.ts';
import type { Bench } from './bench.ts';

// What it costs to judge a window of 1,000 canaries, by kind of metric and with ten metrics each: two rates, two
// latencies (exponential and explicit buckets), five levels, traffic. 50 requests a second in either cohort. It is the
// evidence alone, garbage collection included: what comes before is `otlp-decode` and `canary-fold`.

const canaries = 1_000;
/** Of window 0: as long a number as it is in life. */
const beganAtMs = 1_800_000_000_000;
/** All canaries see the same minute, again and again, each from another second on. */
const minute = 60;
const requests = 50;
const windowMs = 1_000;
const blockWindows = presets.standard.blockMs / windowMs;

const random = seededRandom(1, 1);
const normal = normals(random);

const errors = (): MetricWindow => ({ judged: 'errors', canary: failed(), baseline: failed() });
/** Every request says by its status how it ended, as HTTP servers do. */
const failed = (): SaidCounts => {
  const events = binomial(random, requests, 0.005);
  const said = { good: requests - events, by: 'http.response.status_code' };
  return { total: requests, events, said };
};
const exponential = (): MetricWindow => ({
  judged: 'latency',
  canary: exponentialOf(normal, requests, usualDurations, 1, 4),
  baseline: exponentialOf(normal, requests, usualDurations, 1, 4),
});
const explicit = (): MetricWindow => ({
  judged: 'latency',
  canary: explicitOf(normal, requests, usualDurations, 1),
  baseline: explicitOf(normal, requests, usualDurations, 1),
});
const level = (): MetricWindow => ({
  judged: 'level',
  canary: { mean: 0.4 + 0.02 * normal(), series: 3 },
  baseline: { mean: 0.4 + 0.02 * normal(), series: 3 },
});
const traffic = (): MetricWindow => ({
  judged: 'traffic',
  canary: poisson(random, requests),
  baseline: poisson(random, requests),
});

type Draw = () => MetricWindow;

type Judging = {
  readonly run: () => number;
  /** Of one canary, in the window of a block in which they are most. */
  readonly stateBytes: () => number;
  /** The last question: it ends them. */
  readonly heapBytes: () => number;
  /** Of a window of one canary, so far. */
  readonly cpuMicros: () => number;
};

/** Takes the next window of every canary in, and answers how many those were. Nothing ends: nothing is decided. */
const judging = (draws: readonly Draw[]): Judging => {
  const windows = Array.from({ length: minute }, () => draws.map((draw) => draw()));
  const rule = ruleOf(windows[0] ?? []);
  const states: FamilyState[] = Array.from({ length: canaries }, () => initialFamily(rule));
  let second = 0;
  let [used, judged] = [0, 0];
  const run = (): number => {
    const before = process.cpuUsage();
    for (let canary = 0; canary < canaries; canary += 1) {
      const state = states[canary];
      const metrics = windows[(second + canary) % minute];
      if (state === undefined || metrics === undefined) continue;
      const startMs = beganAtMs + second * windowMs;
      const window: JudgedWindow = { index: second, startMs, canaryShare: 0.5, metrics };
      states[canary] = judgeWindow(rule, state, window);
    }
    second += 1;
    const { user, system } = process.cpuUsage(before);
    // In the warm-up nothing is judged yet.
    if (second > minute) [used, judged] = [used + user + system, judged + canaries];
    return canaries;
  };
  for (let warmUp = 0; warmUp < minute; warmUp += 1) run();
  const stateBytes = (): number => {
    const bytes = Array.from({ length: blockWindows }, () => {
      run();
      return JSON.stringify(states[0]).length;
    });
    return Math.max(...bytes);
  };
  const heapBytes = (): number => {
    const before = heapUsed();
    states.length = 0;
    return (before - heapUsed()) / canaries;
  };
  return { run, stateBytes, heapBytes, cpuMicros: () => used / judged };
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapUsed = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

const ruleOf = (shown: readonly MetricWindow[]): FamilyRule => {
  const metrics = shown.map(({ judged }, index): MetricPolicy => ({
    ...presetMetric(presets.standard, judged),
    id: `${judged} ${index}`,
  }));
  const policy = { ...presets.standard, metrics, warmUpMs: minute * windowMs };
  const rule = familyRuleOf(policy, metrics.map(noiseOf), windowMs);
  return { ...rule, alphaAnytime: 1e-300, beta: 0, deadlineMs: Number.MAX_SAFE_INTEGER };
};

/** Of a history of six hours with the same traffic. */
const noiseOf = ({ id, judged }: MetricPolicy): MetricNoise => {
  const known = { id, batches: 72, note: 'measured' } as const;
  const phi = 1.1;
  switch (judged) {
    case 'errors':
      return { ...known, judged, phi, weight: batchWeight };
    case 'latency':
      return {
        ...known,
        judged,
        phi: { tails: [phi, phi, phi, phi], meanLog: phi },
        weight: batchWeight,
      };
    case 'level':
      return { ...known, judged, variance: 0.005 };
    case 'traffic':
      return { ...known, judged, phi };
  }
};
/** 1 / (1/n_c + 1/n_b) of five minutes. */
const batchWeight = (300 * requests) / 2;

const all = 'ten metrics';
const kinds: readonly (readonly [name: string, draws: readonly Draw[]])[] = [
  ['errors', [errors]],
  ['latency, exponential buckets', [exponential]],
  ['latency, explicit buckets', [explicit]],
  ['level', [level]],
  ['traffic', [traffic]],
  ['five metrics, of the preset', [errors, exponential, level, level, traffic]],
  [all, [errors, errors, exponential, explicit, level, level, level, level, level, traffic]],
];

const opened = new Map<string, ReturnType<typeof judging>>();
const judgeNamed = (name: string, draws: readonly Draw[]): ReturnType<typeof judging> => {
  const known = opened.get(name) ?? judging(draws);
  opened.set(name, known);
  return known;
};

export const judge: Bench = {
  name: 'judge',
  unit: 'window of one canary',
  alternatives: kinds.map(([name, draws]) => ({ name, run: () => judgeNamed(name, draws).run() })),
  ratios: [{ name: 'judge ten metrics / level', of: all, over: 'level' }],
  notes: () => [
    ...[...opened].map(
      ([name, { stateBytes, heapBytes }]) =>
        `${name}: ${stateBytes()} bytes of state as JSON, ${heapBytes().toFixed(0)} on the heap`,
    ),
    ...[1, 5].map((seconds) => {
      const micros = opened.get(all)?.cpuMicros() ?? NaN;
      const ms = (micros * canaries) / 1_000 / seconds;
      return `${canaries} canaries of ten metrics, windows of ${seconds} s: ${ms.toFixed(1)} ms a second, ${(ms / 10).toFixed(1)} % of a core`;
    }),
  ],
};
