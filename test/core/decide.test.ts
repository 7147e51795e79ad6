import { describe, expect, test } from 'vitest';
import { decide } from '../../services/core/decide.ts';
import type { Standing } from '../../services/core/decide.ts';
import type { Deployment } from '../../services/core/deployment.ts';
import type { Logged, Planned, Update } from '../../services/core/markers/marker.ts';
import { slotKey } from '../../services/core/markers/slot.ts';
import { readRow } from '../../services/core/row-text.ts';
import type { SlotState } from '../../services/core/slot-state.ts';
import { slotHistory } from '../../services/core/slot-state.ts';
import { loadState } from '../../services/projector/project.ts';
import type { Step } from '../support/given.ts';
import {
  by,
  findsCompromised,
  given,
  keyOf,
  markerOf,
  openedAtMs,
  portsOf,
  retires,
  trusts,
} from '../support/given.ts';
import {
  failed,
  id,
  logged,
  noDetails,
  place,
  planned,
  shifted,
  started,
  succeeded,
} from '../support/markers.ts';
import type { Said } from '../support/markers.ts';
import { value } from '../support/records.ts';

/** What the command would be told after that history: `append 1`, `repeat 1`, or the code. */
const told = async (steps: readonly Step[], name: string, says: Said): Promise<string> => {
  const house = await given(trusts('ci'), ...steps);
  const state = value(await loadState(portsOf(house.store), 'g'));
  if (state === undefined) throw new Error('the history is empty');
  const rows = new Map(
    (await house.dump()).map((line) => [
      line.split('\n').slice(0, 2).join(' '),
      line.split('\n')[2] ?? '',
    ]),
  );
  const rowOf = (model: string, key: string): unknown => {
    const text = rows.get(`${model} ${key}`);
    return text === undefined ? undefined : readRow<unknown>(model, text);
  };
  const deploymentOf = (wanted: string) => rowOf('deployment', wanted) as Deployment | undefined;
  const slotOf = (key: string) => rowOf('slot', key) as SlotState | undefined;
  const marker = markerOf(name, says, 'command') as Planned | Update | Logged;
  const standing: Standing = {
    trust: state.trust,
    deployment: deploymentOf(marker.deployment),
    slots: (slot) => slotHistory(slotOf(slotKey(slot))),
    holder: (wanted) => deploymentOf(wanted),
    next: state.next,
  };
  const answer = decide(marker, keyOf(name).keyId, standing, openedAtMs + 3_600_000);
  if (!answer.ok) {
    expect(answer.problem.message).not.toBe('');
    expect(answer.problem.hint).not.toBe('');
    return answer.problem.code;
  }
  return `${answer.value.answer} ${answer.value.attempt}`;
};

const of = (attempt: string) => ({ attempt });
const details = { details: { ...noDetails, commit: 'a'.repeat(40) } };
const ci = (...said: readonly Said[]): readonly Step[] => said.map((one) => by('ci', one));

describe('a plan', () => {
  test.each<readonly [string, readonly Step[], Said, string]>([
    ['is new', [], planned(), 'append 1'],
    ['said again is a no-op', ci(planned()), planned(), 'repeat 1'],
    ['said again with other details is news', ci(planned()), planned('2.0.0', details), 'append 1'],
    [
      'of a known attempt with another version',
      ci(planned('2.0.0', of('1'))),
      planned('3.0.0', of('1')),
      'planned-differently',
    ],
    [
      'of a known attempt for another place',
      ci(planned('2.0.0', of('1'))),
      planned('2.0.0', { ...of('1'), slot: place('staging') }),
      'planned-differently',
    ],
    [
      'of a known attempt with another share',
      ci(planned('2.0.0', of('1'))),
      planned('2.0.0', { ...of('1'), canaryShare: 0.5 }),
      'planned-differently',
    ],
    ['of the next attempt', ci(planned('2.0.0', of('1'))), planned('3.0.0', of('2')), 'append 2'],
    ['after the end', ci(planned(), failed()), planned(), 'append 2'],
  ])('%s', async (_what, steps, says, answer) =>
    expect(await told(steps, 'ci', says)).toBe(answer),
  );
});

describe('an update', () => {
  test.each<readonly [string, readonly Step[], Said, string]>([
    ['of nothing', [], started(), 'deployment-unknown'],
    ['is new', ci(planned()), started(), 'append 1'],
    ['said again is a no-op', ci(planned(), started()), started(), 'repeat 1'],
    [
      'of an ended attempt with the same status is a no-op',
      ci(planned(), succeeded()),
      succeeded(),
      'repeat 1',
    ],
    [
      'of an ended attempt with another status',
      ci(planned(), succeeded()),
      failed(),
      'deployment-ended',
    ],
    [
      'of an ended attempt with another reason',
      ci(planned(), failed({ reason: 'a' })),
      failed({ reason: 'b' }),
      'deployment-ended',
    ],
    ['that starts what has ended', ci(planned(), succeeded()), started(), 'deployment-ended'],
    [
      'that shifts what has ended',
      ci(planned(), succeeded()),
      shifted({ canaryShare: 1 }),
      'deployment-ended',
    ],
    [
      'of a new token after the end opens the next attempt',
      ci(planned('2.0.0', of('1')), failed(of('1'))),
      started(of('2')),
      'append 2',
    ],
    [
      'that names the planned slot',
      ci(planned()),
      started({ slot: place('production') }),
      'append 1',
    ],
    ['that names another slot', ci(planned()), started({ slot: place('staging') }), 'slot-differs'],
    ['of what waits for its plan', ci(started()), succeeded(), 'append 1'],
  ])('%s', async (_what, steps, says, answer) =>
    expect(await told(steps, 'ci', says)).toBe(answer),
  );
});

test('a logged version is news, also where it repeats what runs', async () => {
  expect(await told([], 'ci', logged())).toBe('append 1');
  expect(await told(ci(logged()), 'ci', logged())).toBe('append 1');
});

test('a logged version whose id another deployment has', async () => {
  const taken = planned('2.0.0', { deployment: id('command') });
  expect(await told(ci(taken), 'ci', logged())).toBe('deployment-taken');
});

describe('a key', () => {
  const stage = trusts('stage', { environments: ['staging'] });
  test.each<readonly [string, readonly Step[], string, Said, string]>([
    ['that nobody trusts', [], 'stranger', planned(), 'key-unknown'],
    ['that was retired', [retires('ci')], 'ci', planned(), 'key-retired'],
    ['that was found compromised', [findsCompromised('ci', 0)], 'ci', planned(), 'key-compromised'],
    [
      'without the role',
      [trusts('analyser', { roles: ['analyser'] })],
      'analyser',
      planned(),
      'role-missing',
    ],
    [
      'for other kinds',
      [trusts('planner', { kinds: ['planned'] })],
      'planner',
      logged(),
      'kind-not-allowed',
    ],
    ['for another place', [stage], 'stage', planned(), 'out-of-scope'],
    [
      'for another place than the plan',
      [stage, ...ci(planned())],
      'stage',
      succeeded(),
      'out-of-scope',
    ],
  ])('%s', async (_what, steps, name, says, answer) =>
    expect(await told(steps, name, says)).toBe(answer),
  );
});

test('a full history', async () => {
  const repeats = Array.from({ length: 600 }, () => by('ci', started()));
  expect(await told([...ci(planned()), ...repeats], 'ci', started())).toBe('history-full');
  expect(await told([...ci(planned()), ...repeats], 'ci', succeeded())).toBe('append 1');
});
