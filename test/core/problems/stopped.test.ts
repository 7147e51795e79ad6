import { expect, test } from 'vitest';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import { nowhere } from '../../../services/core/problems/problem.ts';
import type { Problem, ProblemPlace } from '../../../services/core/problems/problem.ts';
import { canary, decides, decision } from '../../support/decisions.ts';
import type { Step } from '../../support/given.ts';
import { by } from '../../support/given.ts';
import { operated, planned, policySet, run } from '../../support/markers.ts';
import { problemsOf, told } from '../../support/problems.ts';

const freezing =
  '{"policies":[{"component":"*","environment":"*","flap-guard":{"freeze":true}}],"version":2}';
const stopsIn = (environment: string | null): Step =>
  by('ops', operated('decisions-stopped', { environment, reason: 'we look at it' }));

/** What keeps decisions from counting, of all that is told. */
const toldOf = async (
  steps: readonly Step[],
  filter: Partial<ProblemPlace> = {},
): Promise<readonly Problem[]> =>
  (await problemsOf([...canary, ...steps], { now: 120, filter: { ...nowhere, ...filter } })).filter(
    ({ code }) => code === 'stopped' || code === 'slot-frozen',
  );

/** The hint begins with a command that is taken. */
const expectCommand = ({ hint }: Problem, command: string): void => {
  expect(hint.startsWith(`${command} `)).toBe(true);
  const words = command.split(' ').slice(1);
  expect([command, parseArguments(words)]).toMatchObject([command, { ok: true }]);
};

test('a stop is told with who, why and the command that ends it, until it is ended', async () => {
  const [problem, ...others] = await toldOf([stopsIn('production')]);
  if (problem === undefined) throw new Error('nothing is told');
  expect([told([problem]), others]).toEqual([
    [
      'warning stopped at 7: decisions are stopped in production since position 7 by ops: we look at it; no canary is promoted or rolled back',
    ],
    [],
  ]);
  expect(problem).toMatchObject({ principal: 'ops', place: { environment: 'production' } });
  expectCommand(problem, 'plimsoll decisions resume --environment=production --reason=TEXT');
  const resumed = by('ops', operated('decisions-resumed', { environment: 'production' }));
  expect(await toldOf([stopsIn('production'), resumed])).toEqual([]);
});

test.each([
  [null, { environment: 'production', component: 'checkout' }, 1],
  ['prod*', { environment: 'production', component: 'checkout' }, 1],
  ['staging', { environment: 'production' }, 0],
  ['staging', { component: 'checkout' }, 1],
])('a stop of %s is told of each place that it covers', async (environment, filter, count) => {
  const problems = await toldOf([stopsIn(environment)], filter);
  expect(problems).toHaveLength(count);
  if (environment === null && problems[0] !== undefined)
    expectCommand(problems[0], 'plimsoll decisions resume --reason=TEXT');
});

test('a slot that a roll-back froze is told until it is lifted, where the policy freezes', async () => {
  const rolledBack = await decides(decision('roll-back'));
  const steps = [by('ops', policySet(freezing)), rolledBack];
  const [problem, ...others] = await toldOf(steps);
  if (problem === undefined) throw new Error('nothing is told');
  expect([told([problem]), others]).toEqual([
    [
      'warning slot-frozen at 8: production/checkout is frozen since the roll-back at position 8; no other canary is promoted or rolled back there',
    ],
    [],
  ]);
  expect(problem.deployment).toBe(run('7'));
  expectCommand(
    problem,
    'plimsoll decisions lift --environment-name=production --component-name=checkout --reason=TEXT',
  );
  const again = by('ci', planned('2.0.1', { deployment: run('8') }));
  expect(await toldOf([...steps, again])).toHaveLength(1);
  expect(await toldOf(steps, { environment: 'staging' })).toEqual([]);
  expect(
    await toldOf([...steps, by('ops', operated('freeze-lifted', { positions: [8] }))]),
  ).toEqual([]);
  expect(await toldOf([rolledBack])).toEqual([]);
});
