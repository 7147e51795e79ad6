import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { noteKey, readNote, writeNote } from '../../services/core/generation-note.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { currentFoldVersion } from '../../services/core/projection.ts';
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

const records = await hostileLog({ seed: 21, audience, records: 400 });
const pageRecords = 100;

const house = async (
  content: readonly NewRecord[] = records,
  store: ReadModelStore = emptyStore(),
) => {
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => nowMs });
  const append = async (more: readonly NewRecord[]): Promise<void> => {
    for (let at = 0; at < more.length; at += pageRecords)
      value(await log.append(0, more.slice(at, at + pageRecords)));
  };
  await append(content);
  const slept: number[] = [];
  const ports: ReplayPorts = {
    ...{ log, store, tools, audience, pinnedLogId: null },
    clock: {
      nowMs: () => nowMs,
      sleep: async (ms) => {
        slept.push(ms);
        nowMs += ms;
      },
    },
    fold: foldToEnd,
    notes: generationNotes,
    scratch: async () => ok(emptyStore()),
  };
  const dump = async (generation: Generation): Promise<readonly string[]> =>
    value(await store.dump(generation));
  const expected = async (): Promise<readonly string[]> => {
    const { end } = value(await log.range(0));
    return pureFold(value(await log.read(0, 0, 10_000)), audience).dumpAt(end);
  };
  const note = async (generation: Generation) => {
    const kept = value(await store.aside.read([noteKey(generation)])).get(noteKey(generation));
    return kept === undefined ? undefined : readNote(kept);
  };
  return {
    ...{ ports, log, store, append, slept, dump, expected, note },
    replay: openReplay(ports),
    passMs: (ms: number) => void (nowMs += ms),
  };
};

const wish = (more: Partial<Exclude<RunWish, { resume: Generation }>> = {}): RunWish => ({
  filter: noFilter,
  to: null,
  sampleShare: 0,
  seed: 1,
  by: { principal: 'admin', reason: 'a test' },
  rate: null,
  ...more,
});
const filtered = (part: Partial<RecordFilter>): RunWish =>
  wish({ filter: { ...noFilter, ...part } });
const namesOf = async (replay: Replaying): Promise<readonly string[]> =>
  value(await replay.status()).map(({ generation }) => generation);

