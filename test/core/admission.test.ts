import { describe, expect, test } from 'vitest';
import type { AdmissionProblem } from '../../services/core/admission.ts';
import { admitRecord } from '../../services/core/admit-record.ts';
import type { AdmissionReads, Admitted, Door } from '../../services/core/admit-record.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { PolicyRow } from '../../services/core/policy-records.ts';
import { fail, ok } from '../../services/core/result.ts';
import type { Result } from '../../services/core/result.ts';
import { loadState } from '../../services/projector/project.ts';
import type { Step } from '../support/given.ts';
import {
  by,
  delivered,
  findsCompromised,
  given,
  openedAtMs,
  portsOf,
  retires,
  signed,
  tools,
  trusts,
} from '../support/given.ts';
import {
  audience,
  failed,
  id,
  logged,
  noDetails,
  place,
  planned,
  run,
  canceled,
  shifted,
  started,
  succeeded,
} from '../support/markers.ts';
import type { Said } from '../support/markers.ts';
import { value } from '../support/records.ts';

/** The log after that history, as who stands before it sees it, and the reads that the rules make. */
const before = async (
  steps: readonly Step[],
  policy?: PolicyRow,
): Promise<{ readonly door: Door; readonly reads: AdmissionReads<never> }> => {
  const house = await given(trusts('ci'), ...steps);
  const state = value(await loadState(portsOf(house.store), 'g'));
  if (state === undefined) throw new Error('the history is empty');
  const { trust, next } = state;
  return {
    door: { tools, audience, trust, next, nowMs: openedAtMs + 3_600_000 },
    reads: {
      rows: async (keys) => ok(value(await house.store.rows('g', keys)).rows),
      newestPolicy: async () => ok(policy),
    },
  };
};

/** What the record would come to after that history. */
const admitted = async (
  steps: readonly Step[],
  record: NewRecord,
  policy?: PolicyRow,
): Promise<Result<Admitted, AdmissionProblem>> => {
  const { door, reads } = await before(steps, policy);
  return value(await admitRecord(door, reads, record));
};

/** What the sender would be told: `append 1`, `append 1 unplanned`, `duplicate 1 repeat`, or the code of a refusal. */
const told = async (steps: readonly Step[], name: string, says: Said): Promise<string> => {
  const answer = await admitted(steps, await signed(name, says, 'command'));
  if (!answer.ok) {
    expect(answer.problem.message).not.toBe('');
    expect(answer.problem.hint ?? '').not.toBe('');
    return answer.problem.code;
  }
  const { attempt, code } = answer.value;
  return [answer.value.answer, attempt ?? '-', ...(code === null ? [] : [code])].join(' ');
};

const of = (attempt: string) => ({ attempt });
const details = { details: { ...noDetails, commit: 'a'.repeat(40) } };
const ci = (...said: readonly Said[]): readonly Step[] => said.map((one) => by('ci', one));

