import { describe, expect, test } from 'vitest';
import { parseExpected, placesMax } from '../../../services/core/problems/parse-expected.ts';
import { nowhere } from '../../../services/core/problems/problem.ts';
import type { Step } from '../../support/given.ts';
import { by, trusts } from '../../support/given.ts';
import { digestOf } from '../../support/instances.ts';
import {
  failed,
  noDetails,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../../support/markers.ts';
import { problemsOf } from '../../support/problems.ts';

const minute = 60;

/** A version is deployed to a place, from planned to its end; `at` in minutes. */
const deploys = (
  version: string,
  environment: string,
  at: number,
  over: { readonly zone?: string; readonly target?: string; readonly fails?: true } = {},
): readonly Step[] => {
  const deployment = run(`${version} ${environment} ${at} ${over.zone ?? ''}`);
  const details = { ...noDetails, zone: over.zone ?? null };
  const slot = place(environment, 'checkout', over.target ?? null);
  const end = over.fails === true ? failed : succeeded;
  return [
    by('ci', planned(version, { deployment, slot, details }), { at: at * minute }),
    by('ci', started({ deployment }), { at: at * minute + 1 }),
    by('ci', end({ deployment }), { at: at * minute + 2 }),
  ];
};

const expected = (over: object = {}) => ({
  expected: [
    {
      component: 'checkout',
      environments: ['staging', 'production'],
      withinMinutes: 30,
      ...over,
    },
  ],
});

const found = async (
  steps: readonly Step[],
  now: number,
  over: object = {},
): Promise<readonly string[]> =>
  (await problemsOf(steps, { now: now * minute, expected: expected(over) })).map(
    ({ severity, code, coverage, missing }) =>
      `${severity} ${code} ${coverage?.reported} of ${coverage?.expected}${missing.length === 0 ? '' : `: ${missing.join(', ')}`}`,
  );

test.each([
  [{ component: 'chekcout' }],
  [{ environments: ['prodution'] }],
  [{ namespace: 'shop' }],
])('a file that matches nothing says so: %j', async (over) => {
  expect(await found(deploys('2.0.0', 'production', 1), 90, over)).toEqual([
    expect.stringMatching(/^info expected-unheard 0 of [12]$/),
  ]);
});

test('nothing is expected before anything succeeded', async () => {
  const steps = [by('ci', planned('2.0.0', { slot: place('staging') }))];
  expect(await found(steps, 20)).toEqual([]);
});

describe('after it succeeded in the first place', () => {
  const inStaging = deploys('2.0.0', 'staging', 0);

  test('the others have their time', async () => {
    expect(await found(inStaging, 29)).toEqual(['info expected-pending 1 of 2: production']);
  });

  test('and then it is an alarm, with coverage, what is missing and when it was due', async () => {
    expect(await found(inStaging, 31)).toEqual(['alarm expected-missing 1 of 2: production']);
    const [problem] = await problemsOf(inStaging, { now: 31 * minute, expected: expected() });
    expect(problem?.message).toBe(
      'checkout 2.0.0 is reported by 1 of 2 places; missing: production',
    );
    expect(problem?.positions).toEqual([2, 4]);
    expect(problem?.at).toBe(problem === undefined ? 0 : 1_795_255_200_000 + 1802 * 1000);
  });

  test('all of them reported, it is told in numbers', async () => {
    const both = [...inStaging, ...deploys('2.0.0', 'production', 10)];
    expect(await found(both, 31)).toEqual(['info expected-met 2 of 2']);
  });

  test('what failed there has not reported, and is said to have failed', async () => {
    const steps = [...inStaging, ...deploys('2.0.0', 'production', 10, { fails: true })];
    expect(await found(steps, 31)).toEqual(['alarm expected-missing 1 of 2: production']);
    const [problem] = await problemsOf(steps, { now: 31 * minute, expected: expected() });
    expect(problem?.message).toContain('(it failed in 1)');
  });

  test('who has gone on to a later version is not behind', async () => {
    const steps = [
      ...inStaging,
      ...deploys('2.1.0', 'staging', 10),
      ...deploys('2.1.0', 'production', 12),
    ];
    expect(await found(steps, 35)).toEqual(['info expected-met 2 of 2']);
  });

  test('a stream of new versions does not put off what is due', async () => {
    const steps = [
      ...inStaging,
      ...deploys('2.1.0', 'staging', 20),
      ...deploys('2.2.0', 'staging', 40),
    ];
    expect(await found(steps, 45)).toEqual(['alarm expected-missing 1 of 2: production']);
  });

  test('what was taken back wherever it was is owed to nobody', async () => {
    const steps = [
      ...deploys('1.9.4', 'staging', 0),
      ...deploys('1.9.4', 'production', 1),
      ...deploys('2.0.0', 'staging', 5),
      ...deploys('1.9.4', 'staging', 10),
    ];
    expect(await found(steps, 45)).toEqual(['info expected-met 2 of 2']);
  });
});

test('after it was planned, it is due wherever it never came to anything', async () => {
  const steps = [
    by('ci', planned('2.0.0', { slot: place('staging') }), { at: 0 }),
    by('ci', started(), { at: 1 }),
  ];
  expect(await found(steps, 31, { after: 'planned' })).toEqual([
    'alarm expected-missing 0 of 2: staging, production',
  ]);
});

describe('places inside an environment', () => {
  const zones = { environments: ['production'], zones: ['eu-1', 'eu-2', 'us-1'] };
  const two = [
    ...deploys('2.0.0', 'production', 0, { zone: 'eu-1' }),
    ...deploys('2.0.0', 'production', 1, { zone: 'eu-2' }),
  ];

  test('are told apart by cluster, zone and target', async () => {
    expect(await found(two, 45, zones)).toEqual([
      'alarm expected-missing 2 of 3: production in us-1',
    ]);
    const cells = [...deploys('2.0.0', 'production', 0, { target: 'cell-1' })];
    expect(
      await found(cells, 45, { environments: ['production'], targets: ['cell-1', 'cell-2'] }),
    ).toEqual(['alarm expected-missing 1 of 2: production (cell-2)']);
  });

  test('report also by the instances that run there', async () => {
    const problems = await problemsOf([trusts('node'), ...two], {
      now: 45 * minute,
      expected: expected(zones),
      starts: [
        {
          at: 2 * minute,
          instance: 'a',
          over: { version: '2.0.0', digest: digestOf('2.0.0'), zone: 'us-1' },
        },
      ],
    });
    expect(problems.map(({ code }) => code)).toEqual(['expected-met']);
  });
});

test('only of the places that are asked for', async () => {
  const steps = deploys('2.0.0', 'staging', 0);
  const codes = async (filter: object): Promise<readonly string[]> =>
    (
      await problemsOf(steps, {
        now: 45 * minute,
        expected: expected(),
        filter: { ...nowhere, ...filter },
      })
    ).map(({ code }) => code);
  expect(await codes({ environment: 'production' })).toEqual(['expected-missing']);
  expect(await codes({ environment: 'elsewhere' })).toEqual([]);
  expect(await codes({ component: 'basket' })).toEqual([]);
});

describe('the file is refused with the place of what is wrong', () => {
  const one = expected().expected[0];
  test.each<[unknown, string]>([
    [[], ''],
    [{}, 'expected'],
    [{ expected: [] }, 'expected'],
    [{ expect: [] }, 'expect'],
    [{ expected: [7] }, 'expected[0]'],
    [{ expected: [one, { ...one, component: '' }] }, 'expected[1].component'],
    [{ expected: [{ ...one, environments: [] }] }, 'expected[0].environments'],
    [{ expected: [{ ...one, environments: ['a', 'a'] }] }, 'expected[0].environments[1]'],
    [{ expected: [{ ...one, zones: ['a', 7] }] }, 'expected[0].zones[1]'],
    [{ expected: [{ ...one, zone: ['a'] }] }, 'expected[0].zone'],
    [{ expected: [{ ...one, after: 'later' }] }, 'expected[0].after'],
    [{ expected: [{ ...one, withinMinutes: 0 }] }, 'expected[0].withinMinutes'],
    [{ expected: [{ ...one, withinMinutes: '30m' }] }, 'expected[0].withinMinutes'],
    [
      {
        expected: [
          {
            ...one,
            environments: names(40),
            clusters: names(30),
          },
        ],
      },
      'expected[0]',
    ],
  ])('%j', (json, path) => {
    expect(parseExpected(json)).toMatchObject({ ok: false, problem: { path } });
  });

  test('and says it', () => {
    const parsed = parseExpected({ expected: [{ ...one, zones: ['a', null] }] });
    expect(parsed.ok ? '' : parsed.problem.message).toBe(
      'expected[0].zones[1] must be a name of at most 128 characters, not null',
    );
    expect(placesMax).toBe(1000);
  });
});

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}
