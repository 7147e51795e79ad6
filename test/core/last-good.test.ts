import { expect, test } from 'vitest';
import { readLastGood } from '../../services/core/last-good.ts';
import { ok } from '../../services/core/result.ts';
import { presentOf } from '../../services/core/views.ts';
import type { Step } from '../support/given.ts';
import { by, findsCompromised, given, keyOf, openedAtMs } from '../support/given.ts';
import { logged, place, planned, run, succeeded } from '../support/markers.ts';
import { value } from '../support/records.ts';

const lastGood = async (
  steps: readonly Step[],
  suspects: ReadonlyMap<string, number> = new Map(),
): Promise<string | undefined> => {
  const { store } = await given(...steps);
  const found = value(
    await readLastGood(
      async (keys) => ok(value(await store.rows('g', keys)).rows),
      place('production'),
      { ...presentOf(openedAtMs, []), suspects },
    ),
  );
  return found?.version;
};

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
