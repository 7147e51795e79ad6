import type { MetricName } from '../core/own-metrics/family.ts';
import { counter, gauge, pointOf, pointsBy } from '../core/own-metrics/family.ts';
import { openHistogram } from '../core/own-metrics/histogram.ts';
import { openPlaceCounter } from '../core/own-metrics/place-counter.ts';
import { active, lagRecords, refusals } from '../core/own-metrics/shared-names.ts';
import type { Outcome } from '../core/projection.ts';
import type { ReadMetrics } from '../ports/own-metrics.ts';
import type { InstanceFollowerStatus } from './follow-instances.ts';
import type { ProjectorEvent, ProjectorMeasure, ProjectorStatus } from './start.ts';
import { refusedPrefix } from './start.ts';

/**
 * A batch of one record takes about a millisecond, one of 200 some thirty; from 5 ms on they are the bounds of
 * OpenTelemetry's `messaging.process.duration`.
 */
export const applySecondsBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

export const applySeconds: MetricName = {
  name: 'plimsoll_apply_seconds',
  otelName: 'messaging.process.duration',
  unit: 's',
  help: 'Time to check, fold and commit one batch of records',
};

const lagSeconds: MetricName = {
  name: 'plimsoll_lag_seconds',
  otelName: 'plimsoll.lag.time',
  unit: 's',
  help: 'How long the oldest record has waited for the service',
};
const checkpointPosition: MetricName = {
  name: 'plimsoll_checkpoint_position',
  otelName: 'plimsoll.checkpoint.position',
  unit: '{record}',
  help: 'Next position to apply: all before it is in the read models',
};
const checkpointAge: MetricName = {
  name: 'plimsoll_checkpoint_age_seconds',
  otelName: 'plimsoll.checkpoint.age',
  unit: 's',
  help: 'Since the checkpoint was last written, or seen where it should be',
};
const applied: MetricName = {
  name: 'plimsoll_records_applied',
  otelName: 'plimsoll.records.applied',
  unit: '{record}',
  help: 'Records that went into the read models; markers of no place, keys and operations have no environment',
};
const duplicates: MetricName = {
  name: 'plimsoll_records_duplicates',
  otelName: 'plimsoll.records.duplicates',
  unit: '{record}',
  help: 'Records that had been accepted before',
};
const conflicts: MetricName = {
  name: 'plimsoll_records_conflicts',
  otelName: 'plimsoll.records.conflicts',
  unit: '{record}',
  help: 'Markers that came again with other content',
};
const deadLetters: MetricName = {
  name: 'plimsoll_dead_letters',
  otelName: 'plimsoll.dead_letters',
  unit: '{record}',
  help: 'Records that were not accepted, by code',
};

export type ProjectorClock = {
  /** Seconds that pass evenly, from any beginning. */
  readonly seconds: () => number;
  readonly nowMs: () => number;
};

/**
 * Counts and times what a projector does; all counts begin at 0 with the process. `alsoApplied` is told the seconds of
 * each batch too.
 */
