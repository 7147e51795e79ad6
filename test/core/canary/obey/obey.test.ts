import { describe, expect, test } from 'vitest';
import { mayObey } from '../../../../services/core/canary/obey/obey.ts';
import { standingOfPolicy } from '../../../../services/core/canary/obey/policy-standing.ts';
import type { ObeyQuestion } from '../../../../services/core/canary/obey/question.ts';
import { readDecisionRows } from '../../../../services/core/canary/obey/rows.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import type { DecisionRow } from '../../../../services/core/read-models.ts';
import { ok } from '../../../../services/core/result.ts';
import { canary, decides, decision, firstPosition } from '../../../support/decisions.ts';
import { given, openedAtMs } from '../../../support/given.ts';
import { id, metricDecided, place, run } from '../../../support/markers.ts';
import { questionAbout } from '../../../support/obey-question.ts';
import { value } from '../../../support/records.ts';

// Rows that no fold of ours writes: whoever obeys asks again what the projector has asked.

const codeOf = (asked: ObeyQuestion): string => {
  const answer = mayObey(asked);
  return answer.ok ? answer.value.kind : answer.problem.code;
};

describe('a row that was tampered with', () => {
  test.each<readonly [code: string, change: Partial<DecisionRow>]>([
    ['roll-back', {}],
    ['decision-unknown', { position: 9 }],
    ['key-unknown', { key: '0123456789abcdef' }],
    ['out-of-scope', { slot: place('staging') }],
    ['deployment-unknown', { deployment: run('9') }],
    ['attempt-unknown', { attempt: 2 }],
    ['slot-differs', { slot: place('production', 'checkout', 'eu') }],
    ['from-differs', { fromVersion: '3.0.0' }],
    ['analysis-foreign', { analysis: id('another', 8) }],
    ['id-wrong', { marker: id('another', 8) as DecisionRow['marker'] }],
    ['valid-too-long', { validForMs: 300_001 }],
    ['valid-too-long', { validForMs: Number.NaN }],
    ['evidence-insufficient', { evidence: 199.9 }],
    ['attempt-ended', { note: 'late' }],
    ['after-roll-back', { note: 'contradiction' }],
    ['gate-held', { note: 'held' }],
    ['numbers-absurd', { strongest: [4] }],
    [
      'numbers-absurd',
      { metrics: [metricDecided({ isBlamed: true, ratioLow: 9, ratioHigh: 3 })] as never },
    ],
  ])('is refused as %s: %j', async (code, change) => {
    const asked = await questionAbout('roll-back');
    const keys =
      code === 'out-of-scope'
        ? new Map(
            [...asked.keys].map(([name, key]) => [name, { ...key, environments: ['production'] }]),
          )
        : asked.keys;
    const decisionRow = { ...asked.row, ...change };
    expect(codeOf({ ...asked, keys, rows: { ...asked.rows, decision: decisionRow } })).toBe(code);
  });

  test('too few deviations at the deadline are told as deviations', async () => {
    const asked = await questionAbout('roll-back');
    const change = { reason: 'worse-at-deadline', evidence: 2.5, evidenceNeeded: 2.8 };
    const answer = mayObey({
      ...asked,
      rows: { ...asked.rows, decision: { ...asked.row, ...change } },
    });
    expect(answer).toMatchObject({
      problem: {
        code: 'evidence-insufficient',
        message: 'the evidence is 2.5 standard deviations, and 2.8 standard deviations was needed',
      },
    });
  });

  test('of a key that was retired before, or is none of an analyser, is refused', async () => {
    const asked = await questionAbout('roll-back');
    const withKey = (change: object): ObeyQuestion => ({
      ...asked,
      keys: new Map([...asked.keys].map(([name, key]) => [name, { ...key, ...change }])),
    });
    expect(codeOf(withKey({ retiredAt: 6 }))).toBe('key-retired');
    expect(codeOf(withKey({ retiredAt: 8 }))).toBe('roll-back');
    expect(codeOf(withKey({ roles: ['operator'] }))).toBe('role-missing');
    expect(codeOf(withKey({ kinds: ['hold'] }))).toBe('kind-not-allowed');
    expect(codeOf(withKey({ compromised: { at: 9, since: 8 } }))).toBe('roll-back');
  });

  test('that is in no history is not obeyed, whatever it says', async () => {
    const asked = await questionAbout('roll-back');
    const { deployment } = asked.rows;
    const attempts = deployment?.attempts.map((attempt) => ({ ...attempt, decisions: [] })) ?? [];
    const bare = { ...asked.rows, deployment: { id: run('7'), conflicts: [], attempts } };
    expect(codeOf({ ...asked, rows: bare })).toBe('decision-unknown');
  });
});

test('asking changes nothing, and the same question has the same answer', async () => {
  const asked = await questionAbout('roll-back');
  const before = JSON.stringify(asked.rows);
  expect(mayObey(asked)).toEqual(mayObey(asked));
  expect(JSON.stringify(asked.rows)).toBe(before);
});

test('what is obeyed says until when, and where to', async () => {
  const act = value(mayObey(await questionAbout('roll-back')));
  expect(act).toMatchObject({
    id: decision('roll-back')['marker'],
    validUntilMs: openedAtMs + 7000 + 300_000,
    toVersion: '1.9.4',
    attempt: 1,
    approvedAt: null,
  });
});

test('a policy says what is asked of a decision', () => {
  const { strict } = presets;
  const policy = { ...strict, act: 'ask', required: ['digest'] } as const;
  expect(standingOfPolicy(policy, 'd', ['c', 'd'])).toMatchObject({
    inForce: 'd',
    act: 'ask',
    requiresDigest: true,
    caps: strict.caps,
  });
});

test('the log at hand is read as one state, however its rows lead to one another', async () => {
  const { store } = await given(...canary, await decides(decision('roll-back')));
  const asked: number[] = [];
  const { rows } = value(
    await readDecisionRows(async (keys) => {
      asked.push(keys.length);
      return ok(value(await store.rows('g', keys)).rows);
    }, firstPosition),
  );
  // Each look asks for everything that the one before asked for.
  expect(asked).toEqual(asked.toSorted((a, b) => a - b));
  expect(rows.slot?.holders[0]?.version).toBe('1.9.4');
});