describe('a replay', () => {
  test('folds beside the generation in use, which readers go on with', async () => {
    const { ports, replay, store, dump, expected, note } = await house();
    value(await openGeneration(ports));
    const ran = value(await replay.run(wish(), {}));
    expect(ran).toMatchObject({
      generation: 'g2',
      state: 'complete',
      next: records.length,
      folded: records.length,
      leftOut: 0,
      wrongChecks: [],
    });
    expect(ran.outcomes.reduce((sum, { count }) => sum + count, 0)).toBe(records.length);
    expect(await dump('g2')).toEqual(await expected());
    expect(value(await store.current())).toBe('g1');
    expect(await note('g2')).toMatchObject({
      ...{ state: 'complete', madeBy: 'admin', why: 'a test', switchedFrom: null },
    });
  });

  test('takes also what comes while it folds', async () => {
    const { ports, replay, append, dump, expected } = await house(records.slice(0, 300));
    value(await openGeneration(ports));
    let isFirst = true;
    const isWanted = (): boolean => {
      if (isFirst) void append(records.slice(300));
      isFirst = false;
      return true;
    };
    expect(value(await replay.run(wish(), { isWanted })).next).toBe(records.length);
    expect(await dump('g2')).toEqual(await expected());
  });

  test('of two that begin at once each has a generation of its own', async () => {
    const { replay } = await house();
    const ran = await Promise.all([
      replay.run(wish(), {}),
      replay.run(filtered({ components: ['checkout'] }), {}),
    ]);
    expect(ran.map((one) => value(one).generation).toSorted()).toEqual(['g2', 'g3']);
  });

  test('stops where it was asked to; a switch folds the rest', async () => {
    const { replay, dump, expected, store, ports } = await house();
    value(await openGeneration(ports));
    expect(value(await replay.run(wish({ to: 123 }), {})).next).toBe(123);
    value(await replay.switchTo('g2', { isForced: false }));
    expect(value(await store.current())).toBe('g2');
    expect(await dump('g2')).toEqual(await expected());
  });

  test('keeps to a rate', async () => {
    const { replay, slept } = await house();
    const ran = value(await replay.run(wish({ rate: 100 }), {}));
    const sleptMs = slept.reduce((sum, ms) => sum + ms, 0);
    // The first batch goes at once.
    expect(sleptMs).toBeGreaterThan(((ran.folded - 100) / 100) * 1000);
    expect(sleptMs).toBeLessThan((ran.folded / 100) * 1000 + 500);
  });

  test.each([4, 20, 90])(
    'at %d records a second comes evenly, also where checks are remembered and after time was lost',
    async (rate) => {
      const { ports, replay, passMs } = await house();
      value(await openGeneration(ports));
      const startMs = ports.clock.nowMs();
      let lostMs = 0;
      let before = 1;
      const ran = await replay.run(wish({ rate, to: 300 }), {
        onProgress: ({ next }) => {
          expect(next - before).toBeLessThanOrEqual(Math.ceil(rate / 4));
          before = next;
          if (next > 100 && lostMs === 0) passMs((lostMs = 60_000));
        },
      });
      expect(value(ran).next).toBe(300);
      const tookMs = ports.clock.nowMs() - startMs - lostMs;
      expect(tookMs).toBeGreaterThan((240 / rate) * 1000);
      expect(tookMs).toBeLessThan((320 / rate) * 1000);
    },
  );

  test('makes room for a projector that lags, and for nobody where none works', async () => {
    const lagging = await house(records);
    const { ports, store, slept } = lagging;
    value(await foldToEnd(ports, 'g1', { to: 5 }));
    value(await store.switchTo(undefined, 'g1'));
    const end = 100_000;
    const far: ReplayPorts = {
      ...ports,
      log: {
        ...ports.log,
        range: async (partition) => {
          const range = await ports.log.range(partition);
          return range.ok && isMoving ? ok({ ...range.value, end }) : range;
        },
      },
      fold: (foldPorts, generation, options) =>
        foldToEnd({ ...foldPorts, log: ports.log }, generation, options),
    };
    let isMoving = true;
    let live = 5;
    const working: ReadModelStore = {
      ...store,
      checkpoint: async (generation) => {
        if (generation === 'g1') {
          live += 1;
          value(await foldToEnd(ports, 'g1', { to: live }));
          lagging.passMs(1000);
        }
        return store.checkpoint(generation);
      },
    };
    value(await openReplay({ ...far, store: working }).run(wish({ rate: 1_000_000 }), {}));
    expect(slept.length).toBeGreaterThan(0);

    isMoving = false;
    const alone = await house(records);
    value(await foldToEnd(alone.ports, 'g1', { to: 5 }));
    value(await alone.store.switchTo(undefined, 'g1'));
    value(await alone.replay.run(wish(), {}));
    expect(alone.slept).toEqual([]);
  });
});

