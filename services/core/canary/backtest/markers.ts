import { isUpdate, kinds } from '../../markers/kinds.ts';
import type { Decided, Logged, Marker, Planned, Slot, Update } from '../../markers/marker.ts';
import { slotKey } from '../../markers/slot.ts';
import type { RunningVersion } from '../../samples/sample.ts';
import type { BacktestSetup } from './setup.ts';

// What markers say of canaries, for a backtest: which versions ran where and when. Nothing is proven here; whoever
// hands the markers in answers for them. Attempts are told apart by their ends: a plan after an end is the next one.

/** A marker with the time from which it counts. */
export type TimedMarker = { readonly marker: Marker; readonly atMs: number };

/** A canary that was started, as a backtest needs it. */
export type CanaryRun = Omit<BacktestSetup, 'audience' | 'isByVersion'> & {
  readonly target: string | null;
};

type KnownPlan = {
  readonly slot: Slot;
  readonly version: RunningVersion;
  readonly isCanary: boolean;
  readonly share: number | null;
  run: Run | null;
};
type Run = {
  readonly plan: KnownPlan;
  /** From the start, or from the opening of the analysis where a decision tells it. */
  sinceMs: number;
  readonly baseline: readonly RunningVersion[];
  readonly shares: { readonly atMs: number; readonly share: number }[];
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
  const runs: Run[] = [];
  for (const { marker, atMs } of markers) {
    if (!saysWhatRuns(marker)) continue;
    switch (marker.kind) {
      case 'planned': {
        const { deployment, slot, version, digest, strategy, canaryShare } = marker;
        const known = plans.get(deployment);
        if (known !== undefined && known.run?.ended === null) break;
        plans.set(deployment, {
          slot,
          version: { version, digest, deployment },
          isCanary: strategy === 'canary' || canaryShare !== null,
          share: canaryShare,
          run: null,
        });
        break;
      }
      case 'logged': {
        const { deployment, slot, version, digest } = marker;
        held.set(slotKey(slot), { version, digest, deployment });
        break;
      }
      case 'started':
      case 'traffic-shifted': {
        const plan = plans.get(marker.deployment);
        if (plan === undefined) break;
        if (plan.run === null) {
          const holder = held.get(slotKey(plan.slot));
          const baseline = holder === undefined ? [] : [holder];
          const shares = plan.share === null ? [] : [{ atMs, share: plan.share }];
          plan.run = { plan, sinceMs: atMs, baseline, shares, ended: null };
          runs.push(plan.run);
        }
        if (marker.kind === 'traffic-shifted' && marker.canaryShare !== null)
          plan.run.shares.push({ atMs, share: marker.canaryShare });
        break;
      }
      case 'succeeded':
      case 'failed':
      case 'canceled': {
        const plan = plans.get(marker.deployment);
        if (plan === undefined) break;
        if (plan.run !== null && plan.run.ended === null)
          plan.run.ended = { fact: marker.kind, atMs };
        if (marker.kind === 'succeeded') held.set(slotKey(plan.slot), plan.version);
        break;
      }
      case 'promote':
      case 'advance':
      case 'hold':
      case 'roll-back': {
        const run = plans.get(marker.deployment)?.run ?? null;
        if (run !== null && run.ended === null) run.sinceMs = openedAtOf(marker) ?? run.sinceMs;
        break;
      }
    }
  }
  const isCanary = ({ plan, shares }: Run): boolean => plan.isCanary || shares.length > 0;
  return {
    canaries: runs.filter(isCanary).map(canaryRun),
    others: runs.filter((run) => !isCanary(run)).map(canaryRun),
  };
};

/** Trust and operations do not. Decisions say since when it was judged. */
const saysWhatRuns = (marker: Marker): marker is Planned | Update | Logged | Decided =>
  marker.kind === 'planned' || marker.kind === 'logged' || isUpdate(marker) || isDecision(marker);

const isDecision = (marker: Marker): marker is Decided => kinds[marker.kind].shape === 'decision';

/** When the windows of a decision began, so that those of a backtest are the same; null: it rests on none. */
const openedAtOf = ({ windowEndedAt, windowIndex, windowMs }: Decided): number | null =>
  windowMs > 0 ? windowEndedAt - (windowIndex + 1) * windowMs : null;

const canaryRun = ({ plan, sinceMs, baseline, shares, ended }: Run): CanaryRun => {
  const { namespace, environment, component, target } = plan.slot;
  return {
    ...{ namespace, environment, component, target, sinceMs, baseline, ended },
    deployment: plan.version.deployment,
    canary: plan.version,
    shares: shares.toSorted((one, other) => one.atMs - other.atMs),
  };
};
