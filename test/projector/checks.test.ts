import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { CheckTools } from '../../services/core/check/check-record.ts';
import {
  isSampled,
  rangesPrefix,
  readRange,
  writeRange,
} from '../../services/core/check/remembered.ts';
import type { NewRecord, Position } from '../../services/core/log/record.ts';
import { fail } from '../../services/core/result.ts';
import type {
  BelievedChecks,
  FoldOptions,
  ProjectionPorts,
  WrongChecks,
} from '../../services/ports/projecting.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience, logId } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 11, audience, records: 600 });
/** Few, so that several ranges are remembered. */
const recordsPerStep = 200;

/** A log, a store, and how many signatures were checked. */
const openHouse = async (
  content: readonly NewRecord[] = records,
  store: ReadModelStore = emptyStore(),
) => {
  let verified = 0;
  const counting: CheckTools = {
    ...tools,
    crypto: {
      ...tools.crypto,
      verify: (...args) => {
        verified += 1;
        return tools.crypto.verify(...args);
      },
    },
  };
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  for (let at = 0; at < content.length; at += 100)
    value(await log.append(0, content.slice(at, at + 100)));
  const ports: ProjectionPorts = { log, store, tools: counting, audience, pinnedLogId: null };
  const expected = async (): Promise<readonly string[]> =>
    pureFold(value(await log.read(0, 0, 10_000)), audience).dumpAt(value(await log.range(0)).end);
  /** Folds into a new generation; answers how many signatures were checked for it. */
  const fold = async (generation: string, options: FoldOptions = {}): Promise<number> => {
    const before = verified;
    value(await foldToEnd(ports, generation, { recordsMax: recordsPerStep, ...options }));
    expect(value(await store.dump(generation))).toEqual(await expected());
    return verified - before;
  };
  const wrong: WrongChecks[] = [];
  const believing = (more: Partial<BelievedChecks> = {}): FoldOptions => ({
    checks: {
      aside: store.aside,
      sampleShare: 0,
      seed: 1,
      onWrong: (range) => void wrong.push(range),
      ...more,
    },
  });
  const ranges = async () =>
    value(await store.aside.scan({ prefix: rangesPrefix(logId), rowsMax: 1_000 })).map((entry) => ({
      ...entry,
      range: readRange(entry.key, entry.value),
    }));
  return { ports, fold, believing, ranges, wrong, wrongFound: () => wrong.splice(0) };
};

/** Only record 0, which names its own key, is always checked. */
const opening = 1;

describe('a fold that believes what was remembered', () => {
  test('checks no signature again and comes to the same read models', async () => {
    const { fold, believing, wrongFound } = await openHouse();
    const all = await fold('g1');
    expect(all).toBeGreaterThan(450);
    expect(await fold('g2', believing())).toBe(opening);
    expect(wrongFound()).toEqual([]);
  });

  test('checks the share it is told to, the same for the same seed', async () => {
    const { fold, believing } = await openHouse();
    const all = await fold('g1');
    const some = await fold('g2', believing({ sampleShare: 0.1 }));
    expect(some).toBeGreaterThan(25);
    expect(some).toBeLessThan(120);
    expect(await fold('g3', believing({ sampleShare: 0.1 }))).toBe(some);
    expect(await fold('g4', believing({ sampleShare: 1 }))).toBe(all);
  });

  test('is the same however its batches are cut', async () => {
    const { fold, believing } = await openHouse();
    await fold('g1', { recordsMax: 37 });
    for (const recordsMax of [1, 150, 200, 333, 5_000])
      expect([recordsMax, await fold(`g${recordsMax}x`, { ...believing(), recordsMax })]).toEqual([
        recordsMax,
        opening,
      ]);
  });

  test('checks what nobody remembers, remembers it, and goes on believing behind it', async () => {
    const { ports, fold, believing, ranges } = await openHouse();
    await fold('g1');
    const [, second] = await ranges();
    value(await ports.store.aside.write([{ key: second?.key ?? '', value: null }]));
    const hole = second?.range === undefined ? 0 : second.range.to - second.range.from;
    const checked = await fold('g2', believing());
    expect(checked).toBeGreaterThan(opening + hole / 2);
    expect(checked).toBeLessThan(opening + hole * 1.5);
    expect(await fold('g3', believing())).toBe(opening);
  });

  test('up to a position inside a range checks that part itself', async () => {
    const { ports, fold, believing } = await openHouse();
    await fold('g1');
    const options = { ...believing(), to: 333 };
    expect(value(await foldToEnd(ports, 'then', options)).state.next).toBe(333);
    expect(value(await ports.store.dump('then'))).toEqual(
      pureFold(value(await ports.log.read(0, 0, 10_000)), audience).dumpAt(333),
    );
    expect(await fold('then', believing())).toBeGreaterThan(0);
    expect(await fold('g2', believing())).toBe(opening);
  });
});

