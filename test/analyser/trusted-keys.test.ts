import { describe, expect, test } from 'vitest';
import type { AnalyserPorts } from '../../services/analyser/ports.ts';
import { openTrustedKeys } from '../../services/analyser/trusted-keys.ts';
import type { TrustedKeys } from '../../services/analyser/trusted-keys.ts';
import { fail, ok } from '../../services/core/result.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { buildAnalyserHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { keyOf, tools } from '../support/given.ts';
import { added, compromised, retired } from '../support/markers.ts';

const { keyId } = keyOf('analyser');
const lookAgainMs = 2_001;

type Looked = {
  readonly house: AnalyserHouse;
  readonly keys: TrustedKeys;
  readonly time: { nowMs: number; isStoreAway: boolean; isStoreEmpty: boolean };
};

const lookingHouse = async (): Promise<Looked> => {
  const house = await buildAnalyserHouse(fastPolicy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  const time = { nowMs: 1_000_000, isStoreAway: false, isStoreEmpty: false };
  const keys = openTrustedKeys({
    tools,
    log: house.log,
    signer: keyOf('analyser'),
    clock: { ...house.clock, nowMs: () => time.nowMs },
    store: {
      ...house.store,
      scan: async (...asked) =>
        time.isStoreAway
          ? fail({ code: 'unreachable', message: 'away' })
          : time.isStoreEmpty
            ? ok({ checkpoint: undefined, rows: [] })
            : house.store.scan(...asked),
    },
  });
  return { house, keys, time };
};

test('what was found out about a key is known soon, also after the clock was set back', async () => {
  const { house, keys, time } = await lookingHouse();
  expect((await keys.forKeys([keyId])).get(keyId)?.compromised).toBeNull();
  await house.say('admin', compromised(keyOf('analyser'), 0));
  time.nowMs -= 600_000;
  await keys.forKeys([keyId]);
  time.nowMs += lookAgainMs;
  expect((await keys.forKeys([keyId])).get(keyId)?.compromised).not.toBeNull();
});

test('while the read models are away the known keys stay known', async () => {
  const { keys, time } = await lookingHouse();
  await keys.forKeys([keyId]);
  time.isStoreAway = true;
  time.nowMs += lookAgainMs;
  expect([...(await keys.forKeys([keyId])).keys()]).toContain(keyId);
});

test('and nobody is taken for unknown who could not be looked up', async () => {
  const { keys, time } = await lookingHouse();
  time.isStoreAway = true;
  await expect(keys.forKeys([keyId])).rejects.toThrow('away');
  time.isStoreAway = false;
  await keys.forKeys([keyId]);
  time.isStoreAway = true;
  time.nowMs += lookAgainMs;
  await expect(keys.forKeys(['0123456789abcdef'])).rejects.toThrow('away');
});

test('a store that fell back to before the analyser was trusted makes nobody unknown', async () => {
  const { keys, time } = await lookingHouse();
  time.isStoreEmpty = true;
  await expect(keys.forKeys([keyId])).rejects.toThrow('behind');
  time.isStoreEmpty = false;
  await keys.forKeys([keyId]);
  time.isStoreEmpty = true;
  time.nowMs += lookAgainMs;
  expect([...(await keys.forKeys([keyId])).keys()]).toContain(keyId);
});

describe('a key that was retired', () => {
  const endedHouse = async (): Promise<{
    readonly house: AnalyserHouse;
    readonly retiredAtMs: number;
  }> => {
    const { house } = await lookingHouse();
    await house.say('admin', added(keyOf('analyser#2'), { roles: ['analyser'] }));
    await house.pass(5_000);
    await house.say('admin', retired(keyOf('analyser')));
    return { house, retiredAtMs: house.clock.nowMs() };
  };
  const portsOf = (house: AnalyserHouse, log: Partial<RecordLog> = {}): AnalyserPorts => ({
    ...house.ports,
    signer: keyOf('analyser#2'),
    log: { ...house.log, ...log },
  });
  const refusing =
    (code: 'before-start' | 'unreachable'): RecordLog['read'] =>
    async () =>
      fail({ code, message: 'not now' });

  test('ended when the record that says so was appended', async () => {
    const { house, retiredAtMs } = await endedHouse();
    await house.pass(5_000);
    const keys = await openTrustedKeys(portsOf(house)).forKeys([]);
    expect(keys.get(keyId)?.retiredAtMs).toBe(retiredAtMs);
    expect(keys.get(keyOf('analyser#2').keyId)?.retiredAtMs).toBeUndefined();
  });

  test('ended nobody knows when, where the log no longer has that record', async () => {
    const { house } = await endedHouse();
    const ports = portsOf(house, { read: refusing('before-start') });
    const key = (await openTrustedKeys(ports).forKeys([])).get(keyId);
    expect([key?.retiredAt === null, key?.retiredAtMs]).toStrictEqual([false, undefined]);
  });

  test('is not judged while the log cannot be asked', async () => {
    const { house } = await endedHouse();
    const ports = portsOf(house, { read: refusing('unreachable') });
    await expect(openTrustedKeys(ports).forKeys([])).rejects.toThrow('not now');
  });
});
