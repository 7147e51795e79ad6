import { describe, expect, test } from 'vitest';
import type { LogRecord, Position } from '../../services/core/log/record.ts';
import type {
  RecordBatch,
  RecordLog,
  Subscriber,
  Subscription,
} from '../../services/ports/record-log.ts';
import { eventually } from '../support/eventually.ts';
import { positionsOf, record, value } from '../support/records.ts';

export type OpenedLog = {
  /** Empty, of its own, and with two partitions or more. */
  readonly log: RecordLog;
  /** The same log as another process would open it. */
  readonly reopen?: () => Promise<RecordLog>;
  readonly close: () => Promise<void>;
};

/** A subscriber that writes down what it is given; each part can be replaced. */
type Follower = Subscriber & {
  readonly batches: RecordBatch[];
  readonly hints: Map<number, Position | null>;
  readonly lost: number[];
  readonly records: (partition: number) => readonly LogRecord[];
};

const follower = (part: Partial<Subscriber> = {}): Follower => {
  const batches: RecordBatch[] = [];
  const hints = new Map<number, Position | null>();
  const lost: number[] = [];
  return {
    ...part,
    batches,
    hints,
    lost,
    records: (partition) =>
      batches.filter((batch) => batch.partition === partition).flatMap((batch) => batch.records),
    startFrom: async (partition, hint) => {
      hints.set(partition, hint);
      return part.startFrom === undefined ? 0 : part.startFrom(partition, hint);
    },
    onBatch: async (batch) => {
      batches.push(batch);
      await part.onBatch?.(batch);
    },
    onLost: (partition) => {
      lost.push(partition);
      part.onLost?.(partition);
    },
  };
};

/** A promise that a test opens when it wants. */
const gate = (): { readonly passed: Promise<void>; readonly open: () => void } => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
};

