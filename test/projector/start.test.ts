import { describe, expect, test } from 'vitest';
import { createMemoryClock } from '../../services/adapters/memory/clock.ts';
import type { MemoryClock } from '../../services/adapters/memory/clock.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { Deployment } from '../../services/core/deployment.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { fail, ok } from '../../services/core/result.ts';
import { readRow } from '../../services/core/row-text.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import type { Projector, ProjectorEvent } from '../../services/projector/start.ts';
import { startProjector } from '../../services/projector/start.ts';
import { eventually } from '../support/eventually.ts';
import { by, emptyStore, openedAtMs, recordsOf, tools, trusts } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience, logged, operated } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 5, audience, records: 600 });

type House = {
  readonly log: RecordLog;
  readonly clock: MemoryClock;
  readonly append: (from: number, to: number) => Promise<void>;
  readonly start: (
    store: ReadModelStore,
    using?: RecordLog,
  ) => Projector & { readonly told: readonly ProjectorEvent[] };
  /** Waits until the store holds the pure fold of the whole log. */
  readonly projected: (store: ReadModelStore) => Promise<void>;
};

const openHouse = (): House => {
  const clock = createMemoryClock(openedAtMs);
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: clock.nowMs });
  return {
    log,
    clock,
    append: async (from, to) => {
      for (let at = from; at < to; at += 100)
        value(await log.append(0, records.slice(at, Math.min(at + 100, to))));
    },
    start: (store, using = log) => {
      const told: ProjectorEvent[] = [];
      const tell = (event: ProjectorEvent): void => void told.push(event);
      const ports = { log: using, store, tools, audience, pinnedLogId: null, clock, tell };
      return { ...startProjector(ports), told };
    },
    projected: async (store) => {
      await eventually('everything is projected', async () => {
        const current = value(await store.current()) ?? '';
        const { end } = value(await log.range(0));
        return value(await store.checkpoint(current))?.next === end;
      });
      const stored = value(await log.read(0, 0, 10_000));
      expect(value(await store.dump(value(await store.current()) ?? ''))).toEqual(
        pureFold(stored, audience).dumpAt(stored.length),
      );
    },
  };
};

const namesOf = (events: readonly ProjectorEvent[]): readonly string[] =>
  events.map(({ event }) => event).filter((event) => event !== 'conflict');

test('each conflict is told once, with deployment and position, also when read models are filled again', async () => {
  const { append, start, projected } = openHouse();
  const { store, lose } = fragileStore();
  await append(0, 590);
  const projector = start(store);
  await projected(store);
  lose();
  await append(590, 600);
  await projected(store);
  await projector.stop();
  const marked = value(await store.dump('g1'))
    .map((line) => line.split('\n'))
    .filter(([model]) => model === 'deployment')
    .flatMap(([, , json]) => {
      const { id, conflicts } = readRow<Deployment>('deployment', json ?? '');
      return conflicts.map(({ position }) => ({ event: 'conflict', deployment: id, position }));
    })
    .toSorted((a, b) => a.position - b.position);
  expect(marked.length).toBeGreaterThan(0);
  expect(projector.told.filter(({ event }) => event === 'conflict')).toEqual(marked);
});

test('what lies there and what comes is counted, each record once', async () => {
  const { append, start, projected } = openHouse();
  const store = emptyStore();
  await append(0, 450);
  const projector = start(store);
  await projected(store);
  await append(450, 500);
  await projected(store);
  await eventually('it knows', () => projector.status().next === 500);
  const { active, lagRecords, counts, problem } = projector.status();
  expect({ active, lagRecords, problem }).toEqual({ active: true, lagRecords: 0, problem: null });
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(500);
  await projector.stop();
  expect(await projector.ended).toBe(undefined);
  expect(namesOf(projector.told)).toEqual(['log', 'active', 'standby']);
});

test('asked to stop while it folds a long log, it stops after the step at hand', async () => {
  const { append, start, projected } = openHouse();
  const store = emptyStore();
  await append(0, 600);
  let stopping: Promise<void> | undefined;
  const projector = start({
    ...store,
    commit: (generation, step) => {
      stopping ??= projector.stop();
      return store.commit(generation, step);
    },
  });
  expect(await projector.ended).toBe(undefined);
  expect(value(await store.checkpoint('g1'))?.next).toBeLessThan(600);
  start(store);
  await projected(store);
});