describe('a replay that is interrupted', () => {
  test('by whoever began it stands paused, and goes on to the same rows', async () => {
    const { replay, dump, expected, note } = await house();
    let asked = 0;
    const wanted = wish({ rate: 400 });
    const ran = value(await replay.run(wanted, { isWanted: () => (asked += 1) < 4 }));
    expect(ran.state).toBe('paused');
    expect(ran.next).toBeLessThan(records.length);
    expect(await note('g2')).toMatchObject({ state: 'paused', rate: 400 });
    const resumed = value(await replay.run({ resume: 'g2' }, {}));
    expect(resumed).toMatchObject({ generation: 'g2', state: 'complete' });
    expect(resumed.folded).toBe(records.length - ran.next);
    expect(await dump('g2')).toEqual(await expected());
  });

  test('by somebody else who asked for it pauses, too', async () => {
    const { replay, passMs, note } = await house();
    const ran = replay.run(wish({ rate: 40 }), {
      onProgress: ({ next }) => {
        passMs(1001);
        if (next > 40 && next < 80) void replay.pause('g2');
      },
    });
    expect(value(await ran).state).toBe('paused');
    expect(await note('g2')).toMatchObject({ state: 'paused' });
    expect(await replay.pause('g2')).toMatchObject({ problem: { code: 'generation-unknown' } });
  });

  test('by somebody else just when it says that it lives pauses all the same', async () => {
    const { ports, replay, passMs, store } = await house();
    let notesWritten = 0;
    const asking: ReadModelStore = {
      ...store,
      aside: {
        ...store.aside,
        write: async (entries) => {
          const ofNote = entries.some(({ key }) => key === noteKey('g2'));
          notesWritten += ofNote ? 1 : 0;
          // The first is the beginning; with the second it says that it lives.
          if (ofNote && notesWritten === 2) value(await replay.pause('g2'));
          return store.aside.write(entries);
        },
      },
    };
    const ran = openReplay({ ...ports, store: asking }).run(wish({ rate: 40 }), {
      onProgress: () => passMs(1001),
    });
    expect(value(await ran).state).toBe('paused');
  });

  test('by a kill goes on with the filter it was begun with, once it counts as dead', async () => {
    const { ports, store, replay, passMs, dump } = await house();
    const kinds = ['planned', 'started'] as const;
    let commits = 0;
    const dying: ReadModelStore = {
      ...store,
      commit: async (generation, step) => {
        commits += 1;
        if (commits === 3) throw new Error('killed');
        return store.commit(generation, step);
      },
    };
    const begun = openReplay({ ...ports, store: dying });
    await expect(
      begun.run(wish({ filter: { ...noFilter, kinds: [...kinds] }, rate: 200 }), {}),
    ).rejects.toThrow('killed');
    expect(await replay.run({ resume: 'g2' }, {})).toMatchObject({
      problem: { code: 'generation-in-use' },
    });
    passMs(60_001);
    expect(value(await replay.status())).toMatchObject([{ state: 'stopped' }]);
    const resumed = value(await replay.run({ resume: 'g2' }, {}));
    expect(resumed.filter.kinds).toEqual(kinds);
    const whole = await house();
    value(await whole.replay.run(filtered({ kinds: [...kinds] }), {}));
    expect(await dump('g2')).toEqual(await whole.dump('g2'));
  });

  test('cannot be resumed where nobody noted what it is for', async () => {
    const { ports, replay } = await house();
    value(await foldToEnd(ports, 'g1', { to: 1 }));
    for (const generation of ['g1', 'g9'])
      expect(await replay.run({ resume: generation }, {})).toMatchObject({
        problem: { code: 'generation-unknown' },
      });
  });
});

