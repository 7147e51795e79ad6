import type { Deployment } from './deployment.ts';
import { hasEnded } from './lifecycle.ts';
import type { Position } from './log/record.ts';
import type { Slot } from './markers/marker.ts';
import type { SlotState } from './slot-state.ts';
import type { KeyState, Trust } from './trust/trust.ts';
import { coversEverywhere, coversSlot } from './trust/trust.ts';
import { compareUtf8 } from './utf8-order.ts';
import { takesName } from './name-pattern.ts';

// How long read models keep deployments. The log keeps every record for ever; what is forgotten here is on it.

/** How long deployments of some environments are kept after they were last heard of. */
export type RetentionTier = {
  /** A name, or the beginning of one and `*`. */
  readonly environment: string;
  readonly days: number;
  /** Who set it; null for what is built in. */
  readonly set: {
    readonly position: Position;
    readonly at: number;
    readonly principal: string;
    readonly key: string;
    readonly reason: string;
  } | null;
};

/** The one row of the model `retention`: what operators set, by environment. */
export type RetentionRow = { readonly tiers: readonly RetentionTier[] };
export const retentionKey = 'tiers';
export const tiersMax = 200;

const builtIn = (environment: string, days: number): RetentionTier => ({
  environment,
  days,
  set: null,
});

/** Without a word of an operator: a year; names that tools give to environments of one change, two weeks. */
const tiersBuiltIn: readonly RetentionTier[] = [
  builtIn('*', 365),
  ...['ephemeral-*', 'pr-*', 'preview-*', 'review-*', 'review/*'].map((environment) =>
    builtIn(environment, 14),
  ),
];

/** The tiers that count, by environment: what an operator set stands in the place of what is built in. */
export const tiersOf = (row: RetentionRow | undefined): readonly RetentionTier[] => {
  const set = row?.tiers ?? [];
  const named = new Set(set.map(({ environment }) => environment));
  return [...tiersBuiltIn.filter(({ environment }) => !named.has(environment)), ...set].toSorted(
    (a, b) => compareUtf8(a.environment, b.environment),
  );
};

/** Undefined: there are `tiersMax` already. */
export const withTier = (
  row: RetentionRow | undefined,
  tier: RetentionTier,
): RetentionRow | undefined => {
  const others = (row?.tiers ?? []).filter(({ environment }) => environment !== tier.environment);
  if (others.length >= tiersMax) return undefined;
  return {
    tiers: [...others, tier].toSorted((a, b) => compareUtf8(a.environment, b.environment)),
  };
};

/** The most exact tier: the name itself, else the longest beginning. Null is the place of what was never planned. */
export const tierOf = (
  tiers: readonly RetentionTier[],
  environment: string | null,
): RetentionTier => {
  const fitting = tiers.filter(({ environment: pattern }) =>
    environment === null ? pattern === '*' : takesName(pattern, environment),
  );
  const exact = fitting.find(({ environment: pattern }) => pattern === environment);
  const [first, ...rest] = fitting;
  if (first === undefined) throw new TypeError('a tier for every environment is built in');
  return (
    exact ??
    rest.reduce(
      (best, tier) => (tier.environment.length > best.environment.length ? tier : best),
      first,
    )
  );
};

/** Of the versions that held a slot before, those that somebody may want to go back to. */
const pastKeptMax = 5;

/**
 * Why a deployment stays in the read models.
 * - `unknown`: it is not there. `out-of-scope`: the signer may not act where it was deployed.
 * - `not-ended`: an attempt is planned or running. `holds-slot`: it is what runs somewhere, or makes that uncertain.
 * - `recent-past`: one of the last `pastKeptMax` versions before it. `too-young`: its tier keeps it still.
 * - `conflict`, `suspect`: evidence, of a marker that came with two contents or of a key that was found compromised.
 */
export type KeptCode =
  | 'unknown'
  | 'out-of-scope'
  | 'not-ended'
  | 'holds-slot'
  | 'recent-past'
  | 'conflict'
  | 'suspect'
  | 'too-young';

const dayMs = 86_400_000;

/**
 * Undefined: it may be forgotten. The fold asks it when the record comes, so nothing that a planner overlooked,
 * or a stolen key wants, goes. `nowMs` is the log's time.
 */
export const keptBecause = (
  deployment: Deployment | undefined,
  asked: {
    readonly tiers: readonly RetentionTier[];
    readonly nowMs: number;
    readonly trust: Trust;
    readonly signer: KeyState;
    readonly slot: (slot: Slot) => SlotState | undefined;
  },
): KeptCode | undefined => {
  if (deployment === undefined) return 'unknown';
  const { attempts } = deployment;
  const slots = attempts.map(({ plan }) => plan?.slot ?? null);
  const isCovered = (slot: Slot | null): boolean =>
    slot === null ? coversEverywhere(asked.signer) : coversSlot(asked.signer, slot);
  if (!slots.every(isCovered)) return 'out-of-scope';
  if (!attempts.every(hasEnded)) return 'not-ended';
  if (deployment.conflicts.length > 0) return 'conflict';
  if (isSuspect(deployment, asked.trust)) return 'suspect';
  // What holds a slot to those with keys is gone back to, though a token has spoken of another.
  const states = slots.flatMap((slot) => {
    const state = slot === null ? undefined : asked.slot(slot);
    return [state, state?.keysAlone ?? undefined];
  });
  const isThis = (other: { readonly deployment: string }): boolean =>
    other.deployment === deployment.id;
  const opened = new Set(attempts.map(({ openedAt }) => openedAt));
  for (const state of states) {
    if (state === undefined) continue;
    const { holders, past } = state;
    if (
      holders.some(
        (holder) => isThis(holder) || (holder.uncertain !== null && isThis(holder.uncertain)),
      )
    )
      return 'holds-slot';
    if (past.slice(-pastKeptMax).some(({ position }) => opened.has(position))) return 'recent-past';
  }
  const days = Math.max(
    ...slots.map((slot) => tierOf(asked.tiers, slot?.environment ?? null).days),
  );
  return asked.nowMs - heardAt(deployment) <= days * dayMs ? 'too-young' : undefined;
};

/** When the log last took anything of it. */
export const heardAt = ({ attempts }: Deployment): number =>
  Math.max(0, ...attempts.flatMap(({ entries }) => entries.map(({ appendedAt }) => appendedAt)));

const isSuspect = ({ attempts }: Deployment, trust: Trust): boolean =>
  attempts.some(({ entries }) =>
    entries.some(({ key, position }) => {
      const compromised = trust.keys.get(key)?.compromised;
      return compromised !== undefined && compromised !== null && position >= compromised.since;
    }),
  );
