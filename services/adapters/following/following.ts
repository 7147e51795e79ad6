import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import type { ReadProblem, RecordBatch, Subscriber, Subscription } from '../../ports/record-log.ts';

/** Why a subscription is over; undefined: it was stopped. */
export type Ending = Awaited<Subscription['ended']>;

export type FollowingOptions = {
  readonly subscriber: Subscriber;
  /** The batch that begins at `from`; undefined when nothing is there yet, or the partition is lost. */
  readonly read: (
    partition: number,
    from: Position,
  ) => Promise<Result<RecordBatch | undefined, ReadProblem>>;
  /** Runs once, after the last pending batch: hands the partitions on. */
  readonly release: () => Promise<void>;
};

/**
 * The half of a subscription that is the same on every log we read by asking: one pump per owned partition that
 * reads, delivers and waits. The log's other half says which partitions are owned, and when something is new.
 */
export type Following = {
  readonly owned: () => readonly number[];
  readonly take: (partition: number, hint: Position | null) => void;
  readonly lose: (partition: number) => void;
  /** Something may be new on the log. */
  readonly wake: () => void;
  /** Stops intake, waits for pending batches, releases. Only the first call's reason counts. */
  readonly finish: (reason: Ending) => Promise<void>;
  readonly isOver: () => boolean;
  readonly ended: Promise<Ending>;
};

type Hold = { readonly partition: number; active: boolean };

export const createFollowing = (options: FollowingOptions): Following => {
  const { subscriber } = options;
  const holds = new Map<number, Hold>();
  const pumps = new Map<number, Promise<void>>();
  const { promise: ended, resolve: settle } = Promise.withResolvers<Ending>();
  let finished: Promise<void> | undefined;
  let wakes = 0;
  let nextWake = Promise.withResolvers<void>();

  const wake = (): void => {
    wakes += 1;
    nextWake.resolve();
    nextWake = Promise.withResolvers<void>();
  };

  const deliver = async (hold: Hold, hint: Position | null): Promise<ReadProblem | undefined> => {
    let next = await subscriber.startFrom(hold.partition, hint);
    while (hold.active) {
      // Counted before the read: a record that comes between read and wait must not be slept through.
      const wakesSeen = wakes;
      const batch = await options.read(hold.partition, next);
      if (!hold.active) return undefined;
      if (!batch.ok) return batch.problem;
      if (batch.value === undefined) {
        if (wakes === wakesSeen) await nextWake.promise;
        continue;
      }
      await subscriber.onBatch(batch.value);
      next = positionAfter(batch.value.records, next);
    }
    return undefined;
  };

  const pump = async (hold: Hold, hint: Position | null, before: Promise<void>): Promise<void> => {
    // A partition that was lost and comes back waits until the batch still pending from last time is done.
    await before;
    if (!hold.active) return;
    let problem: Ending;
    try {
      problem = await deliver(hold, hint);
    } catch (cause) {
      problem = { code: 'subscriber', message: `the subscriber failed: ${String(cause)}`, cause };
    }
    if (problem !== undefined) void finish(problem);
  };

  const close = async (reason: Ending): Promise<void> => {
    for (const hold of holds.values()) hold.active = false;
    holds.clear();
    wake();
    await Promise.all(pumps.values());
    await options.release();
    settle(reason);
  };

  const finish = (reason: Ending): Promise<void> => (finished ??= close(reason));

  return {
    owned: () => [...holds.keys()].toSorted((a, b) => a - b),
    take: (partition, hint) => {
      if (finished !== undefined || holds.has(partition)) return;
      const hold: Hold = { partition, active: true };
      holds.set(partition, hold);
      pumps.set(partition, pump(hold, hint, pumps.get(partition) ?? Promise.resolve()));
    },
    lose: (partition) => {
      const hold = holds.get(partition);
      if (hold === undefined) return;
      hold.active = false;
      holds.delete(partition);
      wake();
      subscriber.onLost?.(partition);
    },
    wake,
    finish,
    isOver: () => finished !== undefined,
    ended,
  };
};

const positionAfter = (records: readonly LogRecord[], otherwise: Position): Position => {
  const last = records.at(-1);
  return last === undefined ? otherwise : last.position + 1;
};