describe('a filter', () => {
  const rowsOf = async (part: Partial<RecordFilter>) => {
    const one = await house();
    value(await one.replay.run(filtered(part), {}));
    const timeline = value(await one.store.scan('g2', 'timeline', { rowsMax: 10_000 })).rows;
    const letters = value(await one.store.scan('g2', 'dead-letter', { rowsMax: 10_000 })).rows;
    const trust = value(await one.store.scan('g2', 'trust', { rowsMax: 10_000 })).rows;
    const environments = value(await one.store.scan('g2', 'environment', { rowsMax: 99 })).rows;
    const components = value(await one.store.scan('g2', 'component', { rowsMax: 99 })).rows;
    return {
      ...{ timeline, letters, trust },
      environments: environments.map(({ key }) => key),
      components: components.map(({ key }) => key),
    };
  };

  test('by environment or component takes those deployments whole, and no others', async () => {
    const all = await rowsOf({});
    const staging = await rowsOf({ environments: ['staging'] });
    expect(staging.environments).toEqual(['staging']);
    expect(staging.timeline.length).toBeGreaterThan(3);
    expect(staging.timeline.length).toBeLessThan(all.timeline.length);
    expect(staging.letters.every(({ value: row }) => !row.includes('"header-'))).toBe(true);
    const cart = await rowsOf({ components: ['cart'], environments: ['staging', 'production'] });
    expect(cart.components).toEqual(['cart']);
  });

  test('never leaves out keys', async () => {
    const all = await rowsOf({});
    expect((await rowsOf({ components: ['nothing'] })).trust).toEqual(all.trust);
    expect((await rowsOf({ from: records.length - 1 })).trust).toEqual(all.trust);
    expect((await rowsOf({ components: ['nothing'] })).timeline).toEqual([]);
  });

  test('by position or header takes those records', async () => {
    const late = await rowsOf({ from: 300 });
    expect(late.timeline.every(({ key }) => Number(key) >= 300)).toBe(true);
    expect(late.timeline.length).toBeGreaterThan(3);
    const none = await rowsOf({ headers: [{ name: 'ce_type', value: 'nothing' }] });
    expect([none.timeline, none.letters]).toEqual([[], []]);
  });

  test('stays with its generation, whoever folds it on', async () => {
    const { ports, replay, append, dump, store } = await house(records.slice(0, 200));
    value(await openGeneration(ports));
    value(await replay.run(filtered({ components: ['cart'] }), {}));
    expect(await replay.switchTo('g2', { isForced: false })).toMatchObject({
      problem: { code: 'generation-filtered' },
    });
    expect(value(await store.current())).toBe('g1');
    value(await replay.switchTo('g2', { isForced: true }));
    await append(records.slice(200));
    expect(value(await openGeneration(ports))).toMatchObject({ generation: 'g2' });
    const whole = await house();
    value(await whole.replay.run(filtered({ components: ['cart'] }), {}));
    expect(await dump('g2')).toEqual(await whole.dump('g2'));
  });

  test('that cannot be read stops whoever would fold it on, rather than let everything in', async () => {
    const { ports, replay, store } = await house(records.slice(0, 200));
    value(await replay.run(filtered({ components: ['cart'] }), {}));
    value(await store.aside.write([{ key: noteKey('g2'), value: '{' }]));
    expect(await foldToEnd(ports, 'g2')).toMatchObject({ problem: { code: 'corrupt' } });
  });
});