export const subscriptionContract = (
  name: string,
  withLog: (use: (opened: OpenedLog) => Promise<void>) => () => Promise<void>,
  options: {
    readonly withinMs: number;
    readonly prune:
      | ((log: RecordLog, partition: number, appendedBeforeMs: number) => Promise<void>)
      | undefined;
  },
): void => {
  const until = (sentence: string, condition: () => boolean): Promise<void> =>
    eventually(sentence, condition, options.withinMs);
  const testTimeoutMs = options.withinMs * 3;

  const appendNumbers = async (
    log: RecordLog,
    partition: number,
    from: number,
    records: number,
  ): Promise<void> => {
    for (let at = from; at < from + records; at += 1)
      value(await log.append(partition, [record(`${at}`)]));
  };
  const allPartitions = (log: RecordLog): number[] =>
    Array.from({ length: log.partitions }, (_, partition) => partition);
  const owners = (log: RecordLog, subscriptions: readonly Subscription[]): boolean =>
    subscriptions
      .flatMap((subscription) => subscription.owned())
      .toSorted((a, b) => a - b)
      .join() === allPartitions(log).join();

  describe(`${name}: subscribe`, () => {
    test(
      'a batch has no more records than its subscriber takes',
      withLog(async ({ log }) => {
        await appendNumbers(log, 0, 0, 7);
        const few = follower({ batchRecordsMax: 3 });
        const subscription = await log.subscribe('readers', few);
        await until('all seven came', () => few.records(0).length === 7);
        await subscription.stop();

        expect(positionsOf(few.records(0))).toEqual(Array.from({ length: 7 }, (_, at) => at));
        for (const batch of few.batches) expect(batch.records.length).toBeLessThanOrEqual(3);
      }),
      testTimeoutMs,
    );

    test(
      'delivers what is there and what comes, in order, without gaps, and never an empty batch',
      withLog(async ({ log }) => {
        await appendNumbers(log, 0, 0, 5);
        const all = follower();
        const subscription = await log.subscribe('readers', all);
        await until('the first five came', () => all.records(0).length === 5);
        await appendNumbers(log, 0, 5, 5);
        await until('ten came', () => all.records(0).length === 10);
        await subscription.stop();

        expect(positionsOf(all.records(0))).toEqual(Array.from({ length: 10 }, (_, at) => at));
        for (const batch of all.batches) {
          expect(batch.records.length).toBeGreaterThan(0);
          expect(batch.end).toBeGreaterThan(batch.records.at(-1)?.position ?? Infinity);
        }
        expect(all.batches.at(-1)?.end).toBe(10);
      }),
      testTimeoutMs,
    );

    test(
      'begins where the subscriber says, and asks once for each partition',
      withLog(async ({ log }) => {
        await appendNumbers(log, 0, 0, 6);
        const asked: number[] = [];
        const late = follower({
          startFrom: async (partition) => {
            asked.push(partition);
            return partition === 0 ? 4 : 0;
          },
        });
        const subscription = await log.subscribe('late', late);
        await until('the last two came', () => late.records(0).length === 2);
        await until('every partition was asked for', () => asked.length === log.partitions);
        await subscription.stop();
        expect(positionsOf(late.records(0))).toEqual([4, 5]);
        expect(asked.toSorted((a, b) => a - b)).toEqual(allPartitions(log));
      }),
      testTimeoutMs,
    );

    test(
      'keeps a hint for the group, and for no other group',
      withLog(async ({ log }) => {
        await appendNumbers(log, 0, 0, 3);
        const first = follower();
        const one = await log.subscribe('hinted', first);
        await until('all came', () => first.records(0).length === 3);
        expect(first.hints.get(0)).toBeNull();
        await one.hint(0, 2);
        await one.stop();

        const second = follower();
        const two = await log.subscribe('hinted', second);
        await until('it was asked', () => second.hints.size === log.partitions);
        const stranger = follower();
        const three = await log.subscribe('another', stranger);
        await until('it was asked', () => stranger.hints.size === log.partitions);
        await Promise.all([two.stop(), three.stop()]);
        expect(second.hints.get(0)).toBe(2);
        expect(second.hints.get(1)).toBeNull();
        expect(stranger.hints.get(0)).toBeNull();
      }),
      testTimeoutMs,
    );

    test(
      'hands each partition to one member of a group; the others take over when it stops',
      withLog(async ({ log, reopen }) => {
        const other = (await reopen?.()) ?? log;
        await appendNumbers(log, 0, 0, 3);
        const first = follower();
        const second = follower();
        const one = await log.subscribe('group', first);
        await until('the first owns all', () => one.owned().length === log.partitions);
        const two = await other.subscribe('group', second);
        await until('every partition has one owner', () => owners(log, [one, two]));

        await one.stop();
        await until('the second owns all', () => two.owned().length === log.partitions);
        await until('it got all from the start', () => second.records(0).length >= 3);
        await appendNumbers(log, 0, 3, 1);
        await until('it gets what is new', () => second.records(0).at(-1)?.position === 3);
        expect(one.owned()).toEqual([]);
        expect(first.records(0).some(({ position }) => position === 3)).toBe(false);
        await two.stop();
        if (other !== log) await other.close();
      }),
      testTimeoutMs,
    );

    test(
      'gives every group every record',
      withLog(async ({ log }) => {
        const [red, blue] = [follower(), follower()];
        const subscriptions = [await log.subscribe('red', red), await log.subscribe('blue', blue)];
        await appendNumbers(log, 0, 0, 4);
        await appendNumbers(log, 1, 0, 2);
        for (const each of [red, blue])
          await until('both partitions came', () =>
            [4, 2].every((records, partition) => each.records(partition).length === records),
          );
        await Promise.all(subscriptions.map((each) => each.stop()));
      }),
      testTimeoutMs,
    );

    test(
      'delivers no further batch of a partition while one is pending; other partitions go on',
      withLog(async ({ log }) => {
        const door = gate();
        let pending = 0;
        let pendingMost = 0;
        const slow = follower({
          onBatch: async (batch) => {
            if (batch.partition !== 0) return;
            pending += 1;
            pendingMost = Math.max(pendingMost, pending);
            await door.passed;
            pending -= 1;
          },
        });
        const witness = follower();
        await appendNumbers(log, 0, 0, 1);
        const subscription = await log.subscribe('slow', slow);
        await until('a batch is pending', () => pending === 1);
        const watching = await log.subscribe('witness', witness);
        await appendNumbers(log, 0, 1, 3);
        await appendNumbers(log, 1, 0, 1);
        await until('someone else saw all', () => witness.records(0).length === 4);
        await until('the other partition came', () => slow.records(1).length === 1);
        expect(slow.records(0).length).toBe(1);

        door.open();
        await until('the rest came', () => slow.records(0).length === 4);
        expect(pendingMost).toBe(1);
        expect(positionsOf(slow.records(0))).toEqual([0, 1, 2, 3]);
        await Promise.all([subscription.stop(), watching.stop()]);
      }),
      testTimeoutMs,
    );

    test(
      'is ended by a rejection, says why, and another member takes over',
      withLog(async ({ log }) => {
        const cause = new Error('no more');
        const failing = follower({ onBatch: () => Promise.reject(cause) });
        const healthy = follower();
        const one = await log.subscribe('failing', failing);
        const two = await log.subscribe('failing', healthy);
        for (const partition of allPartitions(log)) await appendNumbers(log, partition, 0, 1);
        expect(await one.ended).toMatchObject({ code: 'subscriber', cause });
        expect(one.owned()).toEqual([]);
        await until('the other owns all', () => two.owned().length === log.partitions);
        await until('and got the record', () => healthy.records(0).length >= 1);
        await two.stop();
      }),
      testTimeoutMs,
    );

    test(
      'is ended by a rejected start',
      withLog(async ({ log }) => {
        const cause = new Error('where was I');
        const lost = follower({ startFrom: () => Promise.reject(cause) });
        const subscription = await log.subscribe('lost', lost);
        expect(await subscription.ended).toMatchObject({ code: 'subscriber', cause });
      }),
      testTimeoutMs,
    );

    test(
      'is ended by a start past the end: the log was shortened, or it is another one',
      withLog(async ({ log }) => {
        await appendNumbers(log, 0, 0, 2);
        const foreign = follower({ startFrom: async (partition) => (partition === 0 ? 9 : 0) });
        const subscription = await log.subscribe('foreign', foreign);
        expect(await subscription.ended).toMatchObject({ code: 'beyond-end' });
        expect(foreign.records(0)).toEqual([]);
      }),
      testTimeoutMs,
    );

    test.runIf(options.prune !== undefined)(
      'is ended by a start before what the log still holds',
      withLog(async ({ log }) => {
        await appendNumbers(log, 0, 0, 2);
        await options.prune?.(log, 0, Number.MAX_SAFE_INTEGER);
        const subscription = await log.subscribe('old', follower());
        expect(await subscription.ended).toMatchObject({ code: 'before-start' });
      }),
      testTimeoutMs,
    );

    test(
      'stops after the pending batch, delivers none later, and may be stopped twice',
      withLog(async ({ log }) => {
        const door = gate();
        const slow = follower({ onBatch: () => door.passed });
        await appendNumbers(log, 0, 0, 1);
        const subscription = await log.subscribe('stopping', slow);
        await until('a batch is pending', () => slow.batches.length === 1);
        let stopped = false;
        const stopping = subscription.stop().then(() => {
          stopped = true;
        });
        await appendNumbers(log, 0, 1, 1);
        expect(stopped).toBe(false);
        door.open();
        await stopping;
        await subscription.stop();
        expect(await subscription.ended).toBeUndefined();
        expect(subscription.owned()).toEqual([]);
        expect(positionsOf(slow.records(0))).toEqual([0]);
      }),
      testTimeoutMs,
    );

    test(
      'ends when the log is closed, and says so',
      withLog(async ({ log, reopen }) => {
        const closing = (await reopen?.()) ?? log;
        const subscription = await closing.subscribe('closing', follower());
        await closing.close();
        expect(await subscription.ended).toMatchObject({ code: 'closed' });
        const later = await closing.subscribe('closing', follower());
        expect(await later.ended).toMatchObject({ code: 'closed' });
      }),
      testTimeoutMs,
    );
  });
};