describe('what is remembered', () => {
  test('of single records is kept in ranges, also when each is folded by another process', async () => {
    const { ports, fold, believing, ranges } = await openHouse(records.slice(0, 450));
    for (let to = 1; to <= 450; to += 1) value(await foldToEnd(ports, 'g1', { to }));
    expect((await ranges()).map(({ range }) => range && [range.from, range.to])).toEqual([
      [1, 201],
      [201, 401],
      [401, 450],
    ]);
    expect(await fold('g2', believing())).toBe(opening);
  });

  test('is not believed for other bytes: the log says what happened, not the store', async () => {
    const store = emptyStore();
    const first = await openHouse(records, store);
    await first.fold('g1');
    // The same log id, and from position 250 on another history.
    const others = await hostileLog({ seed: 12, audience, records: 600 });
    const second = await openHouse([...records.slice(0, 250), ...others.slice(250)], store);
    expect(await second.fold('g2', second.believing())).toBeGreaterThan(250);
    const found = second.wrongFound();
    expect(found.every(({ why, to }) => why === 'other-bytes' && to > 250)).toBe(true);
    expect(found.length).toBeGreaterThan(1);
    expect(await second.fold('g3', second.believing())).toBe(opening);
    expect(second.wrongFound()).toEqual([]);
  });

  test('and cannot be read or kept harms nobody', async () => {
    const away = fail({ code: 'unreachable', message: 'away' } as const);
    const store = emptyStore();
    const deaf: ReadModelStore = {
      ...store,
      aside: { ...store.aside, write: async () => away, scan: async () => away },
    };
    const { fold, believing } = await openHouse(records, deaf);
    const all = await fold('g1');
    expect(await fold('g2', believing())).toBe(all);
  });
});

describe('a remembered range that is wrong', () => {
  const lie = async (
    house: Awaited<ReturnType<typeof openHouse>>,
    which: number,
  ): Promise<{ readonly at: Position; readonly wrong: WrongChecks }> => {
    const entry = (await house.ranges())[which];
    if (entry?.range === undefined) throw new Error('there is no such range');
    const { range, key } = entry;
    const at = range.outcomes.indexOf('b');
    expect(at).toBeGreaterThanOrEqual(0);
    const outcomes = range.outcomes.with(at, 'g');
    value(
      await house.ports.store.aside.write([{ key, value: writeRange({ ...range, outcomes }) }]),
    );
    return {
      at: range.from + at,
      wrong: { from: range.from, to: range.to, why: 'other-outcome' },
    };
  };

  test('is found by checking it, named, checked anew and remembered anew', async () => {
    const house = await openHouse();
    const all = await house.fold('g1');
    const lies = [await lie(house, 1), await lie(house, 2)];
    // The rows are right all the same.
    // Both lie in one batch, and become one range.
    const whole = { ...house.believing({ sampleShare: 1 }), recordsMax: 1_000 };
    expect(await house.fold('g2', whole)).toBeGreaterThan(all);
    expect(house.wrongFound()).toEqual(lies.map(({ wrong }) => wrong));
    const kept = (await house.ranges()).map(({ range }) => range);
    expect(kept.map((range) => range?.from)).toEqual(
      [1, ...kept.map((range) => range?.to)].slice(0, -1),
    );
    expect(await house.fold('g3', house.believing({ sampleShare: 1 }))).toBe(all);
    expect(await house.fold('g4', house.believing())).toBe(opening);
    expect(house.wrongFound()).toEqual([]);
  });

  test('is found by a sample that hits it, and then nothing of it is believed', async () => {
    const house = await openHouse();
    await house.fold('g1');
    const told = await lie(house, 1);
    const hits = (seed: number): boolean => isSampled(seed, 0.05, told.at);
    const seeds = Array.from({ length: 200 }, (_, seed) => seed);
    const seed = seeds.find(hits) ?? -1;
    const miss = seeds.find((each) => !hits(each)) ?? -1;
    // A sample that misses it cannot know.
    value(await foldToEnd(house.ports, 'g2', house.believing({ sampleShare: 0.05, seed: miss })));
    expect(house.wrongFound()).toEqual([]);
    await house.fold('g3', house.believing({ sampleShare: 0.05, seed }));
    expect(house.wrongFound()).toEqual([told.wrong]);
  });

  test.each([
    ['text that is none', '{'],
    ['outcomes that are too few', 'short'],
  ])('%s: named, checked anew and remembered anew', async (_, damage) => {
    const house = await openHouse();
    await house.fold('g1');
    const entry = (await house.ranges())[1];
    if (entry?.range === undefined) throw new Error('there is no such range');
    const { range, key } = entry;
    const short = writeRange({ ...range, outcomes: range.outcomes.slice(1) });
    value(
      await house.ports.store.aside.write([{ key, value: damage === 'short' ? short : damage }]),
    );
    expect(await house.fold('g2', house.believing())).toBeGreaterThan(100);
    expect(house.wrongFound()).toEqual([{ from: range.from, to: range.from, why: 'damaged' }]);
    expect(await house.fold('g3', house.believing())).toBe(opening);
    expect(house.wrongFound()).toEqual([]);
  });
});
