import { expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { appendBytes } from '../../services/core/log/append-size.ts';
import type { PlanRedrive } from '../../services/ports/dead-letters.ts';
import { foldToEnd, openGeneration } from '../../services/projector/catch-up.ts';
import type { RedrivePorts } from '../../services/replay/redrive.ts';
import { openPlanRedrive } from '../../services/replay/redrive.ts';
import {
  by,
  emptyStore,
  given,
  keyOf,
  openedAtMs,
  raw,
  recordsOf,
  tools,
  trusts,
} from '../support/given.ts';
import { audience, logged } from '../support/markers.ts';
import { value } from '../support/records.ts';

/** A log with three letters of a key that came to be trusted afterwards, at 2 to 4. */
const planOf = async (
  clockMs: number,
  over: Partial<RedrivePorts> = {},
): Promise<ReturnType<PlanRedrive>> => {
  const { records } = await given(
    trusts('late'),
    ...['1.0.0', '2.0.0', '3.0.0'].map((version) => by('late', logged(version))),
  );
  const told = await recordsOf(
    trusts('ops', { roles: ['operator'] }),
    ...records.slice(2).map(raw),
    trusts('late'),
  );
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => nowMs });
  for (const record of told) {
    nowMs = record.appendedAtMs;
    value(await log.append(0, [record]));
  }
  const projection = { log, store: emptyStore(), tools, audience, pinnedLogId: null };
  const { generation, state } = value(await openGeneration(projection));
  const clock = { nowMs: () => openedAtMs + clockMs, sleep: async () => undefined };
  const plan = openPlanRedrive({ ...projection, clock, foldToEnd, ...over }, { generation, state });
  return plan(
    { by: 'code', code: 'key-unknown' },
    { signer: keyOf('ops'), isForced: false, onProgress: () => undefined },
  );
};

test('letters waited until now, or until the log went on last where the clock here is a little behind', async () => {
  const waited = async (clockMs: number): Promise<readonly number[]> =>
    value(await planOf(clockMs)).letters.map(({ waitedMs }) => waitedMs);
  expect(await waited(60_000)).toEqual([58_000, 57_000, 56_000]);
  expect(await waited(0)).toEqual([3000, 2000, 1000]);
});

test('nothing is planned by a clock that is far behind: a late success would pass for what runs now', async () => {
  expect(await planOf(-3_600_000)).toMatchObject({ problem: { code: 'clock-behind' } });
});

test('no more is planned than one call may hold in memory: the oldest, and it is said', async () => {
  const all = value(await planOf(60_000));
  const bytes = appendBytes(all.chunks[0]?.records.slice(0, 2) ?? []);
  const some = value(await planOf(60_000, { heldBytesMax: bytes }));
  expect([all.isCut, some.isCut]).toEqual([false, true]);
  expect(some.letters.map(({ position }) => position)).toEqual([2, 3]);
  const one = value(await planOf(60_000, { heldBytesMax: 1 }));
  expect([one.isCut, one.chunks[0]?.positions]).toEqual([true, [2]]);
});
