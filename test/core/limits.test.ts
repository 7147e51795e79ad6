import { expect, test } from 'vitest';
import {
  attemptsMax,
  conflictsMax,
  decisionsMax,
  entriesMax,
  historyBytesMax,
  unplannedMax,
} from '../../services/core/lifecycle.ts';
import type { NameRow } from '../../services/core/read-models.ts';
import { namesMax } from '../../services/core/read-models.ts';
import type { SlotState } from '../../services/core/slot-state.ts';
import { besideMax, linksMax, pastMax } from '../../services/core/slot-state.ts';
import type { Step } from '../support/given.ts';
import { by, given, trusts } from '../support/given.ts';
import {
  canceled,
  decided,
  failed,
  logged,
  noDetails,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../support/markers.ts';

// What nobody can make grow without end.

const times = (count: number, step: (index: number) => Step): readonly Step[] =>
  Array.from({ length: count }, (_, index) => step(index));
const counted = (notes: readonly string[], note: string): number =>
  notes.filter((other) => other === note).length;

test('an attempt takes so many markers and then only what changes its status', async () => {
  const house = await given(
    by('ci', planned()),
    ...times(entriesMax + 5, () => by('ci', started())),
    by('ci', failed()),
    by('ci', failed()),
  );
  expect(counted(house.notes(), 'history-full')).toBe(1 + 6);
  expect(house.notes().slice(-2)).toEqual(['applied', 'history-full']);
  expect(await house.attempts()).toEqual(['1 2.0.0 failed']);
});

test('decisions have a limit of their own', async () => {
  const house = await given(
    trusts('analyser', { roles: ['analyser'] }),
    by('ci', planned()),
    ...times(decisionsMax + 5, () => by('analyser', decided('hold'))),
  );
  expect(counted(house.notes(), 'history-full')).toBe(5);
});

test('and it keeps no roll-back out', async () => {
  const house = await given(
    trusts('analyser', { roles: ['analyser'] }),
    by('ci', planned()),
    ...times(decisionsMax + 1, () => by('analyser', decided('hold'))),
    ...times(2, () => by('analyser', decided('roll-back'))),
  );
  expect(house.notes().slice(-3)).toEqual(['history-full', 'applied', 'history-full']);
});

test('a deployment has so many attempts', async () => {
  const house = await given(
    ...times(attemptsMax + 3, (index) => by('ci', planned('2.0.0', { attempt: `${index}` }))),
    by('ci', canceled()),
    by('ci', started({ attempt: 'another' })),
  );
  expect(counted(house.notes(), 'history-full')).toBe(4);
  expect(await house.attempts()).toHaveLength(attemptsMax);
});

test('and so many that wait for a plan', async () => {
  const house = await given(
    ...times(unplannedMax + 3, (index) => by('ci', failed({ attempt: `${index}` }))),
  );
  expect(counted(house.notes(), 'history-full')).toBe(3);
});

test('a history has so many bytes, and its end is still taken', async () => {
  const link = { name: 'n', value: 'v'.repeat(2000) };
  const details = { ...noDetails, links: times(30, () => by('', planned())).map(() => link) };
  const house = await given(
    by('ci', planned()),
    ...times(80, () => by('ci', started({ details }))),
    by('ci', succeeded({ details })),
  );
  const full = counted(house.notes(), 'history-full');
  expect(full).toBeGreaterThan(0);
  const [attempt] = (await house.deployment()).attempts;
  const bytes = attempt?.entries.reduce((sum, { valueBytes }) => sum + valueBytes, 0) ?? 0;
  expect(bytes).toBeLessThan(historyBytesMax + 64 * 1024);
  expect(bytes).toBeGreaterThan(historyBytesMax - 64 * 1024);
  expect(await house.current()).toEqual(['2.0.0']);
});

test('a deployment keeps so many conflicts; each is a dead letter', async () => {
  const house = await given(
    ...times(conflictsMax + 5, (index) => by('ci', planned(`${index}.0.0`), { marker: 'one' })),
  );
  expect((await house.deployment()).conflicts).toHaveLength(conflictsMax);
  expect(await house.deadLetters()).toHaveLength(conflictsMax + 4);
});

test("the conflicts of a stranger's attempt take no room from those of another", async () => {
  const elsewhere = place('staging');
  const house = await given(
    trusts('stage', { environments: ['staging'] }),
    trusts('ci', { environments: ['production'] }),
    by('ci', planned(), { marker: 'mine' }),
    ...times(conflictsMax + 5, (index) =>
      by('stage', planned(`${index}.0.0`, { slot: elsewhere }), { marker: 'one' }),
    ),
    by('ci', planned('3.0.0'), { marker: 'mine' }),
  );
  const { conflicts } = await house.deployment();
  expect(conflicts.map(({ principal }) => principal)).toEqual([
    ...Array.from({ length: conflictsMax }, () => 'stage'),
    'ci',
  ]);
});

test('a slot shows so many attempts that nobody ends, the newest ones', async () => {
  const house = await given(
    ...times(besideMax + 5, (index) =>
      by('ci', planned(`${index}.0.0`, { deployment: run(`${index}`) })),
    ),
    by('ci', succeeded({ deployment: run('1') })),
  );
  const current = await house.current();
  expect(current).toHaveLength(1 + besideMax);
  expect(current.slice(0, 2)).toEqual(['1.0.0', 'beside 5.0.0 planned']);
});

test('a slot remembers so many versions', async () => {
  const house = await given(
    ...times(pastMax + 5, (index) => by('ci', logged(`${index}.0.0`))),
    by('ci', logged('0.0.0')),
    by('ci', logged('10.0.0')),
  );
  const state = await house.row<SlotState>('slot', 'default/production/checkout/');
  expect(state?.past).toHaveLength(pastMax);
  const rollbacks = house.outcomes.flatMap((one) =>
    one.outcome === 'applied' ? [one.change.attempt.rollback] : [],
  );
  expect(rollbacks.slice(-2)).toEqual([false, true]);
});

test('a line shows so many links, the deployment all of them', async () => {
  const links = Array.from({ length: 30 }, (_, index) => ({ name: `${index}`, value: 'x' }));
  const house = await given(by('ci', planned('2.0.0', { details: { ...noDetails, links } })));
  const [line] = (await house.lines()).timeline;
  expect(line?.['links']).toHaveLength(linksMax);
  const [attempt] = (await house.deployment()).attempts;
  expect(attempt?.plan?.details.links).toHaveLength(30);
});

test('a component names so many environments', async () => {
  const house = await given(
    ...times(namesMax + 5, (index) => by('ci', logged('1.0.0', { slot: place(`e${index}`) }))),
  );
  const row = await house.row<NameRow>('component', 'checkout');
  expect(row?.seenWith).toHaveLength(namesMax);
  expect(row?.attempts).toBe(namesMax + 5);
});
