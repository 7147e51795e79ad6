import type { Position } from '../core/log/record.ts';
import type { Stop } from '../ports/clock.ts';
import type { RecordBatch, RecordLog, Subscription } from '../ports/record-log.ts';
import type { AnalyserPorts, PartName } from './ports.ts';

/** What one part does with its partitions. */
export type Follower = {
  /** Answers where to begin in a partition that is now ours. */
  readonly startFrom: (partition: number, hint: Position | null) => Promise<Position>;
  /** Answers from where a later reader may begin. */
  readonly onBatch: (batch: RecordBatch) => Promise<Position>;
  readonly onLost: (partition: number) => void;
};

export type PartStatus = {
  readonly part: PartName;
  readonly state: 'following' | 'retrying' | 'stopped';
  /** Partitions that are this process's. Empty: another one has them. */
  readonly partitions: readonly number[];
  /** Records behind the end, as of the last batch of each partition. */
  readonly lagRecords: number;
  /** Why it was last interrupted, or null. */
  readonly problem: string | null;
};

export type Following = { readonly status: () => PartStatus; readonly over: Promise<void> };

const retryMsFirst = 200;
const retryMsMax = 10_000;

/**
 * Keeps one part subscribed until `stop`. Whatever ends a subscription, the next one begins where the last good hint
 * stands; nothing is taken for done that was not finished.
 */
export const keepFollowing = (
  { audience, clock, tell }: Pick<AnalyserPorts, 'audience' | 'clock' | 'tell'>,
  stop: Stop,
  part: PartName,
  log: RecordLog,
  follower: Follower,
): Following => {
  const lags = new Map<number, number>();
  let state: PartStatus['state'] = 'following';
  let problem: string | null = null;
  let subscription: Subscription | undefined;
  /** Furthest position finished of each partition: what is only read again is no progress. */
  const furthest = new Map<number, Position>();
  let isFurther = false;

  const lose = (partition: number): void => {
    lags.delete(partition);
    follower.onLost(partition);
  };

  const once = async (): Promise<string | undefined> => {
    const taken = new Set<number>();
    const following = await log.subscribe(`plimsoll.${audience}.analyser.${part}`, {
      startFrom: (partition, hint) => {
        taken.add(partition);
        return follower.startFrom(partition, hint);
      },
      onBatch: async (batch) => {
        const from = await follower.onBatch(batch);
        const last = batch.records.at(-1)?.position ?? batch.end - 1;
        if (last > (furthest.get(batch.partition) ?? -1)) {
          furthest.set(batch.partition, last);
          isFurther = true;
        }
        lags.set(batch.partition, batch.end - 1 - last);
        // Not waited for: it is a hint, and may take long while the log cannot be reached.
        void subscription?.hint(batch.partition, from);
      },
      onLost: lose,
    });
    subscription = following;
    const end = (): void => void following.stop();
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
    const ending = await following.ended;
    stop.removeEventListener('abort', end);
    subscription = undefined;
    // What ends with the subscription is not lost one by one.
    for (const partition of taken) lose(partition);
    return ending?.message;
  };

  const follow = async (): Promise<void> => {
    let retryMs = retryMsFirst;
    while (!stop.aborted) {
      isFurther = false;
      state = 'following';
      const message = await once().catch(String);
      if (stop.aborted) break;
      if (isFurther) retryMs = retryMsFirst;
      problem = message ?? 'the subscription ended';
      state = 'retrying';
      tell({ event: 'part-stopped', part, message: problem, retryInMs: retryMs });
      await clock.sleep(retryMs, stop);
      retryMs = Math.min(retryMs * 2, retryMsMax);
    }
    state = 'stopped';
  };

  const over = follow();
  return {
    over,
    status: () => ({
      part,
      state,
      partitions: subscription?.owned() ?? [],
      lagRecords: [...lags.values()].reduce((sum, lag) => sum + lag, 0),
      problem,
    }),
  };
};

/** Where to begin: at the hint, as far as the partition still has it. */
export const startAt = async (
  log: RecordLog,
  partition: number,
  hint: Position | null,
): Promise<Position> => {
  const range = await log.range(partition);
  if (!range.ok) throw new Error(`${log.name}: ${range.problem.message}`);
  const { start, end } = range.value;
  // A hint past the end is another log's.
  return hint === null || hint > end ? start : Math.max(hint, start);
};
