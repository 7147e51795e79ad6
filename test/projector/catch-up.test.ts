import { describe, expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import {
  generationPrefix,
  noteKey,
  readNote,
  writeNote,
} from '../../services/core/generation-note.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { currentFoldVersion } from '../../services/core/projection.ts';
import { ok } from '../../services/core/result.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { foldToEnd, openGeneration, rebuild } from '../../services/projector/catch-up.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import { emptyStore, openedAtMs, tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { audience, logId } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

const records = await hostileLog({ seed: 3, audience, records: 500 });
const perAppend = 100;

const logOf = async (content: readonly NewRecord[]): Promise<RecordLog> => {
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs });
  for (let at = 0; at < content.length; at += perAppend)
    value(await log.append(0, content.slice(at, at + perAppend)));
  return log;
};

const portsOf = (log: RecordLog, store: ReadModelStore = emptyStore()): ProjectionPorts => ({
  log,
  store,
  tools,
  audience,
  pinnedLogId: null,
});

/** Everything that the log holds, folded. */
const folded = async (log: RecordLog): Promise<readonly string[]> => {
  const stored = value(await log.read(0, 0, 10_000));
  return pureFold(stored, audience).dumpAt(stored.length);
};
const dump = async ({ store }: ProjectionPorts): Promise<readonly string[]> =>
  value(await store.dump(value(await store.current()) ?? ''));

describe('the first use of a store', () => {
  test('folds the log from record 0 and points readers to it', async () => {
    const ports = portsOf(await logOf(records));
    const opened = value(await openGeneration(ports));
    expect(opened).toMatchObject({ generation: 'g1', state: { next: records.length } });
    expect(await dump(ports)).toEqual(await folded(ports.log));
  });

  test('ends with log-empty while nothing lies on the log', async () => {
    const ports = portsOf(await logOf([]));
    expect(await openGeneration(ports)).toMatchObject({ problem: { code: 'log-empty' } });
  });

  test('finished by somebody else meanwhile is used as it is', async () => {
    const log = await logOf(records);
    const store = emptyStore();
    let isFirst = true;
    const slow: ReadModelStore = {
      ...store,
      switchTo: async (expected, generation) => {
        if (isFirst) value(await rebuild(portsOf(log, store)));
        isFirst = false;
        return store.switchTo(expected, generation);
      },
    };
    expect(value(await openGeneration(portsOf(log, slow))).generation).toBe('g2');
    expect(value(await store.current())).toBe('g2');
    expect(await dump(portsOf(log, store))).toEqual(await folded(log));
  });
});

describe('whoever folds beside another', () => {
  test('loses nothing that the other writes to the old generation after a rebuild has switched', async () => {
    const log = await logOf(records.slice(0, 100));
    const ports = portsOf(log);
    value(await openGeneration(ports));
    const switching: ReadModelStore = {
      ...ports.store,
      switchTo: async (expected, generation) => {
        const switched = await ports.store.switchTo(expected, generation);
        value(await log.append(0, records.slice(100, 150)));
        value(await foldToEnd(ports, 'g1'));
        return switched;
      },
    };
    value(await rebuild({ ...ports, store: switching }));
    expect(value(await ports.store.current())).toBe('g2');
    expect(value(await ports.store.generations())).toEqual(['g1', 'g2']);
    expect(await dump(ports)).toEqual(await folded(log));
  });

  test('does not take what the other has folded meanwhile for a shortened log', async () => {
    const log = await logOf(records.slice(0, 100));
    const ports = portsOf(log);
    value(await openGeneration(ports));
    let isFirst = true;
    const busy: RecordLog = {
      ...log,
      range: async (partition) => {
        const range = await log.range(partition);
        if (isFirst) {
          isFirst = false;
          value(await log.append(0, records.slice(100, 150)));
          value(await openGeneration(ports));
        }
        return range;
      },
    };
    const opened = value(await openGeneration({ ...ports, log: busy }));
    expect(opened.state.next).toBe(150);
    expect(await dump(ports)).toEqual(await folded(log));
  });

  test('goes on where the other stands when its own step is refused', async () => {
    const log = await logOf(records);
    const store = emptyStore();
    let isFirst = true;
    const overtaken: ReadModelStore = {
      ...store,
      commit: async (generation, step) => {
        if (isFirst) value(await foldToEnd(portsOf(log, store), generation));
        isFirst = false;
        return store.commit(generation, step);
      },
    };
    value(await openGeneration(portsOf(log, overtaken)));
    expect(await dump(portsOf(log, store))).toEqual(await folded(log));
  });

  test('stops between two steps when nobody wants it any more, and what was written stays', async () => {
    const ports = portsOf(await logOf(records));
    let batches = 0;
    const stopped = await openGeneration(ports, { isWanted: () => (batches += 1) <= 1 });
    expect(stopped).toMatchObject({ problem: { code: 'stopped' } });
    const next = value(await ports.store.checkpoint('g1'))?.next ?? 0;
    expect(next).toBeGreaterThan(0);
    expect(next).toBeLessThan(records.length);
    const seen: number[] = [];
    value(await openGeneration(ports, { onProgress: (progress) => seen.push(progress.next) }));
    expect(seen[0]).toBe(next);
    expect(await dump(ports)).toEqual(await folded(ports.log));
  });
});

