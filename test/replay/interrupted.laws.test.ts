import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { Kind } from '../../services/core/markers/marker.ts';
import type { RecordFilter } from '../../services/core/record-filter.ts';
import { noFilter } from '../../services/core/record-filter.ts';
import { ok } from '../../services/core/result.ts';
import type { Generation, ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { Replaying, RunWish } from '../../services/ports/replaying.ts';
import { foldToEnd, openGeneration } from '../../services/projector/catch-up.ts';
import { generationNotes } from '../../services/projector/generation-notes.ts';
import type { ReplayPorts } from '../../services/replay/ports.ts';
import { openReplay } from '../../services/replay/replay.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 31, audience, records: 160 });
const deadAfterMs = 61_000;

const wish = (more: Partial<Exclude<RunWish, { resume: Generation }>> = {}): RunWish => ({
  ...{ filter: noFilter, to: null, sampleShare: 0.1, seed: 1, rate: null },
  by: { principal: 'admin', reason: 'a law' },
  ...more,
});

const house = async (content: readonly NewRecord[] = records) => {
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  for (let at = 0; at < content.length; at += 50)
    value(await log.append(0, content.slice(at, at + 50)));
  const store = emptyStore();
  const ports: ReplayPorts = {
    ...{ log, store, tools, audience, pinnedLogId: null },
    clock: { nowMs: () => nowMs, sleep: async (ms) => void (nowMs += ms) },
    fold: foldToEnd,
    notes: generationNotes,
    scratch: async () => ok(emptyStore()),
  };
  const whole = pureFold(value(await log.read(0, 0, 10_000)), audience);
  return { ports, store, whole, passMs: (ms: number) => void (nowMs += ms) };
};

const unfinished: ReadonlySet<string> = new Set(['stopped', 'paused']);

class Killed extends Error {}

/** A store whose user dies at a write: before it, or when it is done and nobody has heard of it. */
const mortal = (store: ReadModelStore, at: number, when: 'before' | 'after') => {
  let writes = 0;
  let isOver = false;
  const writing = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    writes += 1;
    if (writes === at && when === 'before') isOver = true;
    if (isOver) throw new Killed();
    const done = await work();
    if (writes === at) {
      isOver = true;
      throw new Killed();
    }
    return done;
  };
  const dying: ReadModelStore = {
    ...store,
    commit: (...args) => writing(() => store.commit(...args)),
    switchTo: (...args) => writing(() => store.switchTo(...args)),
    drop: (...args) => writing(() => store.drop(...args)),
    aside: { ...store.aside, write: (...args) => writing(() => store.aside.write(...args)) },
  };
  return { store: dying, isOver: () => isOver };
};

/** Everything that an operator does, one after the other. */
const wholeStory = async (replay: Replaying): Promise<void> => {
  const { generation } = value(await replay.run(wish({ rate: 100 }), {}));
  value(await replay.switchTo(generation, { isForced: false }));
  value(await replay.back({ isStale: false }));
  value(await replay.back({ isStale: false }));
  const [first] = value(await replay.status());
  if (first !== undefined && !first.isCurrent)
    value(await replay.drop(first.generation, { isForced: true }));
};

describe('whoever is killed at any write of a run, a switch, a way back or a drop', () => {
  test.each(['before', 'after'] as const)(
    'dying %s it leaves readers whole rows, and the next one goes on',
    async (when) => {
      let kills = 0;
      for (let at = 1; ; at += 1) {
        const { ports, store, whole, passMs } = await house();
        value(await openGeneration(ports));
        const dying = mortal(store, at, when);
        const story = wholeStory(openReplay({ ...ports, store: dying.store }));
        await story.catch((cause: unknown) => {
          if (!(cause instanceof Killed)) throw cause;
        });
        const current = value(await store.current()) ?? '';
        expect(value(await store.dump(current))).toEqual(whole.dumpAt(records.length));
        if (!dying.isOver()) break;
        kills += 1;

        passMs(deadAfterMs);
        const replay = openReplay(ports);
        const found = value(await replay.status());
        for (const { generation, next } of found)
          expect(value(await store.dump(generation))).toEqual(whole.dumpAt(next));
        for (const { generation } of found.filter(({ state }) => unfinished.has(state)))
          expect(value(await replay.run({ resume: generation }, {}))).toMatchObject({
            ...{ state: 'complete', next: records.length },
          });
        // And the whole story may be told again.
        await wholeStory(replay);
        const now = value(await store.current()) ?? '';
        expect(value(await store.dump(now))).toEqual(whole.dumpAt(records.length));
        const used = value(await replay.status()).filter(({ isCurrent }) => isCurrent);
        expect(used).toHaveLength(1);
      }
      expect(kills).toBeGreaterThanOrEqual(12);
    },
  );
});

const filters: fc.Arbitrary<RecordFilter> = fc.record({
  from: fc.option(fc.nat(records.length)),
  environments: fc.subarray(['production', 'staging', 'staging-eu', 'nowhere']),
  components: fc.subarray(['checkout', 'cart']),
  kinds: fc.subarray<Kind>(['planned', 'started', 'succeeded', 'logged']),
  headers: fc.constant([]),
});

describe('a filtered generation', () => {
  test('is the same however often it was paused, and however its batches were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        filters,
        fc.array(fc.nat(6), { maxLength: 6 }),
        fc.integer({ min: 4, max: 900 }),
        async (filter, pauses, rate) => {
          const once = await house();
          value(await openReplay(once.ports).run(wish({ filter }), {}));
          const often = await house();
          const replay = openReplay(often.ports);
          let left = pauses[0] ?? 99;
          value(await replay.run(wish({ filter, rate }), { isWanted: () => (left -= 1) >= 0 }));
          for (const batches of pauses.slice(1)) {
            left = batches;
            value(await replay.run({ resume: 'g2' }, { isWanted: () => (left -= 1) >= 0 }));
          }
          value(await replay.run({ resume: 'g2' }, {}));
          expect(value(await often.store.dump('g2'))).toEqual(value(await once.store.dump('g2')));
          expect(value(await often.store.checkpoint('g2'))).toEqual(
            value(await once.store.checkpoint('g2')),
          );
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('remembered checks', () => {
  const damages = ['gone', 'damaged', 'cut short', 'of another place'] as const;

  test('give the same rows, whatever became of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(9), fc.constantFrom(...damages)), { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 0.01, 0.3, 1),
        fc.nat(),
        async (damaged, cuts, sampleShare, seed) => {
          const { ports, store, whole } = await house();
          let to = 1;
          for (const cut of [...cuts, records.length]) {
            to = Math.min(records.length, to + cut);
            value(await foldToEnd(ports, 'g1', { to, recordsMax: 1 + (cut % 60) }));
          }
          const entries = value(await store.aside.scan({ prefix: 'checks/', rowsMax: 100 }));
          for (const [which, how] of damaged) {
            const entry = entries[which % Math.max(1, entries.length)];
            if (entry === undefined) continue;
            const other = entries[0]?.value ?? '';
            const values = {
              ...{ gone: null, damaged: entry.value.replace('"to"', '"ot"') },
              ...{ 'cut short': entry.value.slice(0, 40), 'of another place': other },
            };
            value(await store.aside.write([{ key: entry.key, value: values[how] }]));
          }
          const checks = { aside: store.aside, sampleShare, seed };
          for (const generation of ['g2', 'g3']) {
            value(await foldToEnd(ports, generation, { checks, recordsMax: 1 + (seed % 90) }));
            expect(value(await store.dump(generation))).toEqual(whole.dumpAt(records.length));
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
