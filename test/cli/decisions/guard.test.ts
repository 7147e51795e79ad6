import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problem } from '../../../services/cli/problem.ts';
import { fail } from '../../../services/core/result.ts';
import { openCanaryDesk } from '../../support/canary-desk.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import { canary, decides, decision, decisionIdOf } from '../../support/decisions.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, trusts } from '../../support/given.ts';
import { frozen, place, run } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const deployment = run('7');

const deskAfter = (
  steps: readonly (Step | Promise<Step>)[],
  options: DeskOptions = {},
): Promise<Desk> => openCanaryDesk(scratch, steps, options);

const as = (name: string): readonly string[] => [`--key=${name}.json`, '--json'];
const asks = decision('roll-back', { mode: 'ask' });

test('decisions are stopped, and resumed', async () => {
  const desk = await deskAfter([decides(decision('promote'))]);
  const stopped = await desk.plimsoll('decisions', 'stop', '--reason=incident', ...as('ops'));
  expect(jsonOf(stopped)).toEqual({
    operation: 9,
    kind: 'decisions-stopped',
    environment: null,
    decision: null,
  });
  expect(faultsOf('guard-change', jsonOf(stopped))).toEqual([]);
  const resumed = await desk.plimsoll('decisions', 'resume', '--reason=over', '--key=ops.json');
  expect(resumed.out).toEqual(['decisions count again everywhere (position 10)']);
  const again = await desk.plimsoll('decisions', 'resume', '--reason=over', ...as('ops'));
  expect([again.exit, JSON.parse(again.err[0] ?? '')]).toMatchObject([3, { code: 'not-stopped' }]);
  // What would have no effect is not written.
  expect(await desk.house.records()).toHaveLength(11);
});

test.each([
  ['prodution', 'the nearest known name is "production"'],
  ['pr-*', null],
  ['production', null],
])('decisions are stopped in %s, and a slip of the pen is told', async (environment, hint) => {
  const desk = await deskAfter([decides(decision('promote'))]);
  const words = ['decisions', 'stop', `--environment=${environment}`, '--reason=incident'];
  const { exit, out, err } = await desk.plimsoll(...words, ...as('ops'));
  expect([exit, out.length]).toEqual([0, 1]);
  expect(err.map((line) => JSON.parse(line) as unknown)).toMatchObject(
    hint === null ? [] : [{ code: 'new-environment', hint }],
  );
});

test('what asks is approved by its position or its id, and then the gate opens', async () => {
  const desk = await deskAfter([decides(asks)]);
  const approved = await desk.plimsoll(
    ...['decisions', 'approve', decisionIdOf(asks), '--reason=looked at it'],
    ...as('ops'),
  );
  expect(jsonOf(approved)).toMatchObject({ kind: 'decision-approved', decision: 8 });
  expect(faultsOf('guard-change', jsonOf(approved))).toEqual([]);
  const gate = await desk.plimsoll('gate', deployment, '--json');
  expect([gate.exit, jsonOf(gate)['act']]).toMatchObject([10, { approvedAt: 9 }]);
  const declined = await desk.plimsoll(
    ...['decisions', 'decline', '8', '--reason=not so fast', '--key=ops.json'],
  );
  expect(declined.out).toEqual([
    'roll-back of checkout 2.0.0 in production: declined (position 10)',
  ]);
  const operations = await desk.plimsoll('operations');
  expect(operations.out.map((line) => line.replace(/ {2,}/g, '  '))).toEqual([
    'POSITION  AT (UTC)  KIND  SIGNER  ABOUT  REASON',
    '9  2026-11-21 10:00:00Z  decision-approved  ops  roll-back of checkout 2.0.0 in production; position 8  looked at it',
    '10  2026-11-21 10:02:00Z  decision-declined  ops  roll-back of checkout 2.0.0 in production; position 8  not so fast',
  ]);
});

test('who planned it and approves it hears that somebody else must', async () => {
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [trusts('ci', { roles: ['emitter', 'operator'] }), ...canary, await decides(asks)],
  });
  const approve = async (name: string): Promise<readonly string[]> =>
    (await desk.plimsoll('decisions', 'approve', '8', '--reason=yes', ...as(name))).err;
  expect((await approve('ci')).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { code: 'approver-is-planner', hint: expect.stringContaining('--key=FILE') as unknown },
  ]);
  expect(await approve('ops')).toEqual([]);
});

test('who planned it and approves what another has approved takes nothing away', async () => {
  const desk = await openDesk({
    folder: join(scratch, randomUUID()),
    steps: [trusts('ci', { roles: ['emitter', 'operator'] }), ...canary, await decides(asks)],
  });
  for (const name of ['ops', 'ci', 'ci']) {
    const said = await desk.plimsoll('decisions', 'approve', '8', '--reason=yes', ...as(name));
    expect([said.exit, said.err]).toEqual([0, []]);
  }
  const gate = await desk.plimsoll('gate', deployment, '--json');
  expect([gate.exit, jsonOf(gate)['act']]).toMatchObject([10, { approvedAt: 9 }]);
});