describe('a fold up to a position', () => {
  test.each([1, 2, 199, 200, 201, 250])(
    'stops before position %i, and goes on from there',
    async (to) => {
      const ports = portsOf(await logOf(records));
      const seen: number[] = [];
      const part = value(
        await foldToEnd(ports, 'then', { to, onProgress: ({ end }) => seen.push(end) }),
      );
      expect(part.state.next).toBe(to);
      expect(new Set(seen)).toEqual(new Set([to]));
      const stored = value(await ports.log.read(0, 0, 10_000));
      expect(value(await ports.store.dump('then'))).toEqual(pureFold(stored, audience).dumpAt(to));
      expect(value(await foldToEnd(ports, 'then')).state.next).toBe(records.length);
      expect(value(await ports.store.dump('then'))).toEqual(await folded(ports.log));
    },
  );

  test('beyond the end stops at the end, and what is folded already stays', async () => {
    const ports = portsOf(await logOf(records));
    const to = records.length + 7;
    expect(value(await foldToEnd(ports, 'then', { to })).state.next).toBe(records.length);
    expect(value(await foldToEnd(ports, 'then', { to: 3 })).state.next).toBe(records.length);
    await expect(foldToEnd(ports, 'then', { to: 0 })).rejects.toThrow('always folded');
  });
});

describe('read models that are not of this log', () => {
  const refused = async (
    content: readonly NewRecord[],
    change: Partial<ProjectionPorts> = {},
  ): Promise<unknown> => {
    const before = portsOf(await logOf(records.slice(0, 300)));
    value(await openGeneration(before));
    const rows = await dump(before);
    const answer = await openGeneration({ ...before, log: await logOf(content), ...change });
    expect(await dump(before)).toEqual(rows);
    return answer;
  };

  test('are refused where the log ends before them', async () => {
    expect(await refused(records.slice(0, 299))).toMatchObject({
      problem: { code: 'log-shortened' },
    });
    expect(await refused([])).toMatchObject({ problem: { code: 'log-shortened' } });
  });

  test('are refused where another record lies at the last applied place', async () => {
    const replaced = [...records.slice(0, 299), ...records.slice(0, 1), ...records.slice(300, 400)];
    expect(await refused(replaced)).toMatchObject({ problem: { code: 'foreign-log' } });
    expect(await refused(replaced.slice(0, 300))).toMatchObject({
      problem: { code: 'foreign-log' },
    });
  });

  test('are refused where another log id is pinned, and taken where it is this one', async () => {
    const other = '00000000-0000-7000-8000-000000000000';
    const grown = records.slice(0, 400);
    expect(await refused(grown, { pinnedLogId: other })).toMatchObject({
      problem: { code: 'foreign-log' },
    });
    const before = portsOf(await logOf(grown));
    expect(await openGeneration({ ...before, pinnedLogId: other })).toMatchObject({
      problem: { code: 'foreign-log' },
    });
    value(await openGeneration({ ...before, pinnedLogId: logId }));
  });

  test('are not replaced by a rebuild that would send readers back', async () => {
    const before = portsOf(await logOf(records.slice(0, 300)));
    value(await openGeneration(before));
    const ports = {
      ...before,
      log: await logOf(await hostileLog({ seed: 4, audience, records: 40 })),
    };
    const old = value(await before.store.dump('g1'));
    expect(await openGeneration(ports)).toMatchObject({ problem: { code: 'log-shortened' } });
    expect(await rebuild(ports)).toMatchObject({ problem: { code: 'log-shortened' } });
    expect(value(await ports.store.current())).toBe('g1');
    expect(value(await ports.store.generations())).toEqual(['g1']);
    expect(await dump(ports)).toEqual(old);
  });
});

