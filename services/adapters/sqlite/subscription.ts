import { randomUUID } from 'node:crypto';
import type { Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadProblem, RecordBatch, Subscriber, Subscription } from '../../ports/record-log.ts';
import { createFollowing } from '../following/following.ts';
import type { Ending } from '../following/following.ts';
import type { SqliteFile } from './file.ts';
import { createLeases } from './leases.ts';
import { toReadProblem } from './port-problems.ts';

/** A lease is renewed this often while it lasts, so that one renewal may come late. */
const renewalsPerLease = 3;

/**
 * One member of a group. It claims leases, follows the partitions it holds, and stands by for the others: it
 * looks again when the file changed (letting a lease go is a change) and when a lease may have run out.
 */
export const subscribeSqlite = async (options: {
  readonly file: SqliteFile;
  readonly group: string;
  readonly subscriber: Subscriber;
  /** Ids by partition number. */
  readonly partitionIds: readonly number[];
  readonly leaseMs: number;
  readonly nowMs: Clock['nowMs'];
  readonly sleep: Clock['sleep'];
  /** Reads a batch, in one step with `isMine`; undefined where nothing is new, or the partition is not mine. */
  readonly readBatch: (
    partition: number,
    from: Position,
    isMine: () => boolean,
  ) => Promise<Result<RecordBatch | undefined, ReadProblem>>;
}): Promise<{
  readonly subscription: Subscription;
  readonly finish: (reason: Ending) => Promise<void>;
}> => {
  const { file, subscriber, partitionIds, nowMs, leaseMs } = options;
  const renewEveryMs = leaseMs / renewalsPerLease;
  const leases = createLeases({ ...options, holder: randomUUID() });
  let renewAtMs = nowMs();
  let isNews = false;
  let rest = new AbortController();
  let keeping = Promise.resolve();

  const idOf = (partition: number): number => partitionIds[partition] ?? Number.NaN;
  const lookAgain = (): void => {
    isNews = true;
    rest.abort();
  };

  const following = createFollowing({
    subscriber,
    read: (partition, from) =>
      options.readBatch(partition, from, () => {
        // Asked before each batch, so a member that slept through its lease notices before it delivers more.
        const isMine = leases.isHeld(idOf(partition));
        if (!isMine) lookAgain();
        return isMine;
      }),
    release: async () => {
      stopListening();
      rest.abort();
      await keeping;
      await leases.release();
    },
  });

  const stopListening = file.onChange(() => {
    following.wake();
    if (following.owned().length < partitionIds.length) lookAgain();
  });

  /** Claims what can be had, and brings what is followed in line with what is held. */
  const look = async (): Promise<Ending> => {
    isNews = false;
    const now = nowMs();
    const isDue = now >= renewAtMs || now < renewAtMs - renewEveryMs;
    const held = await leases.claim(isDue);
    if (!held.ok) return toReadProblem(held.problem);
    if (isDue) renewAtMs = now + renewEveryMs;
    for (const partition of following.owned())
      if (!held.value.has(idOf(partition))) following.lose(partition);
    for (const [partition, id] of partitionIds.entries()) {
      const hint = held.value.get(id);
      if (hint !== undefined) following.take(partition, hint);
    }
    return undefined;
  };

  const pause = async (): Promise<void> => {
    if (isNews || following.isOver()) return;
    rest = new AbortController();
    await options.sleep(Math.max(1, renewAtMs - nowMs()), rest.signal);
  };

  const keep = async (): Promise<void> => {
    while (!following.isOver()) {
      const problem = await look();
      if (problem === undefined) await pause();
      else void following.finish(problem);
    }
  };

  const problem = await look();
  if (problem !== undefined) void following.finish(problem);
  if (!following.isOver()) keeping = pause().then(keep);

  const subscription: Subscription = {
    owned: following.owned,
    hint: (partition, position) => leases.keepHint(idOf(partition), position),
    ended: following.ended,
    stop: () => following.finish(undefined),
  };
  return { subscription, finish: following.finish };
};
