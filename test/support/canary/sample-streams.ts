import { canonicalJson } from '../../../services/core/canonical.ts';
import type { Json } from '../../../services/core/canonical.ts';
import type { AnalysisTools } from '../../../services/core/canary/analysis/analysis-state.ts';
import { emptyPartition, foldSample } from '../../../services/core/canary/analysis/fold-samples.ts';
import type { PartitionState } from '../../../services/core/canary/analysis/fold-samples.ts';
import type { ClosedWindow } from '../../../services/core/canary/analysis/analysis-state.ts';
import { judgeVersion } from '../../../services/core/canary/judge/judge.ts';
import { anyName } from '../../../services/core/canary/policy/placed-policy.ts';
import type { PlacedPolicy } from '../../../services/core/canary/policy/placed-policy.ts';
import { policyText } from '../../../services/core/canary/policy/policy-text.ts';
import type { Policy } from '../../../services/core/canary/policy/policy.ts';
import { presets } from '../../../services/core/canary/policy/presets.ts';
import type { Decided } from '../../../services/core/markers/marker.ts';
import type {
  Copy,
  AnalysisOpened,
  Origin,
  Points,
  Sample,
  SamplePoint,
  Tick,
} from '../../../services/core/samples/sample.ts';
import type { PointRefusal, Temporality } from '../../../services/core/telemetry/point.ts';
import { createCrypto } from '../../../services/adapters/ed25519/crypto.ts';
import { createText } from '../../../services/adapters/ed25519/text.ts';
import { withSenderDigit } from '../../../services/core/telemetry/series-sender.ts';
import { packDurations } from '../../../services/core/samples/durations.ts';

const crypto = createCrypto();
const encoding = createText();

export const tools: AnalysisTools = {
  digest: (content) => crypto.sha256Hex(encoding.encodeUtf8(content)),
  partition: 3,
};

/** Everything as in the standard preset, in seconds instead of minutes. */
export const fullPolicy: Policy = {
  ...presets.standard,
  windowMs: 1_000,
  warmUpMs: 2_000,
  soakMs: 6_000,
  deadlineMs: 60_000,
  bakeMs: 600_000,
  blockMs: 3_000,
  noDataMs: 8_000,
  restarts: { everyMs: 20_000, count: 2, weightEach: 0.1 },
};

/** Of errors alone. */
export const fastPolicy: Policy = {
  ...fullPolicy,
  metrics: fullPolicy.metrics.filter(({ judged }) => judged === 'errors'),
};

/** The policy of every place. */
export const everywhere = (policy: Policy): PlacedPolicy => ({
  component: anyName,
  environment: anyName,
  preset: 'standard',
  policy,
});

export const openedAt = 1_800_000_000_000;
export const deployment = '6f1c1a52-0000-8000-8000-000000000001';
export const olderDeployment = '6f1c1a52-0000-8000-8000-000000000002';
const place = { audience: 'local', environment: 'production', component: 'checkout' } as const;

export const opening = (
  change: Partial<AnalysisOpened> = {},
  policy: Policy = fastPolicy,
): AnalysisOpened => {
  const text = policyText(everywhere(policy));
  return {
    kind: 'analysis-opened',
    ...place,
    analysis: '6f1c1a52-0000-8000-8000-00000000000a',
    deployment,
    attempt: 1,
    attemptToken: 'run-1',
    namespace: 'default',
    target: null,
    logPosition: 7,
    openedAt,
    canary: { version: '2.0.0', digest: null, deployment },
    canaryShare: 0.1,
    baseline: [{ version: '1.9.4', digest: null, deployment: olderDeployment }],
    policy: text,
    policyDigest: tools.digest(text),
    judge: judgeVersion,
    noise: '[]',
    noiseAgeMs: null,
    carried: null,
    carriedFrom: null,
    independentAttempts: 1,
    comparison: 'concurrent',
    before: null,
    ...change,
  };
};

/** A server that counts requests, ok and failed, and exports them. Times are from the opening, milliseconds. */
export type Pod = {
  readonly name: string;
  readonly version: string | null;
  readonly deployment?: string;
  readonly namespace?: string;
  readonly temporality: Temporality;
  /** When it began to count, and what it had counted before its first export here. */
  readonly startMs: number;
  readonly already?: number;
  readonly exportEveryMs: number;
  readonly firstExportMs: number;
  readonly lastExportMs: number;
  /** When it starts again and counts from zero. */
  readonly restartMs?: number;
  /** Whether the restart can only be seen by the value that falls. */
  readonly restartsInSilence?: boolean;
  /** Whether it has no `service.instance.id`: others may send under its name. */
  readonly hasNoId?: boolean;
  /** Whether all its deltas name the start of the process. */
  readonly startStays?: boolean;
  /** How far its clock is ahead. */
  readonly clockAheadMs?: number;
  readonly delayMs?: (exportIndex: number) => number;
  /** Requests and errors of export `index`, since the one before. */
  readonly traffic: (index: number) => readonly [requests: number, errors: number];
  /** Into how many series (routes) its requests are split. */
  readonly routes?: number;
  /** Shares of its requests by how long they took, in the buckets of `bounds`; the rest is in the first. */
  readonly slowness?: (index: number) => readonly number[];
  /** Share of a processor that it used by export `index`. */
  readonly cpu?: (index: number) => number;
  /** The failed requests of every so many exports cannot be counted; 0: all can. */
  readonly refusedEvery?: number;
  readonly target?: string;
};

