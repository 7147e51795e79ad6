import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import { openLog } from '../../../services/adapters/foundation/open-log.ts';
import { createMemoryIds } from '../../../services/adapters/memory/ids.ts';
import { createMemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import { createMemorySigner } from '../../../services/adapters/memory/signer.ts';
import { fail } from '../../../services/core/result.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import { tools } from '../../support/given.ts';
import { audience } from '../../support/markers.ts';
import { outcomesOn } from '../../support/opening.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const emptyLog = (): RecordLog =>
  createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => 0 });

/** An installation with three keys of its own, all named after it. */
const opener = (name: string, process = ''): ((log: RecordLog) => ReturnType<typeof openLog>) => {
  let logs = 0;
  const house = {
    audience,
    tools,
    clock: { nowMs: () => 0 },
    ids: createMemoryIds(`${name}${process}`, () => 0),
    newLogId: () =>
      `5e0f6c3e-6a0c-4c39-8d8b-${name.padEnd(8, '0')}${String(++logs).padStart(4, '0')}`,
  };
  const keys = {
    admin: createMemorySigner('admin', `${name}-admin`),
    trusted: [
      { signer: createMemorySigner('local', `${name}-local`), roles: ['emitter'] as const },
      { signer: createMemorySigner('judge', `${name}-judge`), roles: ['analyser'] as const },
    ],
  };
  return (log) => openLog(house, log, keys);
};

/** The log as one sees it who stops before the append of that number. */
const untilAppend = (log: RecordLog, last: number): RecordLog => {
  let appends = 0;
  return {
    ...log,
    append: async (partition, records) =>
      ++appends < last
        ? log.append(partition, records)
        : fail({ code: 'unreachable', message: 'stopped' }),
  };
};

describe('an empty log', () => {
  test('gets its opening and the first keys', async () => {
    const log = emptyLog();
    expect(value(await opener('a0')(log))).toEqual({ isFirst: true });
    expect(await outcomesOn(log, audience)).toEqual({ trust: 3 });
  });

  test('that many installations open at once gets one opening, and a dead letter a loser', async () => {
    const log = emptyLog();
    const opened = await Promise.all(['a0', 'b0', 'c0', 'd0'].map((name) => opener(name)(log)));
    expect(opened.filter((one) => value(one).isFirst)).toHaveLength(1);
    expect(await outcomesOn(log, audience)).toEqual({ trust: 3, 'key-unknown': 3 });
  });

  test('that is opened with the same keys at once has its keys, and no key is refused', async () => {
    const log = emptyLog();
    await Promise.all(['1', '2', '3', '4'].map((process) => opener('a0', process)(log)));
    // Who comes second cannot know whether the first goes on: it says the same keys again, to the byte.
    const { duplicate = 0, ...others } = await outcomesOn(log, audience);
    expect(others).toEqual({ trust: 3, 'log-already-open': 3 });
    expect(duplicate).toBeLessThanOrEqual(6);
  });
});

describe('an opening that stopped in between', () => {
  test('is completed by the next one with the same key, once', async () => {
    const log = emptyLog();
    expect((await opener('a0')(untilAppend(log, 2))).ok).toBe(false);
    expect(await outcomesOn(log, audience)).toEqual({ trust: 1 });
    expect(value(await opener('a0')(log))).toEqual({ isFirst: false });
    expect(value(await opener('a0')(log))).toEqual({ isFirst: false });
    expect(await outcomesOn(log, audience)).toEqual({ trust: 3 });
  });

  test('is left alone by those who have other keys', async () => {
    const log = emptyLog();
    await opener('a0')(untilAppend(log, 2));
    value(await opener('b0')(log));
    expect(await outcomesOn(log, audience)).toEqual({ trust: 1 });
  });
});

test('several first uses of a second audience on one database come to one log', async () => {
  const at = `sqlite:${join(scratchFolder(), 'data')}`;
  const settingsOf = (of: string): ReturnType<typeof parseSettings> =>
    parseSettings({ PLIMSOLL_LOG: at, PLIMSOLL_AUDIENCE: of });
  const first = openFoundation(value(settingsOf('first')));
  value(await first.stream('log'));
  const all = Array.from({ length: 6 }, () => openFoundation(value(settingsOf('second'))));
  const [log] = await Promise.all(all.map(async (one) => value(await one.stream('log'))));
  if (log === undefined) throw new TypeError('six were opened');
  const {
    'log-already-open': late = 0,
    duplicate: _said,
    ...others
  } = await outcomesOn(log, 'second');
  expect(late).toBeLessThanOrEqual(5);
  expect(others).toEqual({ trust: 4 });
  await Promise.all([first, ...all].map((one) => one.close()));
});