describe('a plan', () => {
  test.each<readonly [string, readonly Step[], Said, string]>([
    ['is new', [], planned(), 'append 1'],
    ['said again is a no-op', ci(planned()), planned(), 'duplicate 1 repeat'],
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
    ['of nothing', [], started(), 'append 1 unplanned'],
    ['is new', ci(planned()), started(), 'append 1'],
    ['said again is a no-op', ci(planned(), started()), started(), 'duplicate 1 repeat'],
    [
      'of an ended attempt with the same status is a no-op',
      ci(planned(), succeeded()),
      succeeded(),
      'duplicate 1 repeat',
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
    [
      'of an ended attempt with the same status, and its reason left out, is a no-op',
      ci(planned(), failed({ reason: 'a' })),
      failed(),
      'duplicate 1 repeat',
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

test.each<readonly [string, readonly Step[], Said, string]>([
  [
    'another end',
    ci(planned(), failed()),
    succeeded(),
    'the attempt has ended as failed, and cannot end as succeeded any more',
  ],
  [
    'another reason',
    ci(planned(), failed({ reason: 'a' })),
    failed({ reason: 'b' }),
    'the attempt has ended as failed for another reason',
  ],
  [
    'a start',
    ci(planned(), succeeded()),
    started(),
    'the attempt has ended as succeeded, and cannot run again',
  ],
  [
    'traffic',
    ci(planned(), canceled()),
    shifted({ canaryShare: 1 }),
    'the attempt has ended as canceled, and goes on no more',
  ],
])('what has ended refuses %s in a sentence', async (_what, steps, says, message) => {
  expect(await admitted(steps, await signed('ci', says, 'command'))).toMatchObject({
    problem: { code: 'deployment-ended', message },
  });
});

test('a logged version is news, also where it repeats what runs: it belongs to that', async () => {
  expect(await told([], 'ci', logged())).toBe('append 1');
  const answer = await admitted(
    [by('ci', logged(), { marker: 'first' })],
    await signed('ci', logged(), 'command'),
  );
  expect(answer).toMatchObject({
    value: { answer: 'append', deployment: id('first'), attempt: 1, code: 'repeat' },
  });
});

describe('what is on the log', () => {
  test('in other words is told with the marker that stands', async () => {
    const steps = [by('ci', planned()), by('ci', started(), { marker: 'first' })];
    expect(await admitted(steps, await signed('ci', started(), 'command'))).toMatchObject({
      value: { answer: 'duplicate', deployment: run('7'), marker: id('first'), position: 3 },
    });
  });

  test('to the byte, as a repeat of another deployment, belongs to that one', async () => {
    const steps = [
      by('ci', logged(), { marker: 'first' }),
      by('ci', logged(), { marker: 'command' }),
    ];
    const again = await signed('ci', logged(), 'command', openedAtMs + 3000);
    expect(await admitted(steps, again)).toMatchObject({
      value: {
        answer: 'duplicate',
        deployment: id('first'),
        attempt: 1,
        marker: id('command'),
        position: 3,
      },
    });
  });
});

describe('what a policy requires', () => {
  const policy = {
    position: 9,
    document: '{"policies":[{"component":"*","environment":"*","require":["owner"]}],"version":2}',
  } as PolicyRow;
  const cases: readonly (readonly [string, readonly Step[], Said])[] = [
    ['a plan', [], planned()],
    ['a version that is logged', [], logged()],
    ['a version that is logged again', ci(logged()), logged()],
  ];

  test.each(cases)('%s must have', async (_what, steps, says) => {
    const answer = await admitted(steps, await signed('ci', says, 'command'), policy);
    expect(answer).toMatchObject({ problem: { code: 'fields-required' } });
  });

  test.each(cases)('%s that waited lacks, and is stored', async (_what, steps, says) => {
    const record = await delivered(await signed('ci', says, 'command'), 5000, 'ci');
    const answer = await admitted(steps, record, policy);
    expect(answer).toMatchObject({ value: { answer: 'append', code: 'fields-required' } });
  });

  test('a plan that stands need not have when it is said again', async () => {
    const answer = await admitted(ci(planned()), await signed('ci', planned(), 'command'), policy);
    expect(answer).toMatchObject({ value: { answer: 'duplicate' } });
  });

  test('is not what is told of a plan that waited and contradicts', async () => {
    const record = await delivered(await signed('ci', planned('3.0.0'), 'command'), 5000, 'ci');
    const answer = await admitted(ci(planned()), record, policy);
    expect(answer).toMatchObject({ value: { answer: 'append', code: 'planned-differently' } });
  });
});

test('what cannot be read is not refused', async () => {
  const { door, reads } = await before([]);
  const record = await signed('ci', planned(), 'command');
  const broken = async (): Promise<Result<never, string>> => fail('away');
  for (const some of [{ rows: broken }, { newestPolicy: broken }])
    expect(await admitRecord(door, { ...reads, ...some }, record)).toEqual(fail('away'));
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