describe('a switch', () => {
  test('is one step, and back is one step, again and again', async () => {
    const { ports, replay, store, append, dump, expected } = await house(records.slice(0, 300));
    value(await openGeneration(ports));
    expect(await replay.back({ isStale: false })).toMatchObject({
      problem: { code: 'no-previous' },
    });
    value(await replay.run(wish(), {}));
    expect(value(await replay.switchTo('g2', { isForced: false }))).toMatchObject({
      ...{ from: 'g1', to: 'g2', lag: 0 },
    });
    // Nobody told the log of it, so it is still to be told.
    expect(value(await replay.switchTo('g2', { isForced: false }))).toMatchObject({
      ...{ from: 'g1', to: 'g2' },
    });
    await append(records.slice(300));
    value(await openGeneration(ports));
    for (const to of ['g1', 'g2', 'g1']) {
      expect(value(await replay.back({ isStale: false }))).toMatchObject({ to, lag: 0 });
      expect(value(await store.current())).toBe(to);
      expect(await dump(to)).toEqual(await expected());
    }
  });

  test('back to what is far behind is refused, or taken stale when that is said', async () => {
    const { ports, replay, store } = await house();
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    value(await replay.switchTo('g2', { isForced: false }));
    const far: ReplayPorts = {
      ...ports,
      log: { ...ports.log, range: async () => ok({ start: 0, end: records.length + 20_001 }) },
    };
    expect(await openReplay(far).back({ isStale: false })).toMatchObject({
      problem: { code: 'generation-behind' },
    });
    expect(value(await store.current())).toBe('g2');
    expect(value(await openReplay(far).back({ isStale: true }))).toMatchObject({ lag: 20_001 });
    expect(value(await store.current())).toBe('g1');
  });

  test('to rows of another version of the fold is refused', async () => {
    const { ports, replay, store } = await house();
    value(await openGeneration(ports));
    value(await replay.run(wish({ to: 9 }), {}));
    const older: ReadModelStore = {
      ...store,
      checkpoint: async (generation) => {
        const read = await store.checkpoint(generation);
        return read.ok && read.value !== undefined && generation === 'g2'
          ? ok({ ...read.value, foldVersion: currentFoldVersion - 1 })
          : read;
      },
    };
    expect(
      await openReplay({ ...ports, store: older }).switchTo('g2', { isForced: true }),
    ).toMatchObject({ problem: { code: 'generation-other-fold' } });
  });

  test('that somebody else was faster with does nothing', async () => {
    const { ports, replay, store } = await house();
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    value(await replay.run(wish(), {}));
    const racing: ReadModelStore = {
      ...store,
      switchTo: async (expected, generation) => {
        value(await store.switchTo('g1', 'g3'));
        return store.switchTo(expected, generation);
      },
    };
    expect(
      await openReplay({ ...ports, store: racing }).switchTo('g2', { isForced: false }),
    ).toMatchObject({ problem: { code: 'switched-meanwhile' } });
    expect(value(await store.current())).toBe('g3');
  });

  test('to a generation that somebody drops at the last moment leaves readers where they were', async () => {
    const { ports, replay, store } = await house(records.slice(0, 200));
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    const other: ReadModelStore = {
      ...store,
      switchTo: async (from, to) => {
        if (to === 'g2') value(await replay.drop('g2', { isForced: false }));
        return store.switchTo(from, to);
      },
    };
    const hasty = openReplay({ ...ports, store: other });
    expect(await hasty.switchTo('g2', { isForced: false })).toMatchObject({
      problem: { code: 'generation-unknown' },
    });
    expect(value(await store.current())).toBe('g1');
  });

  test('to a generation of a log that lost its tail is refused: readers are not sent back', async () => {
    const { ports, store } = await house();
    value(await openGeneration(ports));
    const shorter = await house(records.slice(0, 100));
    const replay = openReplay({ ...ports, log: shorter.log });
    value(await replay.run(wish(), {}));
    expect(await replay.switchTo('g2', { isForced: false })).toMatchObject({
      problem: { code: 'log-shortened' },
    });
    expect(value(await store.current())).toBe('g1');
  });
});

describe('a generation that goes', () => {
  test('is none that readers use, nor the one before unless that is said; its name is not given again', async () => {
    const { ports, replay } = await house(records.slice(0, 50));
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    value(await replay.run(wish(), {}));
    value(await replay.switchTo('g2', { isForced: false }));
    const inUse = { problem: { code: 'generation-in-use' } };
    expect(await replay.drop('g2', { isForced: true })).toMatchObject(inUse);
    expect(await replay.drop('g1', { isForced: false })).toMatchObject(inUse);
    expect(await replay.drop('g9', { isForced: true })).toMatchObject({
      problem: { code: 'generation-unknown' },
    });
    value(await replay.drop('g3', { isForced: false }));
    value(await replay.drop('g1', { isForced: true }));
    expect(await namesOf(replay)).toEqual(['g2']);
    expect(value(await replay.run(wish(), {})).generation).toBe('g4');
    expect(await replay.back({ isStale: false })).toMatchObject({
      problem: { code: 'no-previous' },
    });
  });

  test('beyond a few is dropped, the oldest first; what is paused or in use stays', async () => {
    const { ports, replay, store } = await house(records.slice(0, 50));
    value(await openGeneration(ports));
    value(await replay.run(wish({ rate: 20 }), { isWanted: () => false }));
    for (let count = 0; count < 5; count += 1) value(await replay.run(wish(), {}));
    value(await replay.switchTo('g4', { isForced: false }));
    const rows = value(await store.dump('g4')).length;
    expect(value(await replay.dropBeyondKept())).toEqual([
      { generation: 'g3', rows, next: 50 },
      { generation: 'g5', rows, next: 50 },
    ]);
    expect(await namesOf(replay)).toEqual(['g1', 'g2', 'g4', 'g6', 'g7']);
  });
});

