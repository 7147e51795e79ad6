import { expect, test } from 'vitest';
import {
  targetsTogether,
  togetherHint,
  togetherText,
  withTarget,
} from '../../../../services/core/canary/analysis/targets-together.ts';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import type { AnalysisOpened } from '../../../../services/core/samples/sample.ts';
import type { PointAttribute } from '../../../../services/core/telemetry/telemetry-point.ts';
import {
  baselinePod,
  canaryPod,
  cut,
  exportsOf,
  fastPolicy,
  opening,
  run,
} from '../../../support/canary/sample-streams.ts';

const lastExportMs = 6_500;
const inTwo = ['eu', 'us'].flatMap((target) => [
  baselinePod({ name: `old-${target}`, target, lastExportMs }),
  canaryPod({ name: `new-${target}`, target, lastExportMs }),
]);

const targetsIn = (
  pods: typeof inTwo,
  opened: Partial<AnalysisOpened> = { target: 'eu' },
  policy: Policy = fastPolicy,
  cuts: readonly number[] = [7],
): readonly string[] => {
  const { state } = run([opening(opened, policy), ...cut(exportsOf(pods), cuts)]);
  const [analysis] = Object.values(state.analyses);
  return analysis === undefined ? [] : targetsTogether(analysis);
};

test('senders of two targets are judged as one where the policy tells none apart', () => {
  expect(targetsIn(inTwo)).toEqual(['eu', 'us']);
  expect(targetsIn(inTwo.toReversed(), { target: 'eu' }, fastPolicy, [1, 2, 3])).toEqual([
    'eu',
    'us',
  ]);
});

test('by what they usually tell it by, where another policy names targets by something else', () => {
  const beside = (region: string): PointAttribute => ({ name: 'plimsoll.target', value: region });
  const samples = cut(exportsOf(inTwo), [7]).map((sample) => ({
    ...sample,
    origins: sample.origins.map((origin) => ({
      ...origin,
      target: null,
      attributes: [beside(origin.target ?? '')],
    })),
  }));
  const { state } = run([opening({ target: 'eu' }), ...samples]);
  expect(Object.values(state.analyses).map(targetsTogether)).toEqual([['eu', 'us']]);
});

test.each<readonly [string, readonly string[]]>([
  [
    'the policy tells them apart',
    targetsIn(inTwo, { target: 'eu' }, { ...fastPolicy, targetAttribute: 'r' }),
  ],
  ['it goes to no single target', targetsIn(inTwo, { target: null })],
  ['all senders name one', targetsIn(inTwo.filter(({ target }) => target === 'eu'))],
  ['nobody names any', targetsIn([baselinePod({ lastExportMs }), canaryPod({ lastExportMs })])],
  [
    'the others are of no cohort',
    targetsIn(inTwo.map((pod) => (pod.target === 'us' ? { ...pod, version: '9' } : pod))),
  ],
])('and of nobody is it said where %s', (_why, targets) => expect(targets).toEqual([]));

test('the same few names are kept, whoever was heard first', () => {
  const names = ['g', 'c', 'f', 'a', 'e', 'b', 'd'];
  const heard = (order: readonly string[]): readonly string[] => order.reduce(withTarget, []);
  expect(heard(names)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(heard(names.toReversed())).toEqual(heard(names));
  expect(togetherText('eu', heard(names))).toContain('those of a, b, c, d, e and maybe more are');
});

test('the hint says what to write, and where the name of the target is another', () => {
  expect(togetherHint('eu', ['eu', 'us'])).toMatch(/^target: cloud\.region in the policy .* to$/);
  expect(togetherHint('eu', ['eu-west-1', 'us-east-1'])).toMatch(/: eu is none of these$/);
});
