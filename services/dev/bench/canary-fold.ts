import { createHash } from 'node:crypto';
import { emptyPartition, foldSample } from '../../core/canary/analysis/fold-samples.ts';
import type { PartitionState } from '../../core/canary/analysis/fold-samples.ts';
import { judgeVersion } from '../../core/canary/judge/judge.ts';
import { noiseText } from '../../core/canary/judge/noise-text.ts';
import { presetEverywhere } from '../../core/canary/policy/placed-policy.ts';
import { policyText } from '../../core/canary/policy/policy-text.ts';
import { packDurations } from '../../core/samples/durations.ts';
import type {
  AnalysisOpened,
  Origin,
  Points,
  Sample,
  SamplePoint,
} from '../../core/samples/sample.ts';
import { exponentialOf, normals, usualDurations } from '../canary-climates/durations.ts';
import { seededRandom } from '../canary-climates/random.ts';
import type { Bench } from './bench.ts';

// What it costs to fold samples: of as many canaries as one partition of twelve has of a thousand. Each has two servers
// in either cohort, which export every second: requests that went well and requests that failed, each with exponential
// buckets, and two levels. Windows of five seconds close on the way, and all five metrics of the standard preset are
// judged.

const canaries = 83;
const seconds = 120;
const openedAt = 1_800_000_000_000;
const bounds: Points['bounds'] = [];

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const tools = { digest, partition: 0 };
const uuidOf = (name: string): string => {
  const hex = digest(name);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

const place = (canary: number) =>
  ({ audience: 'bench', environment: 'production', component: `service ${canary}` }) as const;

const policy = policyText(presetEverywhere);

const openingOf = (canary: number): AnalysisOpened => ({
  kind: 'analysis-opened',
  ...place(canary),
  analysis: uuidOf(`analysis ${canary}`),
  deployment: uuidOf(`deployment ${canary}`),
  attempt: 1,
  attemptToken: null,
  namespace: 'default',
  target: null,
  logPosition: 1,
  openedAt,
  canary: { version: '2.0.0', digest: null, deployment: uuidOf(`deployment ${canary}`) },
  canaryShare: 0.5,
  baseline: [{ version: '1.9.4', digest: null, deployment: uuidOf(`before ${canary}`) }],
  policy,
  policyDigest: digest(policy),
  judge: judgeVersion,
  noise: noiseText([
    { id: 'cpu', judged: 'level', variance: 0.002, batches: 72, note: 'measured' },
    { id: 'memory', judged: 'level', variance: 0.002, batches: 72, note: 'measured' },
  ]),
  noiseAgeMs: 0,
  carried: null,
  carriedFrom: null,
  independentAttempts: 1,
  comparison: 'concurrent',
  before: null,
});

const servers = ['1.9.4 a', '1.9.4 b', '2.0.0 a', '2.0.0 b'];
const metrics = ['http.server.request.duration', 'process.cpu.utilization', 'process.memory.usage'];

const originsOf: readonly Origin[] = servers.flatMap((instance) =>
  metrics.map((metric) => ({
    namespace: 'default',
    version: instance.slice(0, 5),
    deployment: null,
    instance,
    metric,
    temporality: 'cumulative' as const,
    unit: metric.startsWith('http') ? 's' : '1',
    target: null,
    attributes: [],
  })),
);

/** Of one canary; the others send the same. */
const exportsOf = (): readonly (readonly SamplePoint[])[] => {
  const normal = normals(seededRandom(7, 7));
  const counts = new Map<string, number[]>();
  return Array.from({ length: seconds }, (_, second) => {
    const time = openedAt + 1_000 * (second + 1);
    return originsOf.flatMap((origin, at): readonly SamplePoint[] => {
      const common = { origin: at, receivedAt: time + 50, time };
      if (origin.metric !== metrics[0])
        return [
          {
            ...common,
            series: digest(JSON.stringify(origin)),
            start: time,
            count: 0,
            errors: 0,
            level: 0.4 + 0.02 * normal(),
            durations: null,
            refused: null,
          },
        ];
      return [99, 1].map((requests) => {
        const series = digest(JSON.stringify([origin, requests]));
        const sum = counts.get(series) ?? Array<number>(160).fill(0);
        counts.set(series, sum);
        const more = exponentialOf(normal, requests, usualDurations, 1, 4);
        if (more.shape === 'exponential')
          for (const [index, count] of more.counts.entries()) {
            const bucket = more.offset + 140 + index;
            sum[bucket] = (sum[bucket] ?? 0) + count;
          }
        const count = sum.reduce((all, one) => all + one, 0);
        return {
          ...common,
          series,
          start: openedAt,
          count,
          errors: requests === 1 ? count : 0,
          level: null,
          durations: packDurations(
            { shape: 'exponential', scale: 4, zeroCount: 0, offset: -140, counts: sum },
            () => 0,
          ),
          refused: null,
        };
      });
    });
  });
};

let samples: readonly Sample[] = [];
let points = 0;
let [cpuMicros, folded] = [0, 0];
let last: PartitionState = emptyPartition;

const makeSamples = (): void => {
  const exported = exportsOf();
  points = canaries * exported.reduce((sum, { length }) => sum + length, 0);
  samples = [
    ...Array.from({ length: canaries }, (_, canary) => openingOf(canary)),
    ...exported.flatMap((ofSecond) =>
      Array.from({ length: canaries }, (_, canary): Points => ({
        kind: 'points',
        ...place(canary),
        origins: originsOf,
        points: ofSecond,
        bounds,
      })),
    ),
  ];
};

const foldAll = (): number => {
  const before = process.cpuUsage();
  let state = emptyPartition;
  for (const [position, sample] of samples.entries())
    ({ state } = foldSample(tools, state, sample, position));
  last = state;
  const { user, system } = process.cpuUsage(before);
  cpuMicros += user + system;
  folded += points;
  return points;
};

/** What a thousand such canaries would cost. */
const ofThousand = (): string => {
  const aSecond = (points / seconds / canaries) * 1_000;
  const share = (aSecond * (cpuMicros / folded)) / 1e6;
  return `1000 canaries whose servers export each second: ${aSecond} points a second, ${(100 * share).toFixed(0)} % of a core, the judging of windows of 5 s included`;
};

/** Bytes of JSON of one analysis, without what grows with its servers. */
const bytesOf = (state: PartitionState): string => {
  const [analysis] = Object.values(state.analyses);
  if (analysis === undefined) return 'nothing is judged';
  const bytes = (value: unknown): number => JSON.stringify(value).length;
  const { opening, pending, bases, judge, ...rest } = analysis;
  return `of one canary as JSON: judge ${bytes(judge)} bytes, which are the same for any number of servers; beside it, by servers and points: ${pending.length} waiting points ${bytes(pending)}, bases of streams ${bytes(bases)}; opening ${bytes(opening)}, the rest ${bytes(rest)}; ${judge?.nextIndex ?? 0} windows`;
};

export const canaryFold: Bench = {
  name: 'canary-fold',
  unit: 'point',
  open: async () => makeSamples(),
  alternatives: [{ name: `${canaries} canaries of five metrics`, run: foldAll }],
  ratios: [],
  notes: () => [
    `${points} points in ${seconds} s: ${points / seconds} a second`,
    ofThousand(),
    bytesOf(last),
  ],
};