describe('generations that nobody uses any more', () => {
  test('stay, a few of them; the one that readers were switched from always does', async () => {
    const ports = portsOf(await logOf(records.slice(0, 60)));
    value(await openGeneration(ports));
    for (let count = 0; count < 6; count += 1) value(await rebuild(ports));
    expect(value(await ports.store.current())).toBe('g7');
    expect(value(await ports.store.generations())).toEqual(['g4', 'g5', 'g6', 'g7']);
    const notes = value(await ports.store.aside.scan({ prefix: generationPrefix, rowsMax: 99 }));
    expect(notes.map(({ key }) => key)).toEqual(['g4', 'g5', 'g6', 'g7'].map(noteKey));
    expect(readNote(notes.at(-1)?.value ?? '')).toMatchObject({ switchedFrom: 'g6' });
  });

  test('stay where somebody means to fold them on', async () => {
    const ports = portsOf(await logOf(records.slice(0, 60)));
    value(await openGeneration(ports));
    value(await rebuild(ports));
    const made = value(await ports.store.aside.read([noteKey('g2')])).get(noteKey('g2')) ?? '';
    const note = readNote(made);
    if (note === undefined) throw new Error('a rebuild leaves a note');
    const paused = writeNote({ ...note, state: 'paused' });
    value(await foldToEnd(ports, 'g3', { to: 20 }));
    value(await ports.store.aside.write([{ key: noteKey('g3'), value: paused }]));
    for (let count = 0; count < 6; count += 1) value(await rebuild(ports));
    expect(value(await ports.store.generations())).toContain('g3');
  });
});

describe('read models of another version of the fold', () => {
  /** A store whose generation g1 was written by the given version. */
  const writtenBy = async (log: RecordLog, foldVersion: number): Promise<ReadModelStore> => {
    const store = emptyStore();
    const older: ReadModelStore = {
      ...store,
      commit: (generation, { from, to, writes }) =>
        store.commit(generation, {
          from: from && { ...from, foldVersion },
          to: { ...to, foldVersion },
          writes,
        }),
    };
    value(await openGeneration(portsOf(log, older)));
    return store;
  };

  test('are folded anew where it is older', async () => {
    const log = await logOf(records);
    const ports = portsOf(log, await writtenBy(log, currentFoldVersion - 1));
    expect(value(await openGeneration(ports)).generation).toBe('g2');
    expect(value(await ports.store.current())).toBe('g2');
    expect(await dump(ports)).toEqual(await folded(log));
    // The older release finds its own read models when it is switched back to them.
    expect(value(await ports.store.checkpoint('g1'))?.foldVersion).toBe(currentFoldVersion - 1);
  });

  test('are folded anew also where it was stopped before readers were pointed to them', async () => {
    const log = await logOf(records);
    const older = await writtenBy(log, currentFoldVersion - 1);
    const store: ReadModelStore = {
      ...older,
      current: async () => {
        const current = await older.current();
        return current.ok && current.value === 'g1' ? ok(undefined) : current;
      },
      switchTo: (expected, generation) => older.switchTo(expected ?? 'g1', generation),
    };
    value(await openGeneration(portsOf(log, store)));
    expect(await dump(portsOf(log, store))).toEqual(await folded(log));
  });

  test('are refused where it is newer', async () => {
    const log = await logOf(records);
    const ports = portsOf(log, await writtenBy(log, currentFoldVersion + 1));
    expect(await openGeneration(ports)).toMatchObject({ problem: { code: 'old-code' } });
  });
});
