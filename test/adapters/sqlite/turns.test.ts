import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteFile } from '../../../services/adapters/sqlite/file.ts';
import type { SqliteFile } from '../../../services/adapters/sqlite/file.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const folder = scratchFolder();
const { sleep } = createSystemClock();
const stepMs = 5;
const stepsMax = 200;

const workFor = (ms: number): void => {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
};

/** How many steps one after the other it took until a timer of this process got its turn. */
const stepsUntilTimer = async (step: (work: () => void) => Promise<unknown>): Promise<number> => {
  let isDone = false;
  const timer = setTimeout(() => (isDone = true), 1);
  let steps = 0;
  while (!isDone && steps < stepsMax) {
    await step(() => workFor(stepMs));
    steps += 1;
  }
  clearTimeout(timer);
  return steps;
};

const file = async (name: string): Promise<SqliteFile> =>
  value(await openSqliteFile(join(folder, name), { create: true, sleep }));

test('whoever reads on and on lets timers, sockets and signals have their turn', async () => {
  const { read, close } = await file('read.db');
  expect(await stepsUntilTimer(read)).toBeLessThan(stepsMax);
  close();
});

test('and so does whoever writes on and on', async () => {
  const { write, close } = await file('write.db');
  expect(await stepsUntilTimer(write)).toBeLessThan(stepsMax);
  close();
});
