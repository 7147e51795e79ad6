import type { InstanceGroup, SlotInstances } from '../instances/running.ts';
import { slotKey } from '../markers/slot.ts';
import type { SlotState } from '../slot-state.ts';
import type { Problem, ProblemRows, RunningSlot } from './problem.ts';
import { countOf, placeName, problemOf } from './problem.ts';
import { durationOf } from './producers.ts';

// What runs, by its instances, against what deployments claim. An instance says when it starts and never when it ends,
// so only those are held against a claim that started after it.

/** What deployments say of a slot, and from when on instances are held against it. */
export type Claim = {
  /** Versions that may run there: those that hold the slot, and those that are just planned or running. */
  readonly versions: ReadonlySet<string>;
  /** Their digests. */
  readonly digests: ReadonlySet<string>;
  /** Instances of what holds the slot may have started from here on; milliseconds since 1970. */
  readonly fromMs: number;
  /** Whatever starts from here on must be of what is claimed. */
  readonly strictFromMs: number;
};

/** A deployment that nobody said has started: its instances may be up so long before it succeeds. */
const rolloutMs: number = 60 * 60_000;
/** Starts are told by other machines and another topic than markers: so far they may be apart. */
const settleMs: number = 2 * 60_000;
/** After a deployment its instances should be heard of by then. */
const silentAfterMs: number = 10 * 60_000;

export const claimOf = ({ holders, beside }: SlotState): Claim | undefined => {
  const holder = holders.at(-1);
  if (holder === undefined) return undefined;
  const claimed = [...holders, ...beside];
  return {
    versions: new Set(claimed.flatMap(({ version }) => version ?? [])),
    digests: new Set(claimed.flatMap(({ digest }) => digest ?? [])),
    fromMs: Math.min(holder.since, holder.startedAt ?? holder.since - rolloutMs),
    strictFromMs: holder.since + settleMs,
  };
};

/** Whether the groups of a slot alone do not tell how many of them started since the claim. */
export const needsMembers = ({ groups }: SlotInstances, claim: Claim): boolean =>
  groups.some((group) =>
    [claim.fromMs, claim.strictFromMs].some((ms) => group.firstAt < ms && group.lastAt >= ms),
  );

export const runningProblems = ({ slots, running, present }: ProblemRows): readonly Problem[] => {
  const states = new Map(slots.map((state) => [slotKey(state.slot), state]));
  return running.flatMap((here) => {
    const state = states.get(slotKey(here.state.slot));
    const claim = state === undefined ? undefined : claimOf(state);
    return [
      ...(claim === undefined || state === undefined
        ? [unclaimed(here)]
        : [
            ...mismatch(here, state, claim),
            ...severalDigests(here, claim),
            ...silent(here, state, claim, present.nowMs),
          ]),
      ...uncounted(here),
    ];
  });
};

/** Instances of a group that started at that time or later. */
const startedSince = (group: InstanceGroup, { members }: RunningSlot, ms: number): number => {
  if (group.firstAt >= ms) return group.instances;
  if (group.lastAt < ms) return 0;
  return (members ?? []).reduce(
    (sum, row) =>
      sum + Object.values(row).filter(([number, at]) => number === group.number && at >= ms).length,
    0,
  );
};

const isClaimed = ({ digest, version }: InstanceGroup, { digests, versions }: Claim): boolean =>
  digest === null || digests.size === 0 ? versions.has(version) : digests.has(digest);

/** How many instances since the claim are of what is claimed. */
const coverageOf = (
  here: RunningSlot,
  claim: Claim,
): { readonly reported: number; readonly expected: number } => {
  const since = here.state.groups.map((group) => ({
    isClaimed: isClaimed(group, claim),
    count: startedSince(group, here, claim.fromMs),
  }));
  const reported = since.reduce((sum, group) => sum + (group.isClaimed ? group.count : 0), 0);
  const others = here.state.groups
    .filter((group) => !isClaimed(group, claim))
    .reduce((sum, group) => sum + startedSince(group, here, claim.strictFromMs), 0);
  return { reported, expected: reported + others };
};

const mismatch = (here: RunningSlot, state: SlotState, claim: Claim): readonly Problem[] => {
  const others = here.state.groups
    .filter((group) => !isClaimed(group, claim))
    .map((group) => ({ group, count: startedSince(group, here, claim.strictFromMs) }))
    .filter(({ count }) => count > 0);
  const holder = state.holders.at(-1);
  if (others.length === 0 || holder === undefined) return [];
  const count = others.reduce((sum, other) => sum + other.count, 0);
  const coverage = coverageOf(here, claim);
  return [
    problemOf({
      code: 'digest-mismatch',
      severity: 'alarm',
      subject: slotKey(state.slot),
      message: `${countOf(count, 'instance')} of ${others.map(({ group }) => artifact(group)).join(', ')} in ${placeName(state.slot)}, where ${artifact({ version: holder.version ?? '', digest: holder.digest })} is said to run (${coverage.reported} of ${coverage.expected} do)`,
      hint: `what started them? Deploy what should run, or say what does: plimsoll release log --component-name=${state.slot.component} …`,
      place: state.slot,
      deployment: holder.deployment,
      principal: holder.signer,
      count,
      coverage,
      missing: others.map(
        (other) => `${artifact(other.group)}: ${other.count} ${inPlace(other.group)}`,
      ),
      positions: [holder.statusPosition],
      instances: others.map(({ group }) => ({
        partition: here.partition,
        position: group.lastPosition,
      })),
      at: others.reduce((last, { group }) => Math.max(last, group.lastAt), 0),
    }),
  ];
};