test('asked to stop while another is ahead of it, it does not go on trying', async () => {
  const { log, append, start, projected } = openHouse();
  const store = emptyStore();
  await append(0, 100);
  const readsMax = 100;
  let readsSinceStop: number | undefined;
  const projector = start({
    ...store,
    rows: async (generation, keys) => {
      if (readsSinceStop === 0) {
        void projector.stop();
        value(await foldToEnd({ log, store, tools, audience, pinnedLogId: null }, generation));
      }
      if (readsSinceStop !== undefined) readsSinceStop += 1;
      if ((readsSinceStop ?? 0) > readsMax) return fail({ code: 'corrupt', message: 'enough' });
      return store.rows(generation, keys);
    },
  });
  await projected(store);
  readsSinceStop = 0;
  await append(100, 150);
  expect(await projector.ended).toBe(undefined);
  expect(readsSinceStop).toBeLessThan(readsMax);
});

describe('of two projectors', () => {
  test('one is active, and the other takes over when it stops', async () => {
    const { append, start, projected } = openHouse();
    const store = emptyStore();
    await append(0, 100);
    const first = start(store);
    await projected(store);
    const second = start(store);
    await append(100, 200);
    await projected(store);
    expect([first.status().active, second.status().active]).toEqual([true, false]);
    await first.stop();
    await append(200, 300);
    await projected(store);
    expect([first.status().active, second.status().active]).toEqual([false, true]);
  });

  test('one that is overtaken within a step goes on behind the other, and applies nothing twice', async () => {
    const { log, append, start, projected } = openHouse();
    const store = emptyStore();
    await append(0, 100);
    let overtakes = false;
    const projector = start({
      ...store,
      commit: async (generation, step) => {
        if (overtakes) {
          overtakes = false;
          await append(150, 200);
          const ports = { log, store, tools, audience, pinnedLogId: null };
          value(await foldToEnd(ports, generation));
        }
        return store.commit(generation, step);
      },
    });
    await projected(store);
    overtakes = true;
    await append(100, 150);
    await projected(store);
    await append(200, 300);
    await projected(store);
    expect(namesOf(projector.told)).toEqual(['log', 'active', 'overtaken']);
  });
});

/** A store that can be away, and that can lose everything. */
const fragileStore = (): {
  readonly store: ReadModelStore;
  readonly isAway: (away: boolean) => void;
  readonly lose: () => void;
} => {
  let inner = emptyStore();
  let away = false;
  const gone = fail({ code: 'unreachable', message: 'the store is away' } as const);
  return {
    isAway: (now) => void (away = now),
    lose: () => void (inner = emptyStore()),
    store: {
      name: inner.name,
      current: async () => (away ? gone : inner.current()),
      switchTo: async (...args) => (away ? gone : inner.switchTo(...args)),
      generations: async () => (away ? gone : inner.generations()),
      drop: async (...args) => (away ? gone : inner.drop(...args)),
      checkpoint: async (...args) => (away ? gone : inner.checkpoint(...args)),
      rows: async (...args) => (away ? gone : inner.rows(...args)),
      scan: async (...args) => (away ? gone : inner.scan(...args)),
      commit: async (...args) => (away ? gone : inner.commit(...args)),
      walk: async (...args) => (away ? gone : inner.walk(...args)),
      counts: async (...args) => (away ? gone : inner.counts(...args)),
      dump: async (...args) => (away ? gone : inner.dump(...args)),
      aside: {
        read: async (...args) => (away ? gone : inner.aside.read(...args)),
        write: async (...args) => (away ? gone : inner.aside.write(...args)),
        scan: async (...args) => (away ? gone : inner.aside.scan(...args)),
      },
      close: async () => inner.close(),
    },
  };
};

