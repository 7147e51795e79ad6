import { expect, test } from 'vitest';
import { positionKey } from '../../services/core/read-models.ts';
import type { RemarkRow } from '../../services/core/remarks.ts';
import type { House } from '../support/given.ts';
import { by, given, trusts } from '../support/given.ts';
import { failed, noDetails, place, planned, started, succeeded } from '../support/markers.ts';

const remarks = async (house: House): Promise<readonly string[]> => {
  const rows = (await house.dump()).flatMap((line) => {
    const [model, , json] = line.split('\n');
    return model === 'remark' ? [JSON.parse(json ?? '') as RemarkRow] : [];
  });
  return rows.map(
    ({ position, kind, note, waitedMs, version }) =>
      `${position} ${kind} ${note}${waitedMs > 0 ? ` waited ${waitedMs}` : ''} ${version}`,
  );
};

test('markers in good order are not remarked on', async () => {
  const house = await given(by('ci', planned()), by('ci', started()), by('ci', succeeded()));
  expect(await remarks(house)).toEqual([]);
});

test('what waited, says otherwise or disagrees is', async () => {
  const house = await given(
    by('ci', planned()),
    by('ci', started(), { waitedMs: 500 }),
    by('ci', started({ details: { ...noDetails, commit: 'c' } })),
    by('ci', succeeded()),
    by('ci', failed({ reason: 'timeout' })),
  );
  expect(await remarks(house)).toEqual([
    '3 started applied waited 500 2.0.0',
    '4 started disagreement 2.0.0',
    '6 failed contradiction 2.0.0',
  ]);
});

test('a producer whose clock is off is', async () => {
  const house = await given(
    by('ci', planned()),
    by('ci', started(), { at: 4000, waitedMs: 0, marker: 'on time' }),
    by('ci', succeeded({ occurredAt: 1 })),
  );
  const row = await house.row<RemarkRow>('remark', positionKey(4));
  expect(row).toMatchObject({ clockSkewed: true, occurredAt: 1, principal: 'ci' });
});

test('its plan gives what an unplanned attempt heard its slot, and another note where it must', async () => {
  const house = await given(
    by('ci', started({ slot: place('staging') }), { waitedMs: 500 }),
    by('ci', planned()),
  );
  expect(await remarks(house)).toEqual(['2 started contradiction waited 500 2.0.0']);
});

test('of what its plan expelled nothing is remarked on: it is a dead letter', async () => {
  const house = await given(
    trusts('elsewhere', { environments: ['staging'] }),
    by('ci', started()),
    by('elsewhere', succeeded(), { waitedMs: 500 }),
    by('ci', planned()),
  );
  expect((await house.deadLetters()).map(({ position }) => position)).toEqual([4]);
  expect(await remarks(house)).toEqual([]);
});
