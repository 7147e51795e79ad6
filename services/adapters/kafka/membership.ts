/** What happens to one member of a consumer group, as kafkajs tells it. */
export type Membership = {
  /** The group was shared out anew, and these are ours. */
  readonly joined: (memberId: string, partitions: readonly number[]) => void;
  /** kafkajs found that it has to join again, and tries. */
  readonly rejoining: () => void;
  /** The coordinator took us for a member. */
  readonly acknowledged: () => void;
};

/**
 * Tells `onAssigned` which partitions are ours, and none while the group is being shared out anew; `onOver` when this
 * member has to begin as a new one.
 *
 * kafkajs may give up joining again without a word: where the coordinator moves and is still loading its groups, it
 * goes on as the member that it was, and the coordinator, once it has loaded, takes it for that. Then nothing was
 * shared out, no join is told, and what was ours is ours.
 */
export const openMembership = (
  onAssigned: (partitions: readonly number[]) => void,
  onOver: (why: string) => void,
): Membership => {
  let ownId: string | undefined;
  let shared: readonly number[] = [];
  let isRejoining = false;
  return {
    joined: (memberId, partitions) => {
      isRejoining = false;
      shared = partitions;
      ownId ??= memberId;
      if (ownId === memberId) onAssigned(partitions);
      // It was put out and is let in anew. Others work since: it comes back as the newcomer that it is.
      else onOver('it was silent for longer than its lease');
    },
    rejoining: () => {
      isRejoining = true;
      onAssigned([]);
    },
    acknowledged: () => {
      if (!isRejoining) return;
      isRejoining = false;
      onAssigned(shared);
    },
  };
};