test('an approval that stands is told as done, though nobody answers what comes of it', async () => {
  const desk = await deskAfter([decides(asks)]);
  let opened = 0;
  const away = desk.elsewhere({
    change: (ports) => ({
      ...ports,
      // Before the approval, behind it, and for the question.
      atHand: async (progress) => {
        opened += 1;
        return opened === 3
          ? fail(problem('log-unreachable', 'it is away', 'try again'))
          : ports.atHand(progress);
      },
    }),
  });
  const said = await away.plimsoll('decisions', 'approve', '8', '--reason=yes', ...as('ops'));
  expect([said.exit, jsonOf(said)]).toMatchObject([0, { kind: 'decision-approved', decision: 8 }]);
  expect(JSON.parse(said.err[0] ?? '')).toMatchObject({ code: 'log-unreachable' });
});

test('a renewal stands for what it renews', async () => {
  const body = { ...asks, windowIndex: 50 };
  const renewal = { ...body, marker: decisionIdOf(body) };
  const desk = await deskAfter([decides(asks), decides(renewal)]);
  const said = await desk.plimsoll('decisions', 'approve', '9', '--reason=yes', ...as('ops'));
  expect(jsonOf(said)).toMatchObject({ decision: 8 });
});

test('a frozen slot is lifted by its name', async () => {
  const desk = await deskAfter([decides(decision('roll-back'))]);
  const slot = ['--environment-name=production', '--component-name=checkout'];
  const lifted = await desk.plimsoll('decisions', 'lift', ...slot, '--reason=fixed', ...as('ops'));
  expect(jsonOf(lifted)).toMatchObject({ kind: 'freeze-lifted', decision: 8 });
  const again = await desk.plimsoll('decisions', 'lift', ...slot, '--reason=fixed', ...as('ops'));
  expect([again.exit, JSON.parse(again.err[0] ?? '')]).toMatchObject([3, { code: 'not-frozen' }]);
});

test.each([
  [['approve', '8', '--reason=yes', ...as('ops')], 3, 'not-asked'],
  [['approve', '99', '--reason=yes', ...as('ops')], 4, 'decision-unknown'],
  [['approve', 'that one', '--reason=yes', ...as('ops')], 4, 'decision-unknown'],
  [['stop', '--reason=yes', ...as('ci')], 5, 'role-missing'],
  [['stop', '--reason=yes', ...as('stage')], 5, 'out-of-scope'],
  [['stop', '--json'], 2, 'option-missing'],
  [['stop', '--reason=yes', '--environment=a*b', ...as('ops')], 2, 'field-invalid'],
])('%j is refused with %i %s, and nothing is written', async (args, exit, code) => {
  const desk = await deskAfter([
    decides(decision('roll-back')),
    trusts('stage', { roles: ['operator'], environments: ['staging'] }),
  ]);
  const before = (await desk.house.records()).length;
  const said = await desk.plimsoll('decisions', ...args);
  expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([exit, { code }]);
  expect(await desk.house.records()).toHaveLength(before);
});

test('through a gateway nobody speaks of decisions yet', async () => {
  const desk = await deskAfter([], { isRemote: true });
  const said = await desk.plimsoll('decisions', 'stop', '--reason=incident', ...as('ops'));
  expect([said.exit, JSON.parse(said.err[0] ?? '')]).toMatchObject([
    2,
    { code: 'not-through-gateway' },
  ]);
});

test.each([
  ['promote', 11, 'place-frozen'],
  ['advance', 11, 'place-frozen'],
  // Going back is no change that anybody wants to keep away.
  ['roll-back', 10, undefined],
] as const)(
  'of a place that a person froze, a gate behind %s exits %i',
  async (kind, exit, code) => {
    const desk = await deskAfter([
      decides(decision(kind, kind === 'advance' ? { share: 0.5 } : {})),
      by('ops', frozen({ slot: place('production', '*') })),
    ]);
    const gate = await desk.plimsoll('gate', deployment, '--json');
    expect([gate.exit, (jsonOf(gate)['refused'] as { code?: string } | null)?.code]).toEqual([
      exit,
      code,
    ]);
    expect(faultsOf('gate', jsonOf(gate))).toEqual([]);
  },
);

test('a gate that a person froze says who did, and why', async () => {
  const desk = await deskAfter([
    decides(decision('promote')),
    by('ops', frozen({ slot: place('production', '*') })),
  ]);
  const said = await desk.plimsoll('gate', deployment);
  expect(said.out.join(' ')).toMatch(/^hold .*frozen since position 9 by ops: the holidays/);
});
