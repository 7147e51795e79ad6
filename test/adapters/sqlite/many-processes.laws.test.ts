import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openSqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../../services/adapters/sqlite/file.ts';
import { openSqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import type { SqliteRecordLog } from '../../../services/adapters/sqlite/record-log.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { startChild } from '../../support/child.ts';
import type { Child } from '../../support/child.ts';
import { eventually } from '../../support/eventually.ts';
import { positionsOf, record, value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const clock = createSystemClock();
const folder = scratchFolder();
const writers = 16;
const appendsEach = 12;
const testTimeoutMs = 60_000;

const children: Child[] = [];
const start = (script: string, args: readonly string[]): Child => {
  const child = startChild(script, args);
  children.push(child);
  return child;
};
afterEach(async () => {
  for (const child of children) child.signal('SIGKILL');
  await Promise.all(children.map(({ over }) => over));
  children.length = 0;
});

const open = async (
  path: string,
  leaseMs = 300,
): Promise<{ file: SqliteFile; log: SqliteRecordLog }> => {
  const file = value(await openSqliteFile(path, { create: true, sleep: clock.sleep }));
  const options = { name: 'shared', partitions: 1, leaseMs, ...clock };
  return { file, log: value(await openSqliteRecordLog(file, options)) };
};

type Acknowledged = { content: string; position: number; appendedAtMs: number };

const acknowledged = (child: Child): Acknowledged[] =>
  child.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));

test(
  '16 processes that append at once, some killed at random, lose and double nothing',
  async () => {
    const path = join(folder, 'appended.db');
    const all = Array.from({ length: writers }, (_, writer) =>
      start('append-process.ts', [
        path,
        `writer-${writer}`,
        `${appendsEach}`,
        writer % 2 === 0 ? 'each-time' : 'once',
      ]),
    );
    // The first of them make the file together; none appends before all are there.
    await eventually(
      'all are ready',
      () => all.every(({ lines }) => lines.includes('ready')),
      testTimeoutMs,
    );
    for (const child of all) child.send('go');

    const killed = all.filter((_, writer) => writer % 3 === 0);
    const survivors = all.filter((child) => !killed.includes(child));
    const killing = killed.map(async (child) => {
      // Anywhere between its first append and its last, also within one.
      const after = Math.floor(Math.random() * appendsEach);
      await eventually('it came that far', () => acknowledged(child).length >= after);
      child.signal('SIGKILL');
    });
    await Promise.all(killing);
    await Promise.all(all.map(({ over }) => over));
    for (const survivor of survivors) expect(await survivor.over).toBe(0);

    const { file, log } = await open(path);
    const stored = value(await log.read(0, 0, 10_000));
    expect(positionsOf(stored)).toEqual(stored.map((_, at) => at));
    expect(value(await log.range(0))).toEqual({ start: 0, end: stored.length });
    const times = stored.map(({ appendedAtMs }) => appendedAtMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));

    const contents = stored.map((each) => new TextDecoder().decode(each.value));
    expect(new Set(contents).size).toBe(contents.length);
    for (const child of all)
      for (const { content, position, appendedAtMs } of acknowledged(child))
        expect({ content: contents[position], appendedAtMs: times[position] }).toEqual({
          content,
          appendedAtMs,
        });
    for (const child of survivors) expect(acknowledged(child)).toHaveLength(appendsEach * 2);
    expect(brokenAppends(contents)).toEqual([]);

    // The dead hold nothing up.
    expect(value(await log.append(0, [record('after')]))[0]?.position).toBe(stored.length);
    file.close();
  },
  testTimeoutMs,
);

/** Appends of which not all records lie next to each other. Each content is `writer/append/part`. */
const brokenAppends = (contents: readonly string[]): string[] => {
  const broken: string[] = [];
  for (const [position, content] of contents.entries()) {
    const [writer = '', append = '', part = ''] = content.split('/');
    const parts = 1 + (Number(append) % 3);
    const first = position - Number(part);
    for (let at = 0; at < parts; at += 1)
      if (contents[first + at] !== `${writer}/${append}/${at}`) broken.push(content);
  }
  return broken;
};

test(
  'when the active subscriber is killed, another process takes over by itself',
  async () => {
    const path = join(folder, 'killed.db');
    const { file, log } = await open(path);
    value(await log.append(0, [record('a')]));
    const active = start('follow-process.ts', [path, 'group', '300']);
    await eventually('it is active', () => active.lines.includes('position 0'));

    const given: number[] = [];
    const standby = await log.subscribe('group', {
      startFrom: async () => 1,
      onBatch: async ({ records }) => void given.push(...positionsOf(records)),
    });
    expect(standby.owned()).toEqual([]);
    active.signal('SIGKILL');
    value(await log.append(0, [record('b')]));
    await eventually('the other took over', () => given.includes(1));
    expect(standby.owned()).toEqual([0]);
    await standby.stop();
    file.close();
  },
  testTimeoutMs,
);

test(
  'a paused subscriber that wakes learns that it was replaced, and is handed nothing more',
  async () => {
    const path = join(folder, 'paused.db');
    const { file, log } = await open(path);
    value(await log.append(0, [record('a')]));
    const paused = start('follow-process.ts', [path, 'group', '300']);
    await eventually('it is active', () => paused.lines.includes('position 0'));

    const given: number[] = [];
    const standby = await log.subscribe('group', {
      startFrom: async () => 1,
      onBatch: async ({ records }) => void given.push(...positionsOf(records)),
    });
    paused.signal('SIGSTOP');
    value(await log.append(0, [record('b')]));
    await eventually('the other took over', () => given.includes(1));
    paused.signal('SIGCONT');
    await eventually('it noticed', () => paused.lines.includes('lost'));
    value(await log.append(0, [record('c')]));
    await eventually('the other goes on', () => given.includes(2));
    expect(paused.lines.filter((line) => line.startsWith('position'))).toEqual(['position 0']);
    await standby.stop();
    file.close();
  },
  testTimeoutMs,
);