/** Requests of one export. */
export const busy = 500;

/** A server of the old version that has run for a minute, and exports every second for fifty. */
export const baselinePod = (change: Partial<Pod> = {}): Pod => ({
  name: 'baseline',
  version: '1.9.4',
  temporality: 'cumulative',
  startMs: -60_000,
  already: 5_000,
  exportEveryMs: 1_000,
  firstExportMs: 500,
  lastExportMs: 50_500,
  traffic: () => [busy, 0],
  ...change,
});

/** One of the new version, which began with the canary. */
export const canaryPod = (change: Partial<Pod> = {}): Pod =>
  baselinePod({ name: 'canary', version: '2.0.0', startMs: 100, already: 0, ...change });

/** Seconds. */
export const bounds: readonly number[] = [0.1, 0.25, 0.5, 1];

/** A point on its way, with its sender. */
export type Sent = { readonly origin: Origin; readonly point: SamplePoint };

/** The requests of a pod as those that nobody could count. */
export const asRefused =
  (
    pod: string,
    isRefused: (point: SamplePoint, index: number) => boolean = () => true,
    reason: PointRefusal = 'count-invalid',
  ) =>
  (sent: Sent, index: number): Sent =>
    sent.origin.instance === pod && sent.point.level === null && isRefused(sent.point, index)
      ? {
          ...sent,
          point: { ...sent.point, count: 0, errors: 0, durations: null, refused: reason },
        }
      : sent;

/** All exports of the pods, in the order of their receipt. */
export const exportsOf = (pods: readonly Pod[]): readonly Sent[] =>
  pods
    .flatMap(exportsOfPod)
    .toSorted((left, right) => left.point.receivedAt - right.point.receivedAt);

const exportsOfPod = (pod: Pod): readonly Sent[] => {
  const sender = {
    namespace: pod.namespace ?? 'default',
    version: pod.version,
    deployment: pod.deployment ?? null,
    instance: pod.name,
    target: pod.target ?? null,
    attributes: [],
  };
  const ofRequests: Origin = {
    ...sender,
    metric: 'http.server.request.duration',
    temporality: pod.temporality,
    unit: 's',
  };
  const ofCpu: Origin = {
    ...sender,
    metric: 'process.cpu.utilization',
    temporality: 'cumulative',
    unit: '1',
  };
  const routes = pod.routes ?? 1;
  const sent: Sent[] = [];
  const totals = { ok: pod.already ?? 0, failed: 0 };
  const buckets = new Map<string, readonly number[]>();
  let start = pod.startMs;
  let previous = pod.startMs;
  for (
    let at = pod.firstExportMs, index = 0;
    at <= pod.lastExportMs;
    at += pod.exportEveryMs, index++
  ) {
    const [requests, errors] = pod.traffic(index);
    const now = { ok: requests - errors, failed: errors };
    if (pod.restartMs !== undefined && previous < pod.restartMs && at >= pod.restartMs) {
      totals.ok = 0;
      totals.failed = 0;
      buckets.clear();
      if (pod.restartsInSilence !== true) start = pod.restartMs;
    }
    const receivedAt = openedAt + at + (pod.delayMs?.(index) ?? 0);
    const clock = openedAt + (pod.clockAheadMs ?? 0);
    for (const outcome of ['ok', 'failed'] as const) {
      const before = totals[outcome];
      totals[outcome] += now[outcome];
      for (let route = 0; route < routes; route++) {
        const isCumulative = pod.temporality === 'cumulative';
        const total = shareOf(totals[outcome], route, routes);
        const added = total - shareOf(before, route, routes);
        const series = `${pod.name} ${outcome} ${route}`;
        const known = buckets.get(series) ?? [total - added];
        const more = spread(added, pod.slowness?.(index) ?? []);
        const shown = isCumulative
          ? more.map((count, bucket) => count + (known[bucket] ?? 0))
          : more;
        buckets.set(series, shown);
        const count = isCumulative ? total : added;
        const every = pod.refusedEvery ?? 0;
        const isRefused = outcome === 'failed' && every > 0 && index % every === every - 1;
        sent.push({
          origin: ofRequests,
          point: {
            origin: 0,
            series: withSenderDigit(tools.digest(series), pod.hasNoId !== true),
            receivedAt,
            start:
              clock + (isCumulative || pod.startStays === true ? start : Math.max(previous, start)),
            time: clock + at,
            count: isRefused ? 0 : count,
            errors: outcome === 'failed' && !isRefused ? count : 0,
            level: null,
            durations:
              pod.slowness === undefined || isRefused
                ? null
                : packDurations({ shape: 'explicit', bounds, counts: shown }, () => 0),
            refused: isRefused ? 'count-invalid' : null,
          },
        });
      }
    }
    if (pod.cpu !== undefined)
      sent.push({
        origin: ofCpu,
        point: {
          origin: 0,
          series: withSenderDigit(tools.digest(`${pod.name} cpu`), pod.hasNoId !== true),
          receivedAt,
          start: clock + at,
          time: clock + at,
          count: 0,
          errors: 0,
          level: pod.cpu(index),
          durations: null,
          refused: null,
        },
      });
    previous = at;
  }
  return sent;
};

