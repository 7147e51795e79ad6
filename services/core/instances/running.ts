import type { Position } from '../log/record.ts';
import type { Slot } from '../markers/marker.ts';
import { partitionOfKey } from '../samples/key.ts';
import type { InstanceStarted } from './instance.ts';
import { instanceKeptMs } from './instance.ts';

// What runs in a slot, by what its instances said. Counts are of instances, each counted where it was heard of last.

/** Instances of one version and digest in one place. Times are milliseconds since 1970, by the log. */
export type InstanceGroup = {
  /** Names the group inside its slot, and is never given twice. */
  readonly number: number;
  readonly version: string;
  readonly digest: string | null;
  readonly cluster: string | null;
  readonly zone: string | null;
  readonly instances: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lastPosition: Position;
  /** The instance that was heard of last, and the deployment that it named. */
  readonly lastInstance: string;
  readonly lastDeployment: string | null;
};

export type SlotInstances = {
  readonly slot: Slot;
  readonly groups: readonly InstanceGroup[];
  readonly nextGroup: number;
  /** Instances in all groups: exact. */
  readonly instances: number;
  /** Starts that were not counted, because the slot has `membersMax` instances, or `groupsMax` groups, already. */
  readonly uncounted: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lastPosition: Position;
};

/** Versions, digests and places of one slot that are told apart. */
export const groupsMax = 200;
/** Up to here a slot's instances are remembered by name; those above it by a digest of their name. */
export const namedMax = 1_000;
/** Instances of one slot that are counted. */
const membersMax = 100_000;

/** The instances of a slot are spread over so many rows, so that a start rewrites a small part of them. */
const buckets = 64;

/** One row of instances: where each was heard of last. By `=name`, or `#digest` above `namedMax`. */
export type Members = {
  readonly [member: string]: readonly [group: number, at: number, position: Position];
};

/** The row that an instance stands in. */
export const bucketKey = (slot: string, instance: string): string =>
  bucketKeyAt(slot, partitionOfKey(instance, buckets));

const bucketKeyAt = (slot: string, bucket: number): string =>
  `${slot}#${String(bucket).padStart(2, '0')}`;

/** All rows that the instances of a slot may stand in. */
export const bucketKeysOf = (slot: string): readonly string[] =>
  Array.from({ length: buckets }, (_, bucket) => bucketKeyAt(slot, bucket));

/** A start as the rows take it. */
export type Started = {
  readonly instance: InstanceStarted;
  readonly position: Position;
  readonly atMs: number;
};

/**
 * The slot and the row of the instance after one more start. The same instance again is counted once: where it was
 * heard of last. What nobody heard of for `instanceKeptMs` is forgotten when its slot or its row is next touched.
 */
export const evolveRunning = (
  sha256Hex: (text: string) => string,
  before: SlotInstances | undefined,
  membersBefore: Members | undefined,
  started: Started,
): { readonly slot: SlotInstances; readonly members: Members } => {
  const { instance, position, atMs } = started;
  const forgetBefore = atMs - instanceKeptMs;
  const known = before ?? emptySlot(started);
  const standing = known.groups.filter(({ lastAt }) => lastAt >= forgetBefore);
  const kept = forgetMembers(standing, membersBefore ?? {}, forgetBefore);
  const named = `=${instance.instance}`;
  const hashed = `#${sha256Hex(instance.instance).slice(0, 32)}`;
  const member = kept.members[named] !== undefined ? named : hashed;
  const heard = kept.members[member];
  const without = heard === undefined ? kept.groups : counted(kept.groups, heard[0], -1);
  const instances = sumOf(without);
  const slot: SlotInstances = { ...known, lastAt: atMs, lastPosition: position };
  const found = without.find((group) => isOf(group, instance));
  if (
    (found === undefined && without.length >= groupsMax) ||
    (heard === undefined && instances >= membersMax)
  ) {
    const others = heard === undefined ? kept.members : omit(kept.members, member);
    return {
      slot: { ...slot, groups: filled(without), instances, uncounted: known.uncounted + 1 },
      members: others,
    };
  }
  const group: InstanceGroup = {
    number: found?.number ?? known.nextGroup,
    version: instance.version,
    digest: instance.digest,
    cluster: instance.cluster,
    zone: instance.zone,
    instances: (found?.instances ?? 0) + 1,
    firstAt: found?.firstAt ?? atMs,
    lastAt: atMs,
    lastPosition: position,
    lastInstance: instance.instance,
    lastDeployment: instance.deployment,
  };
  const name = heard !== undefined ? member : instances < namedMax ? named : hashed;
  return {
    slot: {
      ...slot,
      groups: filled([...without.filter((other) => other !== found), group]),
      nextGroup: Math.max(known.nextGroup, group.number + 1),
      instances: instances + 1,
    },
    members: { ...kept.members, [name]: [group.number, atMs, position] },
  };
};

const emptySlot = ({ instance: { slot }, position, atMs }: Started): SlotInstances => ({
  slot: {
    namespace: slot.namespace,
    environment: slot.environment,
    component: slot.component,
    target: slot.target,
  },
  groups: [],
  nextGroup: 1,
  instances: 0,
  uncounted: 0,
  firstAt: atMs,
  lastAt: atMs,
  lastPosition: position,
});

/** Members whose group is gone, or that were not heard of for long, with the groups counted anew. */
const forgetMembers = (
  groups: readonly InstanceGroup[],
  members: Members,
  forgetBefore: number,
): { readonly groups: readonly InstanceGroup[]; readonly members: Members } => {
  const numbers = new Set(groups.map(({ number }) => number));
  const isKept = ([group, at]: Members[string]): boolean =>
    numbers.has(group) && at >= forgetBefore;
  const entries = Object.entries(members);
  if (entries.every(([, member]) => isKept(member))) return { groups, members };
  return {
    groups: entries.reduce(
      (left, [, member]) =>
        numbers.has(member[0]) && !isKept(member) ? counted(left, member[0], -1) : left,
      groups,
    ),
    members: Object.fromEntries(entries.filter(([, member]) => isKept(member))),
  };
};

const counted = (
  groups: readonly InstanceGroup[],
  number: number,
  by: number,
): readonly InstanceGroup[] =>
  groups.map((group) =>
    group.number === number ? { ...group, instances: group.instances + by } : group,
  );

const filled = (groups: readonly InstanceGroup[]): readonly InstanceGroup[] =>
  groups.filter(({ instances }) => instances > 0).toSorted((a, b) => a.number - b.number);

const sumOf = (groups: readonly InstanceGroup[]): number =>
  groups.reduce((sum, { instances }) => sum + instances, 0);

const isOf = (group: InstanceGroup, instance: InstanceStarted): boolean =>
  group.version === instance.version &&
  group.digest === instance.digest &&
  group.cluster === instance.cluster &&
  group.zone === instance.zone;

const omit = (members: Members, member: string): Members =>
  Object.fromEntries(Object.entries(members).filter(([name]) => name !== member));
