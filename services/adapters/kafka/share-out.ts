import kafkajs from 'kafkajs';
import type { GroupMember, GroupMemberAssignment, PartitionAssigner } from 'kafkajs';

const { AssignerProtocol } = kafkajs;

const noData = Buffer.alloc(0);

/**
 * Gives each member one run of neighbouring partitions, in the order of their ids: six and six of twelve. In turns, one
 * member of two would have every even partition, and so every key that says a number twice (pr-12 of shop-12): the hash
 * of a key is even or odd as its characters are.
 */
export const inRuns: PartitionAssigner = ({ cluster }) => {
  const name = 'PlimsollRuns';
  const version = 0;
  return {
    name,
    version,
    assign: async ({ members, topics }) =>
      runsOf(
        members,
        topics.map((topic) => ({
          topic,
          partitions: cluster
            .findTopicPartitionMetadata(topic)
            .map(({ partitionId }) => partitionId),
        })),
      ).map(({ memberId, assignment }) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment,
          userData: noData,
        }),
      })),
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: noData }),
    }),
  };
};

type TopicPartitions = { readonly topic: string; readonly partitions: readonly number[] };

/** The oldest member has the smallest id, and so the first partition of each topic. Who has none is left out. */
export const runsOf = (
  members: readonly Pick<GroupMember, 'memberId'>[],
  topics: readonly TopicPartitions[],
): readonly {
  readonly memberId: GroupMemberAssignment['memberId'];
  readonly assignment: Record<string, number[]>;
}[] => {
  const memberIds = members.map(({ memberId }) => memberId).toSorted();
  const shares = memberIds.map((memberId, member) => {
    const assignment: Record<string, number[]> = {};
    for (const { topic, partitions } of topics) {
      // Where there are more members than partitions, the youngest have none.
      const owners = Math.min(memberIds.length, partitions.length);
      const mine = partitions
        .toSorted((one, other) => one - other)
        .filter((_, index) => Math.floor((index * owners) / partitions.length) === member);
      if (mine.length > 0) assignment[topic] = mine;
    }
    return { memberId, assignment };
  });
  return shares.filter(({ assignment }) => Object.keys(assignment).length > 0);
};