describe('a store', () => {
  test('that is away is tried again, less and less often, and nothing is lost', async () => {
    const { clock, append, start, projected } = openHouse();
    const { store, isAway } = fragileStore();
    await append(0, 100);
    isAway(true);
    const projector = start(store);
    for (const [tries, retryInMs] of [200, 400, 800].entries()) {
      await eventually('it gave up for now', () => projector.told.length === tries + 1);
      expect(projector.told[tries]).toMatchObject({ code: 'unreachable', retryInMs });
      if (retryInMs === 800) isAway(false);
      await clock.advance(retryInMs);
    }
    await projected(store);
    expect(projector.status().problem).toBe(null);
  });

  test('that refuses every step is left alone for a while, and not asked without end', async () => {
    const { append, start } = openHouse();
    const store = emptyStore();
    await append(0, 50);
    const projector = start({
      ...store,
      commit: async (generation) =>
        ok({ refused: 'gap', stored: value(await store.checkpoint(generation)) }),
    });
    await eventually('it says that it pauses', () =>
      projector.told.some(({ event }) => event === 'stopped-by'),
    );
    expect(projector.status().problem?.code).toBe('gap');
    await projector.stop();
  });

  test('that loses everything while nothing comes is filled again', async () => {
    const { clock, append, start, projected } = openHouse();
    const { store, lose } = fragileStore();
    await append(0, 100);
    start(store);
    await projected(store);
    lose();
    await clock.advance(2000);
    await projected(store);
  });

  test('that loses everything is filled again by the next record', async () => {
    const { append, start, projected } = openHouse();
    const { store, lose } = fragileStore();
    await append(0, 100);
    const projector = start(store);
    await projected(store);
    lose();
    await append(100, 101);
    await projected(store);
    expect(namesOf(projector.told)).toEqual(['log', 'active', 'overtaken']);
  });
});

test('a seal is told once, while it is followed and again by whoever comes later', async () => {
  const { log, start, projected } = openHouse();
  const store = emptyStore();
  const seal = operated('log-sealed', { to: 2, digest: 'a'.repeat(64), note: 'elsewhere' });
  const sealed = await recordsOf(
    trusts('ops', { roles: ['operator'] }),
    by('ops', seal),
    by('ops', logged()),
  );
  const told = { event: 'sealed', at: 2, note: 'elsewhere' };
  value(await log.append(0, sealed.slice(0, 2)));
  const first = start(store);
  await eventually('it is active', () => first.told.length === 2);
  value(await log.append(0, sealed.slice(2, 3)));
  await projected(store);
  value(await log.append(0, sealed.slice(3)));
  await projected(store);
  await eventually('the seal is told', () => first.told.length > 2);
  expect(first.told.slice(2)).toEqual([told]);
  await first.stop();
  const second = start(store);
  await eventually('the seal is told', () => second.told.length > 2);
  expect(second.told.slice(2)).toEqual([told]);
  await second.stop();
});

test.each<[string, readonly NewRecord[]]>([
  ['log-not-opened', records.slice(1, 50)],
  ['log-shortened', records.slice(0, 50)],
  ['foreign-log', [...records.slice(0, 99), ...records.slice(0, 10)]],
])('it ends for good with %s', async (code, content) => {
  const { append, start, projected, log } = openHouse();
  const store = emptyStore();
  if (code !== 'log-not-opened') {
    await append(0, 100);
    const before = start(store);
    await projected(store);
    await before.stop();
  }
  await log.close();
  const other = openHouse();
  for (const record of content) value(await other.log.append(0, [record]));
  const projector = other.start(store);
  expect(await projector.ended).toMatchObject({ code });
  expect(projector.told).toMatchObject([{ event: 'stopped-by', code, retryInMs: null }]);
  expect(projector.status()).toMatchObject({ active: false, problem: { code } });
});

test('it ends for good with foreign-log where the log is exchanged while it follows it', async () => {
  const { log, append, start, projected } = openHouse();
  const store = emptyStore();
  await append(0, 100);
  const other = openHouse();
  await other.append(1, 200);
  let isExchanged = false;
  const projector = start(store, {
    ...log,
    read: (...args) => (isExchanged ? other.log : log).read(...args),
  });
  await projected(store);
  const before = value(await store.dump('g1'));
  isExchanged = true;
  await append(100, 110);
  expect(await projector.ended).toMatchObject({ code: 'foreign-log' });
  expect(value(await store.dump('g1'))).toEqual(before);
});