export const openProjectorMeasurements = (
  clock: ProjectorClock,
  alsoApplied: (seconds: number) => void = () => undefined,
): {
  readonly measure: ProjectorMeasure;
  /** Counts what interrupted it, by code. */
  readonly notice: (event: ProjectorEvent) => void;
  readonly read: (status: () => ProjectorStatus) => ReadMetrics;
} => {
  const places = openPlaceCounter();
  const durations = openHistogram(applySecondsBounds);
  const stops: Record<string, number> = {};

  const outcomes = (all: readonly Outcome[]): void => {
    for (const outcome of all) {
      if (outcome.outcome !== 'applied') continue;
      const { deployment, attempt, atMs } = outcome.change;
      const { environment = '', component = '' } = attempt.plan?.slot ?? {};
      places.count({ environment, component }, deployment.id, atMs);
    }
  };
  const batch: ProjectorMeasure['batch'] = async (work) => {
    const startedS = clock.seconds();
    const done = await work();
    const tookS = clock.seconds() - startedS;
    alsoApplied(tookS);
    const deployment = done.ok ? lastDeployment(done.value.outcomes) : undefined;
    durations.record(
      tookS,
      deployment === undefined ? undefined : { deployment, atMs: clock.nowMs() },
    );
    return done;
  };
  const notice = (event: ProjectorEvent): void => {
    if (event.event !== 'stopped-by') return;
    const name = event.reason ?? event.code;
    stops[name] = (stops[name] ?? 0) + 1;
  };
  const ageS = (sinceMs: number | null): number | null =>
    sinceMs === null ? null : Math.max(0, (clock.nowMs() - sinceMs) / 1000);

  const read = (status: () => ProjectorStatus) => (): ReturnType<ReadMetrics> => {
    const at = status();
    const { counts } = at;
    const lagS = at.lagRecords === 0 ? 0 : ageS(at.waitingSinceMs);
    return [
      gauge(active, pointOf(service, at.active ? 1 : 0)),
      gauge(lagRecords, pointOf(service, at.lagRecords)),
      gauge(lagSeconds, pointOf(service, lagS)),
      gauge(checkpointPosition, pointOf(service, at.next)),
      gauge(checkpointAge, pointOf(service, ageS(at.checkpointSeenAtMs))),
      counter(applied, [
        ...places.read().map(({ environment, component, total, last }) => ({
          labels: { environment, component },
          value: total,
          exemplar: { ...last, value: 1 },
        })),
        ...['trust', 'operation'].flatMap((kind) => pointOf({ kind }, counts[kind] ?? 0)),
      ]),
      counter(duplicates, pointOf({}, counts['duplicate'] ?? 0)),
      counter(conflicts, pointOf({}, counts[`${deadLetterPrefix}conflict`] ?? 0)),
      counter(deadLetters, pointsBy('code', byCode(counts))),
      counter(refusals, pointsBy('code', { ...refusedSteps(counts), ...stops }, service)),
      { ...applySeconds, kind: 'histogram', points: [{ labels: {}, state: durations.read() }] },
    ];
  };

  return { measure: { batch, outcomes }, notice, read };
};

const instancesCounted: MetricName = {
  name: 'plimsoll_instances_counted',
  otelName: 'plimsoll.instances.counted',
  unit: '{record}',
  help: 'Records of started instances that went into the counts of what runs',
};

/** What counting instances says of itself. It has a part of the thread only, so its lag is its own. */
export const instanceMetrics =
  (status: () => InstanceFollowerStatus): ReadMetrics =>
  () => {
    const { partitions, lagRecords: lag, counts } = status();
    const { counted = 0, ...refused } = counts;
    const codes = Object.entries(refused).map(([name, total]): [string, number] => [
      name.replace(/^refused:/, ''),
      total,
    ]);
    return [
      gauge(active, pointOf(instances, partitions.length > 0 ? 1 : 0)),
      gauge(lagRecords, pointOf(instances, lag)),
      counter(instancesCounted, pointOf({}, counted)),
      counter(refusals, pointsBy('code', Object.fromEntries(codes), instances)),
    ];
  };

const instances = { service: 'instances' };
const service = { service: 'projector' };
const deadLetterPrefix = 'dead-letter:';
const outcomeNames: ReadonlySet<string> = new Set([
  'applied',
  'trust',
  'operation',
  'duplicate',
  'left-out',
]);

type Counts = { readonly [name: string]: number };

const lastDeployment = (outcomes: readonly Outcome[]): string | undefined => {
  const last = outcomes.findLast((outcome) => outcome.outcome === 'applied');
  return last?.outcome === 'applied' ? last.change.deployment.id : undefined;
};

const byCode = (counts: Counts): Counts =>
  Object.fromEntries(
    Object.entries(counts)
      .filter(([name]) => name.startsWith(deadLetterPrefix))
      .map(([name, total]) => [name.slice(deadLetterPrefix.length), total]),
  );

/** What is counted and is the outcome of no record: what it could not go on for, by code. */
const refusedSteps = (counts: Counts): Counts =>
  Object.fromEntries(
    Object.entries(counts)
      .filter(([name]) => !outcomeNames.has(name) && !name.startsWith(deadLetterPrefix))
      .map(([name, total]) => [
        name.startsWith(refusedPrefix) ? name.slice(refusedPrefix.length) : name,
        total,
      ]),
  );
