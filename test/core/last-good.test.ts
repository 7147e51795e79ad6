import { describe, expect, test } from 'vitest';
import type { LastGood } from '../../services/core/last-good.ts';
import { readLastGood } from '../../services/core/last-good.ts';
import { ok } from '../../services/core/result.ts';
import type { Body } from '../../services/core/markers/upcast.ts';
import { presentOf } from '../../services/core/views.ts';
import type { Step } from '../support/given.ts';
import { by, findsCompromised, given, keyOf, openedAtMs } from '../support/given.ts';
import { failed, logged, place, planned, run, started, succeeded } from '../support/markers.ts';
import { value } from '../support/records.ts';

const found = async (
  steps: readonly Step[],
  suspects: ReadonlyMap<string, number> = new Map(),
  nowMs = openedAtMs,
  takesTokens = false,
): Promise<LastGood | undefined> => {
  const { store } = await given(...steps);
  return value(
    await readLastGood(
      async (keys) => ok(value(await store.rows('g', keys)).rows),
      place('production'),
      { ...presentOf(nowMs, []), suspects },
      takesTokens,
    ),
  );
};

const lastGood = async (...asked: Parameters<typeof found>): Promise<string | undefined> =>
  (await found(...asked))?.version;

const versions = (...names: readonly string[]): readonly Step[] =>
  names.map((name) => by('ci', logged(name)));

test('the version before the present one is the last good one', async () => {
  expect(await lastGood(versions('1.0.0', '1.1.0', '1.2.0'))).toBe('1.1.0');
});

test('nothing is, where nothing stood there before', async () => {
  expect(await lastGood([])).toBeUndefined();
  expect(await lastGood(versions('1.0.0'))).toBeUndefined();
});

test('what a rollback led away from is not, however often it stood there', async () => {
  expect(await lastGood(versions('0.9.0', '1.0.0', '2.0.0', '1.0.0'))).toBe('0.9.0');
  expect(await lastGood(versions('1.0.0', '2.0.0', '1.0.0'))).toBeUndefined();
  expect(await lastGood(versions('0.9.0', '2.0.0', '0.9.0', '3.0.0'))).toBe('0.9.0');
});

test('what only was planned or failed never was', async () => {
  const attempt = { deployment: run('8') };
  const steps = [...versions('1.0.0'), by('ci', planned('1.5.0', attempt)), ...versions('2.0.0')];
  expect(await lastGood(steps)).toBe('1.0.0');
});

test('a version whose marker came twice with different content is not', async () => {
  const steps = [
    ...versions('1.0.0'),
    by('ci', planned('1.1.0'), { marker: 'twice' }),
    by('ci', succeeded()),
    by('ci', planned('6.6.6'), { marker: 'twice' }),
    ...versions('1.2.0'),
  ];
  expect(await lastGood(steps)).toBe('1.0.0');
});

test('a version that a compromised key speaks of is not', async () => {
  const steps = [
    ...versions('1.0.0'),
    by('thief', logged('1.1.0')),
    ...versions('1.2.0'),
    findsCompromised('thief', 0),
  ];
  expect(await lastGood(steps)).toBe('1.1.0');
  expect(await lastGood(steps, new Map([[keyOf('thief').keyId, 0]]))).toBe('1.0.0');
});

describe('beside a canary that runs', () => {
  const next = (more: Body = {}): Body => ({ deployment: run('8'), ...more });
  const canary = [
    ...versions('1.0.0', '1.1.0'),
    by('ci', planned('2.0.0', next({ canaryShare: 0.1 }))),
    by('ci', started(next())),
  ];

  test('the version that holds the slot is, as a roll-back leads there', async () => {
    expect(await found(canary)).toMatchObject({
      version: '1.1.0',
      present: { version: '1.1.0' },
      running: { version: '2.0.0', deployment: run('8') },
      before: { version: '1.0.0' },
    });
    // Also where nothing stood there before.
    expect(await found(canary.slice(1))).toMatchObject({ version: '1.1.0', before: null });
  });

  test('and still is when it has failed; once it has succeeded that is the version before', async () => {
    const after = async (step: Step): Promise<LastGood | undefined> => found([...canary, step]);
    expect(await after(by('ci', failed(next())))).toMatchObject({
      ...{ version: '1.1.0', running: null, before: { version: '1.0.0' } },
    });
    expect(await after(by('ci', succeeded(next())))).toMatchObject({
      ...{ version: '1.1.0', present: { version: '2.0.0' }, running: null },
    });
  });

  test('unless what failed led back itself', async () => {
    const back = by('ci', planned('1.0.0', next({ rollback: true })));
    const steps = [...versions('0.9.0', '1.0.0', '1.1.0'), back, by('ci', started(next()))];
    expect(await lastGood([...steps, by('ci', failed(next()))])).toBe('1.0.0');
  });

  test('unless it is only planned, leads back itself, brings what runs, or is unheard of for a day', async () => {
    expect(await lastGood(canary.slice(0, 3))).toBe('1.0.0');
    const began = (version: string, more: Body = {}): readonly Step[] => [
      ...versions('0.9.0', '1.0.0', '1.1.0'),
      by('ci', planned(version, next(more))),
      by('ci', started(next())),
    ];
    expect(await lastGood(began('1.0.0'))).toBe('1.0.0');
    expect(await lastGood(began('1.2.0', { rollback: true }))).toBe('1.0.0');
    expect(await lastGood(began('1.1.0'))).toBe('1.0.0');
    expect(await lastGood(canary, new Map(), openedAtMs + 25 * 3_600_000)).toBe('1.0.0');
  });

  test('what began before the present version came is no news', async () => {
    expect(await lastGood([...canary, ...versions('2.1.0')])).toBe('1.1.0');
  });

  test('that nobody but a compromised key speaks of it is the version before, as without it', async () => {
    const steps = [
      ...canary.slice(0, 2),
      by('thief', planned('6.6.6', next())),
      by('thief', started(next())),
    ];
    expect(await lastGood(steps)).toBe('1.1.0');
    expect(await lastGood(steps, new Map([[keyOf('thief').keyId, 0]]))).toBe('1.0.0');
  });

  test('a holder whose key was found compromised is not', async () => {
    const steps = [...versions('1.0.0'), by('thief', logged('1.1.0')), ...canary.slice(2)];
    expect(await lastGood(steps)).toBe('1.1.0');
    expect(await lastGood(steps, new Map([[keyOf('thief').keyId, 0]]))).toBe('1.0.0');
  });
});
