import { describe, expect, test } from 'vitest';
import { nowhere } from '../../../services/core/problems/problem.ts';
import { again, by, findsCompromised, raw, signed, trusts } from '../../support/given.ts';
import {
  failed,
  logged,
  noDetails,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../../support/markers.ts';
import { problemsOf, told } from '../../support/problems.ts';

const hour = 3600;

test('a log where all is well has no problems', async () => {
  const story = [by('ci', planned()), by('ci', started()), by('ci', succeeded())];
  expect(await problemsOf(story, { now: 48 * hour })).toEqual([]);
});

describe('a deployment that nobody ended', () => {
  const story = [
    by('ci', planned('2.0.0', { digest: null })),
    by('ci', started()),
    by('ci', planned('3.0.0', { deployment: run('8'), slot: place('staging') })),
    by('ci', started({ deployment: run('9') })),
  ];

  test('is told a day after it was last heard of, planned, running or without a plan', async () => {
    expect(await problemsOf(story, { now: 23 * hour })).toEqual([]);
    const problems = await problemsOf(story, { now: 25 * hour });
    expect(told(problems).toSorted()).toEqual([
      'warning never-ended at 2,3: 2.0.0 in production/checkout was running and nobody has said how it ended',
      'warning never-ended at 4: 3.0.0 in staging/checkout was planned and nobody has said how it ended',
      'warning never-ended at 5: an attempt without a plan was running and nobody has said how it ended',
    ]);
    expect(problems[0]?.hint).toContain(`--deployment=${problems[0]?.deployment ?? ''}`);
  });

  test('only of the places that are asked for', async () => {
    const problems = await problemsOf(story, {
      now: 25 * hour,
      filter: { ...nowhere, environment: 'staging' },
    });
    expect(problems.map(({ deployment }) => deployment)).toEqual([run('8')]);
  });
});

test('a conflict is an alarm, with both records', async () => {
  const story = [
    by('ci', planned(), { marker: 'm' }),
    by('ci', started({ details: { ...noDetails, commit: 'x' } }), { marker: 'm' }),
  ];
  expect(told(await problemsOf(story, { now: 10 }))).toEqual([
    'alarm conflict at 2,3: markers of 2.0.0 in production/checkout came again with other content: its gate is held',
  ]);
});

test('what a compromised key says to run is an alarm', async () => {
  const story = [trusts('ci'), by('ci', logged()), findsCompromised('ci', 2)];
  expect(told(await problemsOf(story, { now: 10 }))).toEqual([
    'alarm suspect-holder at 2: what holds production/checkout, 2.0.0, was said by a key that was found compromised',
  ]);
});

test('contradictions warn, disagreements are shown', async () => {
  const story = [
    by('ci', planned()),
    by('ci', started()),
    by('ci', started({ details: { ...noDetails, commit: 'x' } })),
    by('ci', succeeded()),
    by('ci', failed()),
    by('ci', failed({ reason: 'timeout' })),
  ];
  expect(told(await problemsOf(story, { now: 10 }))).toEqual([
    'warning contradiction at 6,7: 2.0.0 in production/checkout: ci says failed, but it ended as succeeded, and 1 more',
    'info disagreement at 4: 2.0.0 in production/checkout: ci says other commit',
  ]);
});

test.each([
  ['latest', true],
  ['2.0.0-SNAPSHOT', true],
  ['registry/shop:main', true],
  ['2.0.0', false],
  ['latest-2024', false],
])('a version %s without a digest is a name that moves: %s', async (version, moves) => {
  const codes = (problems: readonly { readonly code: string }[]): readonly string[] =>
    problems.map(({ code }) => code);
  const bare = await problemsOf([by('ci', logged(version))], { now: 10 });
  expect(codes(bare)).toEqual(moves ? ['tag-without-digest'] : []);
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(await problemsOf([by('ci', logged(version, { digest }))], { now: 10 })).toEqual([]);
});

describe('records that were not accepted', () => {
  const story = async () => {
    const strange = await signed('stranger', planned(), 'strange');
    return [
      trusts('stage', { environments: ['staging'] }),
      trusts('ci'),
      by('stage', planned()),
      raw(strange),
      again(4),
      by('ci', succeeded({ deployment: run('9') }), {
        spoilt: (record) => ({ ...record, headers: [] }),
      }),
    ];
  };

  test('are told by what is wrong with them, with their positions and who is known to have signed', async () => {
    expect(told(await problemsOf(await story(), { now: 10 }))).toEqual([
      'warning out-of-scope at 3: 1 record not accepted (out-of-scope), by stage',
      'warning unsigned at 6: 1 record not accepted (header-missing)',
      'warning unsigned at 4,5: 2 records not accepted (key-unknown)',
    ]);
  });

  test('and not for ever', async () => {
    expect(await problemsOf(await story(), { now: 10, since: 100 })).toEqual([]);
  });
});
