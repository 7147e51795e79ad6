import { expect, test } from 'vitest';
import { by, trusts } from '../../support/given.ts';
import { logged, noDetails, place, planned, policySet, run } from '../../support/markers.ts';
import { problemsOf, told } from '../../support/problems.ts';

const hour = 3600;
const requiring = (...fields: readonly string[]): string =>
  JSON.stringify({
    policies: [{ component: 'checkout', environment: 'production', require: fields }],
    version: 2,
  });

const operator = trusts('ops', { roles: ['operator'] });

test('a plan that lacks what the policy of its place required then is told, with both records', async () => {
  const problems = await problemsOf(
    [
      operator,
      by('ci', planned('1.9.4', { details: { ...noDetails, commit: 'abc' } })),
      by('ops', policySet(requiring('commit', 'tickets'))),
      by('ci', planned('2.0.0', { deployment: run('8') })),
      by('ci', planned('2.0.0', { deployment: run('9'), slot: place('staging') })),
    ],
    { now: hour },
  );
  expect(told(problems)).toEqual([
    'warning fields-missing at 4,5: the plan of 2.0.0 in production/checkout lacks commit, tickets, which the policy at position 4 requires',
  ]);
  expect(problems[0]?.hint).toContain('--commit, --ticket');
  expect(problems[0]).toMatchObject({ deployment: run('8'), missing: ['commit', 'tickets'] });
});

test('what says everything lacks nothing, and a later policy requires nothing of it', async () => {
  const problems = await problemsOf(
    [
      operator,
      by('ops', policySet(requiring('commit', 'strategy'))),
      by('ci', planned('2.0.0', { strategy: 'canary', details: { ...noDetails, commit: 'abc' } })),
      by('ci', logged('2.0.1', { details: { ...noDetails, commit: 'abc' } })),
      by('ops', policySet(requiring('owner'))),
    ],
    { now: hour },
  );
  expect(told(problems)).toEqual([]);
});

test('a document that this release cannot read requires nothing', async () => {
  const problems = await problemsOf(
    [
      operator,
      by('ops', policySet('{"policies":[{"require":["horoscope"]}],"version":9}')),
      by('ci', planned()),
    ],
    { now: hour },
  );
  expect(told(problems)).toEqual([]);
});