describe('two generations compared', () => {
  test('are the same where they are of the same records', async () => {
    const { ports, replay } = await house();
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    const diff = value(await replay.diff('g2', null, {}));
    expect(diff).toMatchObject({ models: [], differences: [], isCut: false });
    expect(diff.first.rowsDigest).toBe(diff.second.rowsDigest);
  });

  test('are brought to the same position first, also while a projector goes on', async () => {
    const { ports, replay, append, store } = await house(records.slice(0, 200));
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    await append(records.slice(200, 300));
    value(await openGeneration(ports));
    expect(value(await replay.diff('g2', 'g1', {}))).toMatchObject({
      ...{ first: { next: 300 }, second: { next: 300 }, differences: [] },
    });
    let walks = 0;
    const busy: ReadModelStore = {
      ...store,
      walk: async (...args) => {
        walks += 1;
        if (walks === 2) {
          await append(records.slice(300, 310));
          value(await foldToEnd(ports, 'g1'));
        }
        return store.walk(...args);
      },
    };
    const diff = value(await openReplay({ ...ports, store: busy }).diff('g2', 'g1', {}));
    expect(diff.differences).toEqual([]);
    expect(diff.first.next).toBe(310);
  });

  test('say by how much one is behind that was asked to stop, and what is only for that', async () => {
    const { ports, replay } = await house();
    value(await openGeneration(ports));
    value(await replay.run(wish({ to: 350 }), {}));
    const diff = value(await replay.diff('g2', null, {}));
    expect([diff.first.next, diff.second.next]).toEqual([350, records.length]);
    expect(diff.differences.length).toBeGreaterThan(5);
    expect(new Set(diff.differences.map(({ why }) => why))).toEqual(new Set(['behind']));
    const letters = diff.differences.filter(({ model }) => model === 'dead-letter');
    expect(letters.every(({ secondPosition }) => (secondPosition ?? 0) >= 350)).toBe(true);
  });

  test('differ by what a filter left out, by model, each with its newest record', async () => {
    const { ports, replay } = await house();
    value(await openGeneration(ports));
    value(await replay.run(filtered({ components: ['cart'] }), {}));
    const diff = value(await replay.diff('g2', null, {}));
    expect(diff.differences.every(({ why }) => why === 'left-out')).toBe(true);
    const timeline = diff.models.find(({ model }) => model === 'timeline');
    expect(timeline).toMatchObject({ removed: 0, changed: 0 });
    expect(timeline?.added).toBe(
      diff.differences.filter(({ model }) => model === 'timeline').length,
    );
    const absent = diff.differences.filter(({ model }) => model === 'timeline');
    expect(absent.map(({ first }) => first)).toEqual(absent.map(() => null));
    expect(absent.every(({ secondPosition }) => secondPosition !== null)).toBe(true);
  });

  test.each([
    ['is gone from the whole one', 'g1', 'cart', null],
    ['is changed in the whole one', 'g1', 'checkout', '{"lastPosition":4}'],
    ['is planted in the whole one', 'g1', 'moon', '{"lastPosition":4}'],
    ['is gone from the filtered one', 'g2', 'cart', null],
    ['is planted in the filtered one', 'g2', 'moon', '{"lastPosition":4}'],
  ])('blame no filter for a row that %s', async (_what, generation, key, text) => {
    const { ports, replay, store } = await house();
    value(await openGeneration(ports));
    value(await replay.run(filtered({ components: ['cart'] }), {}));
    const before = value(await replay.diff('g2', null, {})).differences;
    const checkpoint = value(await store.checkpoint(generation));
    if (checkpoint === undefined) throw new Error('there is one');
    const planted = { model: 'component', key, value: text };
    value(
      await store.commit(generation, {
        ...{ from: checkpoint, to: checkpoint },
        writes: [planted],
      }),
    );
    const { differences } = value(await replay.diff('g2', null, {}));
    const unexplained = differences.filter(({ why }) => why === 'unexplained');
    expect(unexplained.map(({ model, key: of }) => [model, of])).toEqual([['component', key]]);
    const isPlanted = (row: { readonly model: string; readonly key: string }): boolean =>
      row.model === planted.model && row.key === key;
    expect(differences.filter((row) => !isPlanted(row))).toEqual(
      before.filter((row) => !isPlanted(row)),
    );
  });

  test('show a damaged row as what nothing explains, with the parts that differ', async () => {
    const { ports, replay, store } = await house();
    value(await openGeneration(ports));
    value(await replay.run(wish(), {}));
    const [row] = value(await store.scan('g2', 'environment', { rowsMax: 1 })).rows;
    const checkpoint = value(await store.checkpoint('g2'));
    if (row === undefined || checkpoint === undefined) throw new Error('there is one');
    const damaged = JSON.stringify({
      ...(JSON.parse(row.value) as object),
      ...{ attempts: 999, seenWith: ['nobody'] },
    });
    value(
      await store.commit('g2', {
        ...{ from: checkpoint, to: checkpoint },
        writes: [{ model: 'environment', key: row.key, value: damaged }],
      }),
    );
    const diff = value(await replay.diff('g1', 'g2', {}));
    expect(diff.differences).toMatchObject([
      {
        ...{ model: 'environment', key: row.key, first: row.value, second: damaged },
        ...{ why: 'unexplained', parts: expect.arrayContaining(['attempts', 'seenWith.0']) },
      },
    ]);
    expect(diff.differences[0]?.firstPosition).toBe(diff.differences[0]?.secondPosition);
  });
});

