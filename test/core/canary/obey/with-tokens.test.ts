import { describe, expect, test } from 'vitest';
import {
  canaryAttempts,
  dueAnalysis,
} from '../../../../services/core/canary/attempts/canary-attempts.ts';
import type { ObeySource } from '../../../../services/core/canary/obey/obeying.ts';
import {
  askDecision,
  askGate,
  askTokensTaken,
  deploymentAt,
} from '../../../../services/core/canary/obey/obeying.ts';
import { policySettings, policyText } from '../../../../services/core/canary/policy/policy-text.ts';
import type { OnBehalf, Policy } from '../../../../services/core/canary/policy/policy.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { readLastGood } from '../../../../services/core/last-good.ts';
import { slotKey } from '../../../../services/core/markers/slot.ts';
import type { PolicyRow } from '../../../../services/core/policy-records.ts';
import { ok } from '../../../../services/core/result.ts';
import type { SlotState } from '../../../../services/core/slot-state.ts';
import { onBehalfSource } from '../../../../services/core/trust/on-behalf.ts';
import { presentOf } from '../../../../services/core/views.ts';
import { loadState } from '../../../../services/projector/project.ts';
import {
  analysisOf,
  artifact,
  canary,
  decides,
  decision,
  digestOf,
} from '../../../support/decisions.ts';
import type { House, Step } from '../../../support/given.ts';
import { by, given, openedAtMs, portsOf, trusts } from '../../../support/given.ts';
import type { Said } from '../../../support/markers.ts';
import { logged, place, planned, run, started, succeeded } from '../../../support/markers.ts';
import { value } from '../../../support/records.ts';

// What callers with a token say opens no gate, leads no roll-back and is not judged, and stands in nobody's way, unless
// the policy takes it.

const gateway = trusts('gateway', { roles: ['gateway'] });
const withToken = (says: Said): Step => by('gateway', { ...says, source: onBehalfSource('shop') });

const policyOf = (onBehalf: OnBehalf): Policy => ({ ...presets.standard, onBehalf });
const placedOf = (onBehalf: OnBehalf) => ({
  component: '*',
  environment: '*',
  preset: 'standard' as const,
  policy: policyOf(onBehalf),
});

/** Set before anything began. */
const rowOf = (onBehalf: OnBehalf): PolicyRow => ({
  ...{ position: 1, marker: '', at: openedAtMs - 1, occurredAt: openedAtMs, principal: 'ops' },
  ...{ key: 'k', source: '/ops', reason: 'why', digest: '' },
  document: JSON.stringify({ version: 2, policies: [policySettings(placedOf(onBehalf))] }),
});

/** Decided by the policy that is in force. */
const judgedBy = (onBehalf: OnBehalf) => ({
  policyDigest: digestOf(policyText(placedOf(onBehalf))),
});

const sourceOf = async ({ store }: House, onBehalf: OnBehalf): Promise<ObeySource<never>> => {
  const state = value(await loadState(portsOf(store), 'g'));
  if (state === undefined) throw new Error('nothing was folded');
  return {
    rows: async (keys) => ok(value(await store.rows('g', keys)).rows),
    policies: async () => ok([rowOf(onBehalf)]),
    keys: state.trust.keys,
    logId: state.trust.logId,
    pinnedLogId: null,
    digest: digestOf,
    nowMs: openedAtMs + 60_000,
  };
};

/** What comes of the last record of the house, a decision: `obeyed`, or why not. */
const obeyed = async (house: House, onBehalf: OnBehalf): Promise<string> => {
  const source = await sourceOf(house, onBehalf);
  const { answer } = value(await askDecision(source, house.records.length - 1, () => false));
  return answer.ok ? 'obeyed' : answer.problem.code;
};

const gate = async (house: House, onBehalf: OnBehalf): Promise<string> => {
  const asked = value(await askGate(await sourceOf(house, onBehalf), run('7')));
  if (asked.found !== 'answer') return asked.found;
  const { outcome, barred } = asked.answer;
  return barred === null ? outcome : `${outcome}: ${barred.code}`;
};

/** The canary of `canary`, planned and started with a token. */
const canaryWithToken: readonly Step[] = [
  gateway,
  ...canary.slice(0, 3),
  withToken(planned('2.0.0', { digest: artifact('b'), strategy: 'canary', canaryShare: 0.1 })),
  withToken(started()),
];

