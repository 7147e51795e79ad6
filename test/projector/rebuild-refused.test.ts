import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { GenerationNote } from '../../services/core/generation-note.ts';
import { nextGeneration } from '../../services/core/generation-note.ts';
import { currentFoldVersion } from '../../services/core/projection.ts';
import { noFilter } from '../../services/core/record-filter.ts';
import { ok } from '../../services/core/result.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { foldToEnd, openGeneration, rebuild } from '../../services/projector/catch-up.ts';
import { generationNotes } from '../../services/projector/generation-notes.ts';
import { emptyStore, keyOf, openedAtMs, signed, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience, id, opened } from '../support/markers.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 9, audience, records: 60 });

const portsOf = async (
  content: readonly NewRecord[],
  store: ReadModelStore,
): Promise<ProjectionPorts> => {
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  value(await log.append(0, content));
  return { log, store, tools, audience, pinnedLogId: null };
};

const running: GenerationNote = {
  madeAt: openedAtMs,
  madeBy: 'operator',
  why: 'a look',
  filter: noFilter,
  to: null,
  state: 'running',
  seenAt: openedAtMs,
  rate: null,
  sampleShare: 0,
  seed: 1,
  switchedFrom: null,
};

/** Read models of the whole log, and the rows that readers see. */
const built = async (): Promise<{
  readonly store: ReadModelStore;
  readonly seen: () => Promise<readonly string[]>;
}> => {
  const store = emptyStore();
  value(await openGeneration(await portsOf(records, store)));
  return { store, seen: async () => value(await store.dump(value(await store.current()) ?? '')) };
};

describe('a rebuild that would send readers back is refused, and they see what they saw', () => {
  test('where the log has lost its tail', async () => {
    const { store, seen } = await built();
    const before = await seen();
    const rebuilt = await rebuild(await portsOf(records.slice(0, 20), store));
    expect(rebuilt).toMatchObject({ problem: { code: 'log-shortened' } });
    expect(await seen()).toEqual(before);
  });

  test('where the log is another one, though nobody pinned it', async () => {
    const { store, seen } = await built();
    const before = await seen();
    const another = opened(keyOf('admin'), { log: id('another log') });
    const rebuilt = await rebuild(
      await portsOf([await signed('admin', another, 'another'), ...records.slice(1)], store),
    );
    expect(rebuilt).toMatchObject({ problem: { code: 'foreign-log' } });
    expect(await seen()).toEqual(before);
  });
});

test('a newer release at the store of another log refuses before it writes anything there', async () => {
  const { store } = await built();
  const written: string[] = [];
  const olderAndForeign: ReadModelStore = {
    ...store,
    checkpoint: async (generation) => {
      const stands = await store.checkpoint(generation);
      if (!stands.ok || stands.value === undefined) return stands;
      return ok({ ...stands.value, foldVersion: currentFoldVersion - 1 });
    },
    commit: async (generation, step) => {
      written.push(`a step of ${generation}`);
      return store.commit(generation, step);
    },
    aside: {
      ...store.aside,
      write: async (entries) => {
        written.push(...entries.map(({ key }) => key));
        return store.aside.write(entries);
      },
    },
  };
  const another = opened(keyOf('admin'), { log: id('another log') });
  const ports = await portsOf(
    [await signed('admin', another, 'another'), ...records.slice(1)],
    olderAndForeign,
  );
  expect(await openGeneration(ports)).toMatchObject({ problem: { code: 'foreign-log' } });
  expect(written).toEqual([]);
  expect(value(await store.generations())).toEqual(['g1']);
});

test('a rebuild whose readers are ahead by what came meanwhile catches up with them', async () => {
  const { store } = await built();
  const ports = await portsOf(records, store);
  let isFirst = true;
  const busy: ReadModelStore = {
    ...store,
    checkpoint: async (generation) => {
      if (isFirst) {
        isFirst = false;
        value(await ports.log.append(0, records.slice(-3)));
        value(await openGeneration(ports));
      }
      return store.checkpoint(generation);
    },
  };
  const rebuilt = value(await rebuild({ ...ports, store: busy }));
  expect(rebuilt.state.next).toBe(records.length + 3);
});

test('a rebuild that another one has overtaken leaves its generation: a third may be about to take it', async () => {
  const { store, seen } = await built();
  const before = await seen();
  const ports = await portsOf(records, store);
  let overtaken: string | undefined;
  const slow: ReadModelStore = {
    ...store,
    switchTo: async (expected, generation) => {
      if (overtaken === undefined) {
        overtaken = generation;
        value(await rebuild(ports));
      }
      return store.switchTo(expected, generation);
    },
  };
  value(await rebuild({ ...ports, store: slow }));
  expect(value(await store.generations())).toContain(overtaken);
  expect(value(await store.current())).not.toBe(overtaken);
  expect(await seen()).toEqual(before);
});

test('a rebuild whose name a filtered replay takes at that moment folds under another, and whole', async () => {
  const { store, seen } = await built();
  const before = await seen();
  const ports = await portsOf(records, store);
  let taken: string | undefined;
  const contested: ReadModelStore = {
    ...store,
    commit: async (generation, step) => {
      if (step.from === undefined && taken === undefined) {
        taken = generation;
        value(await foldToEnd(ports, generation, { to: 1, filter: null, isNew: true }));
        const note = { ...running, filter: { ...noFilter, components: ['nothing'] } };
        value(await generationNotes.save(store, generation, note));
        value(await foldToEnd(ports, generation));
      }
      return store.commit(generation, step);
    },
  };
  const { generation } = value(await rebuild({ ...ports, store: contested }));
  expect(taken).toBeDefined();
  expect(generation).not.toBe(taken);
  expect(await seen()).toEqual(before);
});

test('the name of the first generation is no name for a replay', () => {
  expect(nextGeneration([])).toBe('g2');
});
