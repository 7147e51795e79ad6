import { expect, test } from 'vitest';
import type { JudgingNote } from '../../../services/core/canary/analysis/judging-note.ts';
import { openedAtMs } from '../../support/given.ts';
import { place, run } from '../../support/markers.ts';
import { problemsOf, told } from '../../support/problems.ts';

const note: JudgingNote = {
  ...{
    atMs: openedAtMs + 90_000,
    openedAtMs,
    deployment: run('7'),
    attempt: 2,
    slot: place('production'),
  },
  ...{ version: '2.0.0', windowMs: 5_000, windows: 18, pairedWindows: 17, warmUpWindows: 12 },
  ...{ stage: 'armed', evidence: 1, evidenceNeeded: 200 },
  ...{ unheard: [], otherVersions: 0 },
  unsent: [{ id: 'heap', critical: false, names: ['jvm.memory.usd'] }],
  targets: [],
  noBound: [],
  slowerPart: [],
  unsaid: [],
  held: [],
  lacking: null,
};
const problemsWith = (...judging: readonly JudgingNote[]) => problemsOf([], { now: 120, judging });

test('a metric that nobody sends is told while its canary runs', async () => {
  const problems = await problemsWith(note, { ...note, deployment: run('8'), unsent: [] });
  expect(told(problems)).toEqual([
    'warning metric-unsent at : neither 2.0.0 nor what it is compared with in production/checkout sends heap (jvm.memory.usd): the rest is judged without it',
  ]);
  expect(problems[0]).toMatchObject({
    subject: `${run('7')}/2`,
    deployment: run('7'),
    missing: ['heap'],
    place: { environment: 'production', component: 'checkout' },
  });
});

test('of a critical one it says that nothing passes without it', async () => {
  const unsent = note.unsent.map((metric) => ({ ...metric, critical: true }));
  expect(told(await problemsWith({ ...note, unsent })).join()).toContain('nothing is promoted');
});

test('targets that are judged as one are told while the canary runs, with what to write', async () => {
  const slot = place('production', 'checkout', 'eu');
  const together = { ...note, slot, unsent: [], targets: ['eu', 'us'] };
  const problems = await problemsWith(together, { ...together, targets: [] });
  expect(told(problems)).toEqual([
    'warning targets-together at : 2.0.0 is judged in production/checkout (eu): it goes to the target eu, and the policy does not say how senders name theirs: those of eu, us are judged as one',
  ]);
  expect(problems[0]?.hint).toMatch(/^target: cloud\.region in the policy/);
});

test('buckets by which nothing is promoted are told while the canary runs, with what to send', async () => {
  const noBound = [
    { metric: 'latency', boundaryMs: 5_000, baseline: { total: 1_000, events: 0 } },
    { metric: 'pay', boundaryMs: 5_000, baseline: { total: 900, events: 0 } },
  ];
  const blind = { ...note, unsent: [], noBound };
  const problems = await problemsWith(blind, { ...blind, noBound: [] });
  expect(told(problems)).toEqual([
    'warning no-bound at : 2.0.0 is judged in production/checkout by latency, pay: the bounds that both versions send are too far from its durations, or too far apart, to show a slower canary, so nothing is promoted: 0.00 % (0/1,000) of baseline requests took longer than 5 s, the nearest one',
  ]);
  expect(problems[0]).toMatchObject({ count: 2, missing: ['latency', 'pay'] });
  expect(problems[0]?.hint).toMatch(/^let both versions send bounds near their durations/);
});

test('what else holds a canary back is told while it runs, each once, with what mends it', async () => {
  const slow = (metric: string) => ({
    ...{ metric, canaryMs: 284.7, canary: { total: 1_000, events: 50 } },
    ...{ baselineMs: 250, baseline: { total: 900, events: 0 } },
  });
  const status = {
    ...({ metric: 'errors', cohort: 'canary' } as const),
    ...{ by: 'http.response.status_code', canary: 0, baseline: 1, window: null },
  };
  const lost = {
    ...({ metric: 'traffic', code: 'traffic-lost' } as const),
    ...{ message: 'requests are lost now', hint: 'look for them' },
  };
  const late = {
    ...({ metric: null, code: 'points-late' } as const),
    ...{ message: 'points come late', hint: 'look at the clocks' },
  };
  const problems = await problemsWith({
    ...note,
    ...{ unsent: [], slowerPart: [slow('latency'), slow('pay')], unsaid: [status] },
    held: [lost, { ...lost, metric: 'pay-traffic' }, late],
  });
  expect(told(problems)).toEqual([
    'warning points-late at : 2.0.0 is judged in production/checkout: points come late',
    'warning slower-part at : 2.0.0 is judged in production/checkout by latency, pay: a part of its requests is plainly slower, so nothing is promoted: 5.00 % (50/1,000) of canary requests took longer than 285 ms, 0.00 % (0/900) of baseline requests longer than 250 ms',
    'warning status-unsaid at : 2.0.0 is judged in production/checkout by errors: the baseline says http.response.status_code for 100.00 % of its requests, the canary for 0.00 %: whether the others failed nobody knows, so nothing is promoted',
    'warning traffic-lost at : 2.0.0 is judged in production/checkout by traffic, pay-traffic: requests are lost now',
  ]);
  expect(problems.map(({ hint }) => hint)).toEqual([
    'look at the clocks',
    expect.stringMatching(/^look for what those requests have in common/),
    expect.stringMatching(/^let both versions send http\.response\.status_code/),
    'look for them',
  ]);
  expect(problems[0]).toMatchObject({ count: 1, missing: [] });
  expect(problems[1]).toMatchObject({ count: 2, missing: ['latency', 'pay'] });
});

test('what no analyser tells any more is none', async () => {
  expect(await problemsWith({ ...note, atMs: openedAtMs })).toEqual([]);
});