describe.each([
  { onBehalf: 'ignore', answer: 'planned-with-token', gated: 'waiting: planned-with-token' },
  { onBehalf: 'accept', answer: 'obeyed', gated: 'promote' },
] as const)('a canary that was planned with a token, under $onBehalf', (told) => {
  const { onBehalf } = told;

  test.each(['promote', 'roll-back'] as const)('a %s of it', async (kind) => {
    const decided = await decides(decision(kind, judgedBy(onBehalf)));
    expect(await obeyed(await given(...canaryWithToken, decided), onBehalf)).toBe(told.answer);
  });

  test('its gate', async () => {
    const house = await given(...canaryWithToken);
    const barred = onBehalf === 'ignore' ? told.gated : 'waiting';
    expect(await gate(house, onBehalf)).toBe(barred);
  });

  test('its analysis', async () => {
    const house = await given(...canaryWithToken);
    const rolloutsFor = () => policyOf(onBehalf);
    const deployment = await house.deployment();
    const slot = await house.row<SlotState>('slot', slotKey(place('production')));
    const due = canaryAttempts(deployment, rolloutsFor).map((attempt) =>
      dueAnalysis(digestOf, openedAtMs + 60_000, deployment, attempt, slot, rolloutsFor),
    );
    expect(due.map((one) => one?.analysis)).toEqual(onBehalf === 'accept' ? [analysisOf()] : []);
  });
});

const decidedOf = (kind: 'promote' | 'roll-back', onBehalf: OnBehalf) =>
  decides(decision(kind, judgedBy(onBehalf)));

/** Said with a token while the canary of a key runs. */
const intrusions: readonly (readonly [what: string, steps: readonly Step[]])[] = [
  ['another version in its slot', [withToken(logged('6.6.6'))]],
  [
    'another deployment that runs in its slot',
    [
      withToken(planned('6.6.6', { deployment: run('8') })),
      withToken(started({ deployment: run('8') })),
    ],
  ],
  [
    'that it was canceled',
    [withToken(succeeded()), withToken({ ...succeeded(), kind: 'canceled' })],
  ],
  ['another attempt of it', [withToken(planned('6.6.6', { attempt: '2' }))]],
];

describe.each(intrusions)('a token that says %s', (_what, steps) => {
  test.each(['promote', 'roll-back'] as const)('leaves a %s to be obeyed', async (kind) => {
    const house = await given(gateway, ...canary, ...steps, await decidedOf(kind, 'ignore'));
    expect(await obeyed(house, 'ignore')).toBe('obeyed');
    expect(await gate(house, 'ignore')).toBe(kind);
  });

  test('is not what somebody means who names the place alone', async () => {
    const source = await sourceOf(await given(gateway, ...canary, ...steps), 'ignore');
    expect(value(await deploymentAt(source, place('production'), null))).toBe(run('7'));
  });
});

test('before the plan of a key, one of a token under its id is not what its gate answers for', async () => {
  const house = await given(
    gateway,
    withToken(planned('6.6.6', { attempt: 'x' })),
    withToken(planned('6.6.6', { attempt: 'y', slot: place('staging') })),
    ...canary,
  );
  expect(await gate(house, 'ignore')).toBe('waiting');
});

test.each([
  ['another version in its slot', 'holder-changed'],
  ['another deployment that runs in its slot', 'superseded'],
])('where the policy takes tokens, %s counts', async (what, code) => {
  const steps = intrusions.find(([name]) => name === what)?.[1] ?? [];
  const decided = await decidedOf('roll-back', 'accept');
  const house = await given(gateway, ...canary, ...steps, decided);
  expect(await obeyed(house, 'accept')).toBe(code);
});

describe('the version to go back to', () => {
  const steps = [
    gateway,
    by('ci', logged('1.0.0')),
    by('ci', logged('1.1.0')),
    withToken(logged('6.6.6')),
    by('ci', logged('1.2.0')),
    withToken(logged('6.6.7')),
  ];
  test.each([
    { onBehalf: 'ignore', version: '1.1.0', present: '1.2.0' },
    { onBehalf: 'accept', version: '1.2.0', present: '6.6.7' },
  ] as const)('under $onBehalf is $version', async ({ onBehalf, version, present }) => {
    const house = await given(...steps);
    const source = await sourceOf(house, onBehalf);
    const taken = value(await askTokensTaken(source, place('production')));
    const found = value(
      await readLastGood(source.rows, place('production'), presentOf(openedAtMs, []), taken),
    );
    expect(found).toMatchObject({ version, present: { version: present } });
  });
});

test('a policy that does not take tokens has the digest that it had before there were any', () => {
  expect(policyText(placedOf('ignore'))).not.toContain('behalf');
  expect(policyText(placedOf('accept'))).toContain('"on-behalf":"accept"');
});