describe('a plan', () => {
  const choice = { filter: noFilter, to: null, sampleShare: 0, seed: 1 };

  test('counts what would be folded, and what of it is remembered', async () => {
    const { ports, replay } = await house();
    value(await openGeneration(ports));
    const plan = value(await replay.plan(choice, { hasEffect: true }));
    const sum = (counts: readonly { readonly count: number }[]): number =>
      counts.reduce((all, { count }) => all + count, 0);
    expect(plan).toMatchObject({ to: records.length, records: records.length });
    for (const counts of [plan.kinds, plan.signers, plan.outcomes])
      expect(sum(counts)).toBe(records.length);
    expect(plan.kinds.map(({ name }) => name)).toContain('planned');
    expect(plan.components.map(({ name }) => name)).toContain('checkout');
    expect(plan.signers.map(({ name }) => name)).toContain('wide');
    // All but record 0, which is always checked.
    expect(plan.remembered).toBe(records.length - 1);
    const bytes = records.reduce(
      (all, { value: body, headers }) =>
        all +
        body.length +
        headers.reduce((of, header) => of + header.name.length + header.value.length, 0),
      0,
    );
    expect(plan.bytes).toBe(bytes);
    expect(plan.effect).toMatchObject({ models: [], differences: [] });
  });

  test('shows which rows would change, and changes none', async () => {
    const { ports, replay, store, dump } = await house();
    value(await openGeneration(ports));
    const before = await dump('g1');
    const filter = { ...noFilter, components: ['cart'] };
    const plan = value(await replay.plan({ ...choice, filter }, { hasEffect: true }));
    value(await replay.run(filtered({ components: ['cart'] }), {}));
    const diff = value(await replay.diff('g1', 'g2', {}));
    expect(plan.effect?.models).toEqual(diff.models);
    expect(plan.effect?.differences).toEqual(diff.differences);
    expect(plan.records).toBeLessThan(records.length);
    expect(await dump('g1')).toEqual(before);
    expect(value(await store.generations())).toEqual(['g1', 'g2']);
  });

  test('measures in the store itself, leaves nothing there, and folds nothing it was not asked for', async () => {
    const { ports, replay, store, passMs } = await house();
    value(await openGeneration(ports));
    const slow: ReadModelStore = {
      ...store,
      commit: async (generation, step) => {
        passMs(100);
        return store.commit(generation, step);
      },
    };
    const plan = value(
      await openReplay({ ...ports, store: slow }).plan(
        { ...choice, to: 200 },
        { hasEffect: false },
      ),
    );
    expect(plan).toMatchObject({ to: 200, effect: null });
    expect(plan.recordsPerSecond).toBeGreaterThan(100);
    expect(plan.recordsPerSecond).toBeLessThan(2000);
    expect(plan.seconds).toBeCloseTo(200 / (plan.recordsPerSecond ?? 1));
    expect(await namesOf(replay)).toEqual(['g1']);
  });

  test('blames its filter for no row that somebody else planted, and takes the filter of the one in use', async () => {
    const { ports, replay, store } = await house();
    value(await openGeneration(ports));
    const checkpoint = value(await store.checkpoint('g1'));
    if (checkpoint === undefined) throw new Error('there is one');
    const writes = [{ model: 'component', key: 'moon', value: '{"lastPosition":4}' }];
    value(await store.commit('g1', { from: checkpoint, to: checkpoint, writes }));
    const filter = { ...noFilter, components: ['cart'] };
    const whysOf = async (): Promise<ReadonlyMap<string, string>> => {
      const plan = value(await replay.plan({ ...choice, filter }, { hasEffect: true }));
      return new Map(plan.effect?.differences.map(({ key, why }) => [key, why]));
    };
    const blamed = await whysOf();
    expect([blamed.get('moon'), blamed.get('checkout')]).toEqual(['unexplained', 'left-out']);
    value(await replay.run(filtered({ components: ['checkout'] }), {}));
    value(await replay.switchTo('g2', { isForced: true }));
    const other = await whysOf();
    expect([other.get('cart'), other.get('checkout')]).toEqual(['left-out', 'left-out']);
  });

  test('of an empty log is refused, and where readers use nothing there is no effect', async () => {
    expect(await (await house([])).replay.plan(choice, { hasEffect: true })).toMatchObject({
      problem: { code: 'log-empty' },
    });
    const { replay } = await house();
    expect(value(await replay.plan(choice, { hasEffect: true })).effect).toBeNull();
  });
});