/** So many requests in buckets: those of the later ones by their shares, the rest in the first. */
const spread = (requests: number, shares: readonly number[]): readonly number[] => {
  const counts = Array.from({ length: bounds.length + 1 }, (_, bucket) =>
    bucket === 0 ? 0 : Math.floor(requests * (shares[bucket] ?? 0)),
  );
  return counts.with(0, requests - counts.reduce((sum, count) => sum + count, 0));
};

/** The parts of a number that rises rise too. */
const shareOf = (total: number, route: number, routes: number): number =>
  Math.floor(total / routes) + (route < total % routes ? 1 : 0);

/** One points record of what was sent. */
export const record = (sent: readonly Sent[]): Points => {
  const origins = [...new Set(sent.map(({ origin }) => origin))];
  return {
    kind: 'points',
    ...place,
    origins,
    points: sent.map(({ origin, point }) => ({ ...point, origin: origins.indexOf(origin) })),
    bounds: sent.some(({ point }) => point.durations !== null) ? [{ seconds: bounds }] : [],
  };
};

/** Cut into records of the sizes given, again and again from the first. */
export const cut = (sent: readonly Sent[], sizes: readonly number[]): readonly Points[] => {
  const records: Points[] = [];
  for (let at = 0, turn = 0; at < sent.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    records.push(record(sent.slice(at, at + size)));
    at += size;
  }
  return records;
};

/** What the log has said since the opening, as it is copied for the analysis; a second later unless told. */
export const copied = (fact: Copy['fact'], change: Partial<Copy> = {}): Copy => ({
  kind: 'copy',
  ...place,
  analysis: opening().analysis,
  logPosition: 9,
  logDigest: tools.digest('a record'),
  appendedAt: openedAt + 1_000,
  marker: '6f1c1a52-0000-8000-8000-0000000000ff',
  fact,
  canaryShare: null,
  ...change,
});

export const tick = (afterMs: number): Tick => ({ kind: 'tick', ...place, at: openedAt + afterMs });

export type Run = {
  readonly state: PartitionState;
  readonly decisions: readonly Decided[];
  /** As they closed. */
  readonly windows: readonly ClosedWindow[];
};

/** Folds samples that stand from `position` on. */
export const run = (
  samples: readonly Sample[],
  from: PartitionState = emptyPartition,
  position: number = 0,
): Run => {
  let state = from;
  const decisions: Decided[] = [];
  const windows: ClosedWindow[] = [];
  const observing = { ...tools, observe: (closed: ClosedWindow) => void windows.push(closed) };
  for (const [index, sample] of samples.entries()) {
    const folded = foldSample(observing, state, sample, position + index);
    state = folded.state;
    decisions.push(...folded.decisions);
  }
  return { state, decisions, windows };
};

/** Requests and errors of a cohort over all windows. */
export const errorsSeen = (
  windows: readonly ClosedWindow[],
  cohort: 'canary' | 'baseline',
): { readonly requests: number; readonly errors: number } =>
  windows
    .flatMap(({ window }) =>
      window.metrics.flatMap((metric) => (metric.judged === 'errors' ? [metric[cohort]] : [])),
    )
    .reduce(
      ({ requests, errors }, counts) => ({
        requests: requests + (counts?.total ?? 0),
        errors: errors + (counts?.events ?? 0),
      }),
      { requests: 0, errors: 0 },
    );

/** The decisions as bytes, but for where in the partition they were found. */
export const bytesOf = (decisions: readonly Decided[]): readonly string[] =>
  decisions.map(({ samplesFrom: _from, samplesTo: _to, ...rest }) =>
    canonicalJson(rest as unknown as Json),
  );

export const kindsOf = (decisions: readonly Decided[]): readonly string[] =>
  decisions.map(({ kind }) => kind);
