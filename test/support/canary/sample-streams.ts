import { canonicalJson } from '../../../services/core/canonical.ts';
import type { Json } from '../../../services/core/canonical.ts';
import type { AnalysisTools } from '../../../services/core/canary/analysis-state.ts';
import { emptyPartition, foldSample } from '../../../services/core/canary/fold-samples.ts';
import type { PartitionState } from '../../../services/core/canary/fold-samples.ts';
import { judgeVersion } from '../../../services/core/canary/judge.ts';
import { parsePolicy, policyCanonicalJson } from '../../../services/core/canary/policy.ts';
import type { JudgePolicy } from '../../../services/core/canary/policy.ts';
import type { Decided } from '../../../services/core/markers/marker.ts';
import type {
  AnalysisOpened,
  Origin,
  Points,
  Sample,
  SamplePoint,
  Tick,
} from '../../../services/core/samples/sample.ts';
import type { Temporality } from '../../../services/core/telemetry/point.ts';
import { createCrypto } from '../../../services/adapters/ed25519/crypto.ts';
import { createText } from '../../../services/adapters/ed25519/text.ts';
import { value } from '../records.ts';

const crypto = createCrypto();
const text = createText();

export const tools: AnalysisTools = {
  digest: (content) => crypto.sha256Hex(text.encodeUtf8(content)),
  partition: 3,
};

/** Everything as in the standard preset, in seconds instead of minutes. */
export const fastPolicy: JudgePolicy = value(
  parsePolicy({
    windowMs: 1_000,
    warmUpMs: 2_000,
    soakMs: 6_000,
    deadlineMs: 60_000,
    blockMs: 3_000,
    noDataMs: 8_000,
    restarts: { everyMs: 20_000, count: 2, weightEach: 0.1 },
  }),
);

export const openedAt = 1_800_000_000_000;
export const deployment = '6f1c1a52-0000-8000-8000-000000000001';
export const olderDeployment = '6f1c1a52-0000-8000-8000-000000000002';
const place = { audience: 'local', environment: 'production', component: 'checkout' } as const;

export const opening = (
  change: Partial<AnalysisOpened> = {},
  policy: JudgePolicy = fastPolicy,
): AnalysisOpened => {
  const policyText = policyCanonicalJson(policy);
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
    policy: policyText,
    policyDigest: tools.digest(policyText),
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
  /** How far its clock is ahead. */
  readonly clockAheadMs?: number;
  readonly delayMs?: (exportIndex: number) => number;
  /** Requests and errors of export `index`, since the one before. */
  readonly traffic: (index: number) => readonly [requests: number, errors: number];
  /** Into how many series (routes) its requests are split. */
  readonly routes?: number;
};

/** A point on its way, with its sender. */
export type Sent = { readonly origin: Origin; readonly point: SamplePoint };

/** All exports of the pods, in the order of their receipt. */
export const exportsOf = (pods: readonly Pod[]): readonly Sent[] =>
  pods
    .flatMap(exportsOfPod)
    .toSorted((left, right) => left.point.receivedAt - right.point.receivedAt);

const exportsOfPod = (pod: Pod): readonly Sent[] => {
  const origin: Origin = {
    namespace: pod.namespace ?? 'default',
    version: pod.version,
    deployment: pod.deployment ?? null,
    instance: pod.name,
    metric: 'http.server.request.duration',
    temporality: pod.temporality,
    unit: 's',
    target: null,
    attributes: [],
  };
  const routes = pod.routes ?? 1;
  const sent: Sent[] = [];
  const totals = { ok: pod.already ?? 0, failed: 0 };
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
      if (pod.restartsInSilence !== true) start = pod.restartMs;
    }
    for (const outcome of ['ok', 'failed'] as const) {
      totals[outcome] += now[outcome];
      const shown = pod.temporality === 'cumulative' ? totals[outcome] : now[outcome];
      for (let route = 0; route < routes; route++) {
        const count = shareOf(shown, route, routes);
        const clock = openedAt + (pod.clockAheadMs ?? 0);
        const from = pod.temporality === 'cumulative' ? start : Math.max(previous, start);
        sent.push({
          origin,
          point: {
            origin: 0,
            series: tools.digest(`${pod.name} ${outcome} ${route}`),
            receivedAt: openedAt + at + (pod.delayMs?.(index) ?? 0),
            start: clock + from,
            time: clock + at,
            count,
            errors: outcome === 'failed' ? count : 0,
            level: null,
            durations: null,
          },
        });
      }
    }
    previous = at;
  }
  return sent;
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
    bounds: [],
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

export const tick = (afterMs: number): Tick => ({ kind: 'tick', ...place, at: openedAt + afterMs });

export type Run = { readonly state: PartitionState; readonly decisions: readonly Decided[] };

/** Folds samples that stand from `position` on. */
export const run = (
  samples: readonly Sample[],
  from: PartitionState = emptyPartition,
  position: number = 0,
): Run => {
  let state = from;
  const decisions: Decided[] = [];
  for (const [index, sample] of samples.entries()) {
    const folded = foldSample(tools, state, sample, position + index);
    state = folded.state;
    decisions.push(...folded.decisions);
  }
  return { state, decisions };
};

/** The decisions as bytes, but for where in the partition they were found. */
export const bytesOf = (decisions: readonly Decided[]): readonly string[] =>
  decisions.map(({ samplesFrom: _from, samplesTo: _to, ...rest }) =>
    canonicalJson(rest as unknown as Json),
  );

export const kindsOf = (decisions: readonly Decided[]): readonly string[] =>
  decisions.map(({ kind }) => kind);
