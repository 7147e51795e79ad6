import type { PendingPoint } from '../../../services/core/canary/windows/cohort-windows.ts';
import type { Durations } from '../../../services/core/canary/windows/durations.ts';
import { waitingFrom } from '../../../services/core/canary/windows/waiting-durations.ts';
import type { MetricPolicy } from '../../../services/core/canary/policy/policy.ts';

// Points that wait for a window, and a policy with one metric of each kind.

export const openedAtMs = 1_800_000_000_000;
export const windowMs = 5_000;
export const httpDuration = 'http.server.request.duration';
export const cpu = 'process.cpu.utilization';

const line = { relative: 1.1, absolute: 0.0005 };
const http = { names: [httpDuration, 'http.server.duration'], where: [] };
const common = { weight: 1, critical: true };

export const metrics: readonly MetricPolicy[] = [
  {
    ...common,
    id: 'errors',
    judged: 'errors',
    source: http,
    errors: null,
    tolerance: line,
    promoteTolerance: line,
  },
  {
    ...common,
    id: 'latency',
    judged: 'latency',
    source: http,
    slower: 1.09,
    promoteSlower: 1.2,
    tolerance: line,
    promoteTolerance: line,
    fineBelowMs: 10,
  },
  {
    ...common,
    id: 'cpu',
    judged: 'level',
    source: { names: [cpu], where: [] },
    worse: 'higher',
    margin: 0.1,
    promoteMargin: 0.2,
  },
  { ...common, id: 'traffic', judged: 'traffic', source: http, least: 0.8, promoteLeast: 0.7 },
];

/** A point with its buckets as they are read. */
export type GivenPoint = Omit<PendingPoint, 'durations'> & { readonly durations: Durations | null };

/** A delta of the canary that judges everything of requests. */
export const requests = ({
  durations = null,
  ...change
}: Partial<GivenPoint> = {}): PendingPoint => ({
  cohort: 'canary',
  sender: 'pod',
  instance: 'pod',
  name: httpDuration,
  unit: 's',
  series: 'a',
  temporality: 'delta',
  startMs: openedAtMs,
  timeMs: openedAtMs + 1_000,
  delayMs: 0,
  judgedAs: [0, 1, 3].map((metric) => ({ metric, fails: null })),
  count: 0,
  errors: 0,
  level: 0,
  durations: durations && waitingFrom(durations),
  ...change,
});

export const level = (change: Partial<Omit<PendingPoint, 'durations'>> = {}): PendingPoint => ({
  ...requests(),
  name: cpu,
  unit: '1',
  series: 'cpu',
  temporality: null,
  startMs: change.timeMs ?? openedAtMs + 1_000,
  judgedAs: [{ metric: 2, fails: null }],
  ...change,
});

const bounds = [0.1, 0.5];
export const explicit = (fast: number, usual: number, slow: number): Durations => ({
  shape: 'explicit',
  bounds,
  counts: [fast, usual, slow],
});

export const exponential = (
  scale: number,
  offset: number,
  counts: readonly number[],
  zeroCount: number = 0,
): Extract<Durations, { readonly shape: 'exponential' }> => ({
  shape: 'exponential',
  scale,
  zeroCount,
  offset,
  counts,
});
