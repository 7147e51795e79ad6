import { expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import { positionAt } from '../../../services/cli/reading/position-at.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import { record, value } from '../../support/records.ts';

const startMs = Date.UTC(2026, 10, 21, 10);
const at = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();

/** A log whose records were appended so many seconds after ten o'clock. */
const logOf = async (seconds: readonly number[]): Promise<RecordLog> => {
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => 0 });
  for (const _ of seconds) value(await log.append(0, [record('a')]));
  return {
    ...log,
    read: async (...asked) => {
      const read = await log.read(...asked);
      if (!read.ok) return read;
      const timed = read.value.map((one) => ({
        ...one,
        appendedAtMs: startMs + (seconds[one.position] ?? 0) * 1000,
      }));
      return { ok: true, value: timed };
    },
  };
};

test.each([
  [0, 0],
  [15, 2],
  [20, 2],
  [400, 5],
])('what was appended %i s after ten or later begins at position %i', async (seconds, position) => {
  const log = await logOf([0, 10, 20, 30, 300]);
  expect(value(await positionAt(log, at(seconds)))).toBe(position);
});

test('the first counts, also where another leader was behind afterwards', async () => {
  const log = await logOf([0, 10, 45, 20, 21, 22, 23, 50, 60]);
  expect(value(await positionAt(log, at(40)))).toBe(2);
});
