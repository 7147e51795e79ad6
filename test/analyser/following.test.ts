import { expect, test } from 'vitest';
import { createMemoryClock } from '../../services/adapters/memory/clock.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { keepFollowing } from '../../services/analyser/following.ts';
import type { AnalyserEvent } from '../../services/analyser/ports.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { audience } from '../support/markers.ts';
import { record, value } from '../support/records.ts';

test('what always stumbles over the same record tries less and less often', async () => {
  const clock = createMemoryClock(0);
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: clock.nowMs });
  const batches = Array.from({ length: 3 }, (): NewRecord[] => Array(200).fill(record('r')));
  for (const batch of batches) value(await log.append(0, batch));
  const stumblesAt = 500;
  const retries: number[] = [];
  const tell = (event: AnalyserEvent): void => {
    if (event.event === 'part-stopped') retries.push(event.retryInMs);
  };
  const stopping = new AbortController();
  const following = keepFollowing({ audience, clock, tell }, stopping.signal, 'samples', log, {
    startFrom: async () => 0,
    onBatch: async ({ records }) => {
      if (records.some(({ position }) => position === stumblesAt)) throw new Error('a stone');
      return 0;
    },
    onLost: () => undefined,
  });
  for (let passedMs = 0; passedMs < 20_000; passedMs += 100) await clock.advance(100);
  expect(retries.slice(0, 5)).toStrictEqual([200, 400, 800, 1_600, 3_200]);
  stopping.abort();
  await following.over;
});
