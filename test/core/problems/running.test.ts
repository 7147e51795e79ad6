import { describe, expect, test } from 'vitest';
import type { Step } from '../../support/given.ts';
import { by, trusts } from '../../support/given.ts';
import { digestOf } from '../../support/instances.ts';
import { logged, place, planned, run, started, succeeded } from '../../support/markers.ts';
import type { Starts } from '../../support/problems.ts';
import { problemsOf, told } from '../../support/problems.ts';

const minute = 60;
const two = digestOf('2.0.0');
const one = digestOf('1.9.4');
const running = (instance: string, at: number, over: Starts['over'] = {}): Starts => ({
  at,
  instance,
  over: { version: '2.0.0', digest: two, ...over },
});
const old = { version: '1.9.4', digest: one };

/** 2.0.0 is deployed at minute 10, with a rollout of a minute. */
const deployed = (over: { readonly digest?: string | null; readonly version?: string } = {}) => {
  const { version = '2.0.0', digest = two } = over;
  return [
    trusts('node'),
    by('ci', planned(version, { digest }), { at: 9 * minute }),
    by('ci', started(), { at: 9 * minute + 1 }),
    by('ci', succeeded(), { at: 10 * minute }),
  ] satisfies readonly Step[];
};

const found = async (
  steps: readonly Step[],
  starts: readonly Starts[],
  now = 60 * minute,
): Promise<readonly string[]> => told(await problemsOf(steps, { now, starts }));

test('instances of what is claimed are as they should be', async () => {
  const starts = [running('a', 9.5 * minute), running('b', 11 * minute)];
  expect(await found(deployed(), starts)).toEqual([]);
});

describe('another digest than the one that is claimed', () => {
  test('is an alarm where it started after the deployment, with coverage and both places', async () => {
    const starts = [
      running('a', 9.5 * minute),
      running('b', 11 * minute),
      running('c', 30 * minute, { ...old, cluster: 'blue', zone: 'eu-1' }),
    ];
    const problems = await problemsOf(deployed(), { now: 60 * minute, starts });
    expect(told(problems)).toEqual([
      `alarm digest-mismatch at 5: 1 instance of 1.9.4 (${one.slice(0, 19)}…) in production/checkout, where 2.0.0 (${two.slice(0, 19)}…) is said to run (2 of 3 do)`,
    ]);
    expect(problems[0]).toMatchObject({
      coverage: { reported: 2, expected: 3 },
      count: 1,
      missing: [`1.9.4 (${one.slice(0, 19)}…): 1 in blue/eu-1`],
      instances: [{ position: 2 }],
    });
  });

  test('is none where it started before it, or while it was rolled out', async () => {
    const starts = [
      running('a', 1 * minute, old),
      running('b', 9.9 * minute, old),
      running('c', 11 * minute),
    ];
    expect(await found(deployed(), starts)).toEqual([]);
  });

  test('counts those that started since, where others of the kind started before', async () => {
    const starts = [
      running('a', 1 * minute, old),
      running('b', 2 * minute, old),
      running('c', 30 * minute, old),
    ];
    const problems = await problemsOf(deployed(), { now: 60 * minute, starts });
    expect(problems.map(({ code, count }) => `${code} ${count}`)).toEqual(['digest-mismatch 1']);
  });

  test('is none where it is of a canary that runs beside', async () => {
    const canary = [
      ...deployed(),
      by('ci', planned('3.0.0', { deployment: run('8'), digest: one, canaryShare: 0.1 })),
      by('ci', started({ deployment: run('8') })),
    ];
    const starts = [
      running('a', 11 * minute),
      running('b', 30 * minute, { version: '3.0.0', digest: one }),
    ];
    expect(await found(canary, starts)).toEqual([]);
  });

  test('is told by the version where the digest of one side is not known', async () => {
    const starts = [running('a', 30 * minute, { version: '1.9.4', digest: null })];
    expect(await found(deployed(), starts)).toEqual([
      `alarm digest-mismatch at 5: 1 instance of 1.9.4 in production/checkout, where 2.0.0 (${two.slice(0, 19)}…) is said to run (0 of 1 do)`,
    ]);
    expect(await found(deployed({ digest: null }), [running('a', 30 * minute)])).toEqual([]);
  });
});

test('one name for two artifacts is told', async () => {
  const starts = [running('a', 11 * minute), running('b', 12 * minute, { digest: one })];
  expect(await found(deployed({ digest: null }), starts)).toEqual([
    'warning digests-differ at : instances in production/checkout run 2 artifacts under the one name 2.0.0',
  ]);
});

test('instances that fell silent with a deployment are missed, when they had their time', async () => {
  const starts = [running('a', 1 * minute, old), running('b', 2 * minute, old)];
  expect(await found(deployed(), starts, 15 * minute)).toEqual([]);
  expect(await found(deployed(), starts)).toEqual([
    'warning running-unknown at 5: none of the 2 instances known in production/checkout has started since 2.0.0 was deployed 50 minutes ago',
  ]);
});

test('instances where nothing is deployed are told', async () => {
  const starts = [running('a', 1 * minute, { slot: place('prodution') })];
  expect(await found([trusts('node'), by('ci', logged())], starts)).toEqual([
    `warning running-unclaimed at : 1 instance of 2.0.0 (${two.slice(0, 19)}…) in prodution/checkout, where no deployment is known`,
  ]);
});

test('starts that were refused are told by their code', async () => {
  const starts = [{ at: 1, instance: 'a', by: 'stranger' }];
  const problems = await problemsOf([trusts('node')], { now: minute, starts });
  expect(problems).toMatchObject([
    { code: 'instances-refused', severity: 'warning', count: 1, instances: [{ position: 0 }] },
  ]);
});
