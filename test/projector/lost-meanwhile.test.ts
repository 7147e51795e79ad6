import { expect, test } from 'vitest';
import { createMemoryClock } from '../../services/adapters/memory/clock.ts';
import type { MemoryClock } from '../../services/adapters/memory/clock.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog, Subscriber } from '../../services/ports/record-log.ts';
import type { Projector } from '../../services/projector/start.ts';
import { startProjector } from '../../services/projector/start.ts';
import { eventually } from '../support/eventually.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 6, audience, records: 40 });

type House = {
  readonly log: RecordLog;
  readonly clock: MemoryClock;
  /** The lease is in the test's hands. */
  readonly start: (store: ReadModelStore) => Started;
};

type Started = Projector & { readonly subscriber: () => Subscriber | undefined };

const subscribed = async (projector: Started): Promise<Subscriber> => {
  await eventually('it has subscribed', () => projector.subscriber() !== undefined);
  const subscriber = projector.subscriber();
  if (subscriber === undefined) throw new TypeError('it has just subscribed');
  return subscriber;
};

const openHouse = async (): Promise<House> => {
  const clock = createMemoryClock(openedAtMs);
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: clock.nowMs });
  value(await log.append(0, records));
  return {
    log,
    clock,
    start: (store) => {
      let subscriber: Subscriber | undefined;
      const leased: RecordLog = {
        ...log,
        subscribe: async (_group, given) => {
          subscriber = given;
          const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
          return {
            owned: () => [0],
            hint: async () => {},
            ended,
            stop: async () => end(undefined),
          };
        },
      };
      const ports = { log: leased, store, tools, audience, pinnedLogId: null };
      const projector = startProjector({ ...ports, clock, tell: () => undefined });
      return {
        ...projector,
        subscriber: () => subscriber,
      };
    },
  };
};

test('a projector that loses the log while it looks at its store stands by', async () => {
  const { clock, start } = await openHouse();
  let store = emptyStore();
  let whileLooking: (() => void) | undefined;
  const watched: ReadModelStore = {
    ...store,
    current: async () => store.current(),
    checkpoint: async (generation) => {
      whileLooking?.();
      return store.checkpoint(generation);
    },
    rows: async (...asked) => store.rows(...asked),
    scan: async (...asked) => store.scan(...asked),
    commit: async (...asked) => store.commit(...asked),
    switchTo: async (...asked) => store.switchTo(...asked),
  };
  const projector = start(watched);
  const subscriber = await subscribed(projector);
  await subscriber.startFrom(0, null);
  expect(projector.status().active).toBe(true);
  whileLooking = () => {
    whileLooking = undefined;
    subscriber.onLost?.(0);
  };
  // The store has lost everything: what it looks for is not there.
  store = emptyStore();
  await clock.advance(2_500);
  expect(projector.status().active).toBe(false);
  await projector.stop();
});

test('a batch beyond what the read models could be brought to is begun again, as a gap', async () => {
  const { log, start } = await openHouse();
  const projector = start(emptyStore());
  const subscriber = await subscribed(projector);
  await subscriber.startFrom(0, null);
  const end = records.length;
  const [last] = value(await log.read(0, end - 1, 1));
  if (last === undefined) throw new RangeError('the log has records');
  const ahead = { partition: 0, records: [{ ...last, position: end + 5 }], end: end + 6 };
  await expect(subscriber.onBatch(ahead)).rejects.toThrow(/^gap: /);
  await projector.stop();
});

test('a batch of another log that stood there for a moment is not applied: what the log holds is', async () => {
  const { log, start } = await openHouse();
  const store = emptyStore();
  const projector = start(store);
  const subscriber = await subscribed(projector);
  await subscriber.startFrom(0, null);
  const end = records.length;
  value(await log.append(0, records.slice(-3)));
  const strange = records
    .slice(10, 13)
    .map((record, at) => ({ ...record, position: end + at, appendedAtMs: openedAtMs }));
  await subscriber.onBatch({ partition: 0, records: strange, end: end + 3 });
  const stored = value(await log.read(0, 0, 10_000));
  expect(value(await store.checkpoint('g1'))?.next).toBe(end + 3);
  expect(value(await store.dump('g1'))).toEqual(pureFold(stored, audience).dumpAt(end + 3));
  await projector.stop();
});