/** One version in several artifacts: a name that moved between two starts. */
const severalDigests = (here: RunningSlot, claim: Claim): readonly Problem[] =>
  [...claim.versions].flatMap((version) => {
    const groups = here.state.groups.filter(
      (group) =>
        group.version === version &&
        group.digest !== null &&
        startedSince(group, here, claim.fromMs) > 0,
    );
    const digests = [...new Set(groups.flatMap(({ digest }) => digest ?? []))];
    // Where digests are claimed, another one is a mismatch and told as such.
    if (digests.length < 2 || claim.digests.size > 0) return [];
    return [
      problemOf({
        code: 'digests-differ',
        severity: 'warning',
        subject: `${slotKey(here.state.slot)} ${version}`,
        message: `instances in ${placeName(here.state.slot)} run ${digests.length} artifacts under the one name ${version}`,
        hint: 'deploy by digest: a name that moves gives each new instance what it names at that moment',
        place: here.state.slot,
        count: digests.length,
        missing: digests,
        instances: groups.map(({ lastPosition }) => ({
          partition: here.partition,
          position: lastPosition,
        })),
        at: groups.reduce((last, { lastAt }) => Math.max(last, lastAt), 0),
      }),
    ];
  });

/** Its instances were heard of before, and since the claim none was. */
const silent = (
  here: RunningSlot,
  state: SlotState,
  claim: Claim,
  nowMs: number,
): readonly Problem[] => {
  const holder = state.holders.at(-1);
  const dueMs = (holder?.since ?? 0) + silentAfterMs;
  if (holder === undefined || nowMs < dueMs) return [];
  const heard = here.state.groups.some((group) => startedSince(group, here, claim.fromMs) > 0);
  if (heard) return [];
  return [
    problemOf({
      code: 'running-unknown',
      severity: 'warning',
      subject: slotKey(state.slot),
      message: `none of the ${countOf(here.state.instances, 'instance')} known in ${placeName(state.slot)} has started since ${holder.version ?? 'the last version'} was deployed ${durationOf(nowMs - holder.since)} ago`,
      hint: 'do its instances still say that they start? plimsoll instance start',
      place: state.slot,
      deployment: holder.deployment,
      principal: holder.signer,
      count: here.state.instances,
      coverage: { reported: 0, expected: here.state.instances },
      positions: [holder.statusPosition],
      instances: [{ partition: here.partition, position: here.state.lastPosition }],
      at: dueMs,
    }),
  ];
};

const unclaimed = ({ partition, state }: RunningSlot): Problem =>
  problemOf({
    code: 'running-unclaimed',
    severity: 'warning',
    subject: slotKey(state.slot),
    message: `${countOf(state.instances, 'instance')} of ${state.groups.map(artifact).join(', ')} in ${placeName(state.slot)}, where no deployment is known`,
    hint: 'is the place spelt as its deployments spell it? plimsoll current',
    place: state.slot,
    count: state.instances,
    instances: [{ partition, position: state.lastPosition }],
    at: state.firstAt,
  });

const uncounted = ({ partition, state }: RunningSlot): readonly Problem[] =>
  state.uncounted === 0
    ? []
    : [
        problemOf({
          code: 'running-uncounted',
          severity: 'warning',
          subject: slotKey(state.slot),
          message: `${countOf(state.uncounted, 'start')} in ${placeName(state.slot)} not counted: it has more instances, or more versions and places, than are told apart`,
          hint: 'is something starting there over and over, or under ever new names?',
          place: state.slot,
          count: state.uncounted,
          coverage: { reported: state.instances, expected: state.instances + state.uncounted },
          instances: [{ partition, position: state.lastPosition }],
          at: state.lastAt,
        }),
      ];

const artifact = ({ version, digest }: Pick<InstanceGroup, 'version' | 'digest'>): string =>
  digest === null ? version : `${version} (${digest.slice(0, 19)}…)`;

const inPlace = ({ cluster, zone }: InstanceGroup): string =>
  [cluster, zone].every((part) => part === null)
    ? 'anywhere'
    : `in ${[cluster, zone].flatMap((part) => part ?? []).join('/')}`;