test('the status of a generation whose note was rewritten by hand is told as damage', async () => {
  const { replay, store, note } = await house(records.slice(0, 50));
  value(await replay.run(wish(), {}));
  const kept = await note('g2');
  if (kept === undefined) throw new Error('there is a note');
  const entry = { key: noteKey('g2'), value: writeNote(kept).replace('"complete"', '"done"') };
  value(await store.aside.write([entry]));
  expect(await replay.status()).toMatchObject({ problem: { code: 'corrupt' } });
});

test('a generation whose note cannot be read is dropped, as its problem says; of the others nobody is misled', async () => {
  const { replay, store } = await house(records.slice(0, 50));
  value(await replay.run(wish(), {}));
  value(await replay.run(wish(), {}));
  value(await replay.switchTo('g2', { isForced: false }));
  value(await store.aside.write([{ key: noteKey('g3'), value: '{' }]));
  expect(await replay.status()).toMatchObject({
    problem: { code: 'corrupt', message: expect.stringContaining('drop it') },
  });
  expect(await replay.drop('g2', { isForced: false })).toMatchObject({
    problem: { code: 'generation-in-use' },
  });
  expect(value(await replay.drop('g3', { isForced: false })).generation).toBe('g3');
  expect(value(await replay.status()).map(({ generation }) => generation)).toEqual(['g2']);
});
