import { isPlaceFact, isUpdate, kinds } from '../../markers/kinds.ts';
import type { Decided, Marker, PlaceFact, Planned, Slot, Update } from '../../markers/marker.ts';
import { slotKey } from '../../markers/slot.ts';
import type { RunningVersion } from '../../samples/sample.ts';
import type { Course } from './course.ts';
import type { BacktestSetup } from './setup.ts';

// What markers say of canaries, for a backtest: which versions ran where and when. Nothing is proven here; whoever
// hands the markers in answers for them. Attempts are told apart by their ends: a plan after an end is the next one.

/** A marker with the time from which it counts. */
export type TimedMarker = { readonly marker: Marker; readonly atMs: number };

/** A canary that was started, as a backtest needs it. */
export type CanaryRun = Omit<BacktestSetup, 'audience' | 'isByVersion' | 'comparison'> & {
  readonly course: Course;
};

type KnownPlan = {
  readonly slot: Slot;
  readonly version: RunningVersion;
  readonly strategy: string | null;
  readonly rollback: boolean;
  readonly share: number | null;
  run: Run | null;
};
type Run = {
  readonly plan: KnownPlan;
  readonly startedMs: number;
  /** When the analysis was opened, where a decision tells it. */
  openedAtMs: number | null;
  readonly moments: Course['moments'][number][];
  readonly baseline: readonly RunningVersion[];
  ended: BacktestSetup['ended'];
};

/** The rollouts that markers tell of, each in the order in which they were started. */
export type ToldRollouts = {
  readonly canaries: readonly CanaryRun[];
  /** Those that no share of the traffic was told of: everything at once, rolling, a full switch of colours. */
  readonly others: readonly CanaryRun[];
};

export const toldRollouts = (markers: readonly TimedMarker[]): ToldRollouts => {
  const plans = new Map<string, KnownPlan>();
  const held = new Map<string, RunningVersion>();
  const past = new Map<string, readonly RunningVersion[]>();
  const holds = (slot: Slot, version: RunningVersion): void => {
    const key = slotKey(slot);
    const before = held.get(key);
    if (before !== undefined) past.set(key, [...(past.get(key) ?? []), before]);
    held.set(key, version);
  };
  const runs: Run[] = [];
  for (const { marker, atMs } of markers) {
    if (!saysWhatRuns(marker)) continue;
    switch (marker.kind) {
      case 'planned': {
        const { deployment, slot, version, digest, strategy, canaryShare } = marker;
        const known = plans.get(deployment);
        if (known !== undefined && known.run?.ended === null) break;
        const planned = { version, digest, deployment };
        const holder = held.get(slotKey(slot));
        const isBack =
          holder !== undefined &&
          !isSameVersion(holder, planned) &&
          (past.get(slotKey(slot)) ?? []).some((other) => isSameVersion(other, planned));
        plans.set(deployment, {
          ...{ slot, strategy, version: planned },
          rollback: marker.rollback || isBack,
          share: canaryShare,
          run: null,
        });
        break;
      }
      case 'logged':
      case 'recorded': {
        const { deployment, slot, version, digest } = marker;
        holds(slot, { version, digest, deployment });
        break;
      }
      // Releases stand beside each other: none of them is what a canary is compared with.
      case 'released':
      case 'support-ended':
        break;
      case 'undeployed':
        held.delete(slotKey(marker.slot));
        break;
      case 'started':
      case 'phase-advanced':
      case 'traffic-shifted': {
        const plan = plans.get(marker.deployment);
        if (plan === undefined) break;
        if (plan.run === null) {
          const holder = held.get(slotKey(plan.slot));
          const baseline = holder === undefined ? [] : [holder];
          const moments = [{ atMs, share: plan.share, colour: null }];
          plan.run = { plan, startedMs: atMs, openedAtMs: null, moments, baseline, ended: null };
          runs.push(plan.run);
        }
        if (marker.kind === 'traffic-shifted')
          plan.run.moments.push({ atMs, share: marker.canaryShare, colour: marker.colour });
        break;
      }
      case 'succeeded':
      case 'failed':
      case 'canceled': {
        const plan = plans.get(marker.deployment);
        if (plan === undefined) break;
        if (plan.run !== null && plan.run.ended === null)
          plan.run.ended = { fact: marker.kind, atMs };
        if (marker.kind === 'succeeded') holds(plan.slot, plan.version);
        break;
      }
      case 'promote':
      case 'advance':
      case 'hold':
      case 'roll-back': {
        const run = plans.get(marker.deployment)?.run ?? null;
        if (run !== null && run.ended === null)
          run.openedAtMs = openedAtOf(marker) ?? run.openedAtMs;
        break;
      }
    }
  }
  const isCanary = ({ plan, moments }: Run): boolean =>
    plan.strategy === 'canary' || moments.some(({ share }) => share !== null);
  return {
    canaries: runs.filter(isCanary).map(canaryRun),
    others: runs.filter((run) => !isCanary(run)).map(canaryRun),
  };
};

/** Trust and operations do not. Decisions say since when it was judged. */
const saysWhatRuns = (marker: Marker): marker is Planned | Update | PlaceFact | Decided =>
  marker.kind === 'planned' || isPlaceFact(marker) || isUpdate(marker) || isDecision(marker);

const isDecision = (marker: Marker): marker is Decided => kinds[marker.kind].shape === 'decision';

/** When the windows of a decision began, so that those of a backtest are the same; null: it rests on none. */
const openedAtOf = ({ windowEndedAt, windowIndex, windowMs }: Decided): number | null =>
  windowMs > 0 ? windowEndedAt - (windowIndex + 1) * windowMs : null;

/** Without digests two builds of one version are taken for the same, as the fold does. */
const isSameVersion = (one: RunningVersion, other: RunningVersion): boolean =>
  one.version === other.version &&
  (one.digest === null || other.digest === null || one.digest === other.digest);

const canaryRun = ({ plan, startedMs, openedAtMs, moments, baseline, ended }: Run): CanaryRun => {
  const { namespace, environment, component, target } = plan.slot;
  const { strategy, rollback } = plan;
  return {
    ...{ namespace, environment, component, target, baseline, ended },
    sinceMs: openedAtMs ?? startedMs,
    deployment: plan.version.deployment,
    canary: plan.version,
    shares: moments
      .flatMap(({ atMs, share }) => (share === null ? [] : [{ atMs, share }]))
      .toSorted((one, other) => one.atMs - other.atMs),
    course: { strategy, rollback, moments, openedAtMs },
  };
};
