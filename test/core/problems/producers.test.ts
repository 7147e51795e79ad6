import { expect, test } from 'vitest';
import { durationOf } from '../../../services/core/problems/producers.ts';
import { by } from '../../support/given.ts';
import { planned, started, succeeded } from '../../support/markers.ts';
import { problemsOf, told } from '../../support/problems.ts';

const numbered = (sequence: number) => ({ producer: 'laptop', sequence });

test('numbers that never came are told with the markers that showed it', async () => {
  const story = [
    by('ci', planned('2.0.0', numbered(1))),
    by('ci', started(numbered(4))),
    by('ci', succeeded(numbered(6))),
  ];
  const problems = await problemsOf(story, { now: 10 });
  expect(told(problems)).toEqual([
    'warning sequence-gap at 3,4: 3 of the 6 markers that laptop numbered never came',
  ]);
  expect(problems[0]).toMatchObject({
    missing: ['2-3', '5'],
    coverage: { reported: 3, expected: 6 },
    principal: 'ci',
  });
});

test('a number that another marker had is told', async () => {
  const story = [by('ci', planned('2.0.0', numbered(1))), by('ci', started(numbered(1)))];
  expect(told(await problemsOf(story, { now: 10 }))).toEqual([
    'warning sequence-repeat at 3: 1 marker of laptop with a number that another one had',
  ]);
});

test('a clock that is off is told once for who has it', async () => {
  const off = { occurredAt: 1_795_255_200_000 + 7_300_000 };
  const story = [by('ci', planned('2.0.0', off)), by('ci', started(off))];
  expect(told(await problemsOf(story, { now: 10 }))).toEqual([
    "warning clock-skewed at 2,3: the clock of /pipelines/ci is 2 hours ahead of the log's",
  ]);
});

test('what waited long arrived late; what waited a little is in order', async () => {
  const story = [
    by('ci', planned(), { waitedMs: 60_000 }),
    by('ci', started(), { waitedMs: 40 * 60_000 }),
  ];
  expect(told(await problemsOf(story, { now: 10, since: 0 }))).toEqual([
    'warning arrived-late at 3: 1 marker of /pipelines/ci waited up to 40 minutes on the way',
  ]);
});

test.each([
  [1500, '2 seconds'],
  [119_000, '119 seconds'],
  [120_000, '2 minutes'],
  [7_200_000, '2 hours'],
  [40 * 86_400_000, '40 days'],
])('%i ms are %s', (ms, text) => {
  expect(durationOf(ms)).toBe(text);
});
