import { createFollowing } from '../../services/adapters/following/following.ts';
import type { Following } from '../../services/adapters/following/following.ts';
import type { Position } from '../../services/core/log/record.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { ok } from '../../services/core/result.ts';

/** Records in one batch, at most. */
const batchRecordsMax = 200;

type Group = { readonly members: Following[]; readonly hints: Map<number, Position> };

/**
 * The log with its partitions spread over the members of a group, as Kafka has it: with each that comes or goes they
 * are dealt anew.
 */
export const sharedOut = (log: RecordLog): RecordLog => {
  const groups = new Map<string, Group>();

  const deal = ({ members, hints }: Group): void => {
    for (let partition = 0; partition < log.partitions; partition++) {
      const owner = members[partition % Math.max(1, members.length)];
      for (const member of members) if (member !== owner) member.lose(partition);
      owner?.take(partition, hints.get(partition) ?? null);
    }
  };

  return {
    ...log,
    append: async (partition, records) => {
      const appended = await log.append(partition, records);
      for (const { members } of groups.values()) for (const member of members) member.wake();
      return appended;
    },
    subscribe: async (name, subscriber) => {
      const group = groups.get(name) ?? { members: [], hints: new Map<number, Position>() };
      groups.set(name, group);
      const following = createFollowing({
        subscriber,
        read: async (partition, from) => {
          const read = await log.read(partition, from, batchRecordsMax);
          const range = await log.range(partition);
          if (!read.ok) return read;
          if (!range.ok) return range;
          if (read.value.length === 0) return ok(undefined);
          return ok({ partition, records: read.value, end: range.value.end });
        },
        release: async () => {
          group.members.splice(group.members.indexOf(following), 1);
          deal(group);
        },
      });
      group.members.push(following);
      deal(group);
      return {
        owned: following.owned,
        hint: async (partition, position) => {
          if (following.owned().includes(partition)) group.hints.set(partition, position);
        },
        ended: following.ended,
        stop: () => following.finish(undefined),
      };
    },
  };
};
