import { createFollowing } from '../../adapters/following/following.ts';
import type { Following } from '../../adapters/following/following.ts';
import { appendBytes, appendBytesMax } from '../../core/log/append-size.ts';
import type { LogRecord, NewRecord, Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type {
  Appended,
  AppendProblem,
  LogRange,
  ReadProblem,
  RecordBatch,
  RecordLog,
  Subscriber,
  Subscription,
} from '../../ports/record-log.ts';
import type { Life, Scheduler } from './scheduler.ts';

// A log whose calls wait for the scheduler, whose leases can be taken away at any moment, and that can be seen
// shortened, or replaced by another one. `test/dev/simulate` holds it to the contract of every log.

type Partition = { readonly records: LogRecord[] };
type Member = { readonly life: Life; readonly following: Following };
type Group = {
  members: Member[];
  owner: Member | undefined;
  readonly hints: Map<number, Position>;
};

/** What those who read and append see instead of the log. */
export type View =
  | { readonly shows: 'whole' }
  | { readonly shows: 'shortened'; readonly end: Position }
  | { readonly shows: 'another'; readonly records: readonly LogRecord[] };

export type SimulatedLog = {
  /** What lies on it, by partition: the truth, whatever anybody sees. */
  readonly records: (partition: number) => readonly LogRecord[];
  readonly open: (life: Life) => RecordLog;
  /** Puts records there before anything begins. */
  readonly lay: (records: readonly LogRecord[]) => void;
  readonly see: (view: View) => void;
  readonly view: () => View;
  /** Gives the lease of each group to the member that is chosen; those who lose it hear of it by and by. */
  readonly rebalance: (choose: (members: readonly string[]) => number) => void;
  /** The broker finds that the process is gone. */
  readonly expire: (life: Life) => void;
  readonly ownerOf: (group: string) => string | undefined;
};

export type SimulatedLogOptions = {
  readonly name: string;
  readonly partitions: number;
  readonly scheduler: Scheduler;
  /** What the broker takes for the time. */
  readonly brokerMs: () => number;
  readonly batchRecordsMax: number;
  /** Callers may reuse their buffers; where none does, records are laid as they are. */
  readonly copied: (record: NewRecord) => NewRecord;
  /** The broker as a process: it hands out leases. */
  readonly broker: Life;
  readonly appended?: (partition: number, position: Position, record: NewRecord) => void;
};

const closedProblem = (name: string): ReadProblem => ({
  code: 'closed',
  message: `${name} is closed`,
});
const unreachable = { code: 'unreachable', message: 'simulated: no connection' } as const;

export const openSimulatedLog = (options: SimulatedLogOptions): SimulatedLog => {
  const { name, scheduler, broker } = options;
  const partitions = Array.from({ length: options.partitions }, (): Partition => ({ records: [] }));
  const groups = new Map<string, Group>();
  let view: View = { shows: 'whole' };

  const at = (partition: number): Partition => {
    const found = partitions[partition];
    if (found === undefined) throw new RangeError(`${name} has no partition ${partition}`);
    return found;
  };

  const seen = (partition: number): readonly LogRecord[] => {
    const { records } = at(partition);
    switch (view.shows) {
      case 'whole':
        return records;
      case 'shortened':
        return records.slice(0, view.end);
      case 'another':
        return view.records;
    }
  };

  const append = (
    partition: number,
    records: readonly NewRecord[],
  ): Result<readonly Appended[], AppendProblem> => {
    const bytes = appendBytes(records);
    if (bytes > appendBytesMax)
      return fail({
        code: 'refused',
        message: `${bytes} bytes in one append; ${appendBytesMax} is the most`,
      });
    // A log that is not itself takes nothing: what is appended there would be gone with it.
    if (view.shows !== 'whole') return fail(unreachable);
    const log = at(partition);
    // As Kafka does it: the clock of the leader, which another leader's may be behind.
    const appendedAtMs = options.brokerMs();
    const appended = records.map((record): Appended => {
      const position = log.records.length;
      log.records.push({ ...options.copied(record), position, appendedAtMs });
      options.appended?.(partition, position, record);
      return { position, appendedAtMs };
    });
    for (const group of groups.values())
      for (const { following } of group.members) following.wake();
    return ok(appended);
  };

  const read = (
    partition: number,
    from: Position,
    recordsMax: number,
  ): Result<readonly LogRecord[], ReadProblem> => {
    const records = seen(partition);
    if (from < 0) return fail({ code: 'before-start', message: `${from} is before the start, 0` });
    return from > records.length
      ? fail({ code: 'beyond-end', message: `${from} is past the end, ${records.length}` })
      : ok(records.slice(from, from + recordsMax));
  };

  /** Tells a member what it has now, as soon as it hears. */
  const assign = (group: Group, member: Member): void => {
    void scheduler.call(member.life, `${name}.assigned`, () => {
      for (const partition of partitions.keys()) {
        if (group.owner === member)
          member.following.take(partition, group.hints.get(partition) ?? null);
        else member.following.lose(partition);
      }
    });
  };

  const elect = (group: Group, owner: Member | undefined): void => {
    const before = group.owner;
    group.owner = owner;
    if (before !== undefined && group.members.includes(before)) assign(group, before);
    if (owner !== undefined && owner !== before) assign(group, owner);
  };

  const leave = (group: Group, member: Member): void => {
    group.members = group.members.filter((other) => other !== member);
    if (group.owner === member) elect(group, group.members[0]);
  };

  const groupOf = (groupName: string): Group => {
    const group = groups.get(groupName) ?? {
      members: [],
      owner: undefined,
      hints: new Map<number, Position>(),
    };
    groups.set(groupName, group);
    return group;
  };

  const subscribe = (
    life: Life,
    groupName: string,
    subscriber: Subscriber,
  ): { readonly following: Following; readonly subscription: Subscription } => {
    const group = groupOf(groupName);
    const batch = (
      partition: number,
      from: Position,
    ): Result<RecordBatch | undefined, ReadProblem> => {
      const { batchRecordsMax = Infinity } = subscriber;
      const records = read(partition, from, Math.min(options.batchRecordsMax, batchRecordsMax));
      if (!records.ok) return records;
      if (records.value.length === 0) return ok(undefined);
      return ok({ partition, records: records.value, end: seen(partition).length });
    };
    const following = createFollowing({
      subscriber,
      read: (partition, from) =>
        scheduler.call(
          life,
          `${name}.fetch`,
          () => batch(partition, from),
          () => fail(unreachable),
        ),
      release: async () => leave(group, member),
    });
    const member: Member = { life, following };
    group.members.push(member);
    if (group.owner === undefined) elect(group, member);
    const subscription: Subscription = {
      owned: following.owned,
      hint: (partition, position) =>
        scheduler.call(
          life,
          `${name}.hint`,
          () => {
            if (group.owner === member) group.hints.set(partition, position);
          },
          () => undefined,
        ),
      ended: following.ended,
      stop: () => following.finish(undefined),
    };
    return { following, subscription };
  };

  const open = (life: Life): RecordLog => {
    let closed = false;
    const mine = new Set<Following>();
    return {
      name,
      partitions: options.partitions,
      append: async (partition, records) => {
        at(partition);
        return scheduler.call(
          life,
          `${name}.append`,
          () => (closed ? fail(unreachable) : append(partition, records)),
          (isDone) =>
            fail({ code: isDone ? 'unknown' : 'unreachable', message: 'simulated: no answer' }),
        );
      },
      read: async (partition, from, recordsMax) => {
        at(partition);
        return scheduler.call(
          life,
          `${name}.read`,
          () => (closed ? fail(closedProblem(name)) : read(partition, from, recordsMax)),
          () => fail(unreachable),
        );
      },
      range: async (partition) => {
        at(partition);
        return scheduler.call(
          life,
          `${name}.range`,
          (): Result<LogRange, ReadProblem> =>
            closed ? fail(closedProblem(name)) : ok({ start: 0, end: seen(partition).length }),
          () => fail(unreachable),
        );
      },
      subscribe: (groupName, subscriber) =>
        scheduler.call(life, `${name}.subscribe`, () => {
          const { following, subscription } = subscribe(life, groupName, subscriber);
          mine.add(following);
          if (closed) void following.finish(closedProblem(name));
          return subscription;
        }),
      close: async () => {
        closed = true;
        for (const following of mine) await following.finish(closedProblem(name));
      },
    };
  };

  return {
    records: (partition) => at(partition).records,
    open,
    lay: (records) => void at(0).records.push(...records),
    see: (shown) => {
      view = shown;
      for (const group of groups.values())
        for (const { following } of group.members) following.wake();
    },
    view: () => view,
    rebalance: (choose) => {
      for (const group of groups.values()) {
        if (group.members.length === 0) continue;
        elect(group, group.members[choose(group.members.map(({ life }) => life.name))]);
      }
    },
    expire: (life) => {
      void scheduler.call(broker, `${name}.session of ${life.name} ends`, () => {
        for (const group of groups.values())
          for (const member of group.members.filter((other) => other.life === life))
            leave(group, member);
      });
    },
    ownerOf: (groupName) => groups.get(groupName)?.owner?.life.name,
  };
};
