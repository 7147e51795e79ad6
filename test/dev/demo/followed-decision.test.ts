import { describe, expect, test } from 'vitest';
import type { FollowedDecision } from '../../../services/dev/demo/followed-decision.ts';
import { actionOf, readDecision } from '../../../services/dev/demo/followed-decision.ts';

const row = {
  position: 9,
  at: '2026-11-21T10:00:00.000Z',
  decision: 'roll-back',
  deployment: 'd-1',
  attempt: 1,
  verdict: 'fail',
  explanation: 'canary worse',
  note: 'applied',
  suspect: false,
  validUntil: '2026-11-21T10:05:00.000Z',
};
const inTimeMs = Date.parse('2026-11-21T10:00:01Z');

describe('a line of decisions', () => {
  test('is read', () => {
    expect(readDecision(JSON.stringify(row))).toEqual({
      decision: 'roll-back',
      deployment: 'd-1',
      verdict: 'fail',
      position: 9,
      explanation: 'canary worse',
      note: 'applied',
      suspect: false,
      validUntilMs: Date.parse('2026-11-21T10:05:00Z'),
    });
  });

  test.each([
    ['no JSON', 'roll-back!'],
    ['null', 'null'],
    ...(
      ['decision', 'deployment', 'verdict', 'position', 'note', 'suspect', 'validUntil'] as const
    ).map((name) => [`one without ${name}`, JSON.stringify({ ...row, [name]: undefined })]),
    ['a time that is none', JSON.stringify({ ...row, validUntil: 'soon' })],
  ])('%s is not understood, and nothing follows from it', (_, line) => {
    expect(readDecision(line)).toBeUndefined();
  });
});

describe('the hook', () => {
  const decision = readDecision(JSON.stringify(row)) as FollowedDecision;

  test('acts on a roll-back and on a promotion of its deployment', () => {
    expect(actionOf(decision, 'd-1', inTimeMs)).toBe('roll-back');
    expect(actionOf({ ...decision, decision: 'promote' }, 'd-1', inTimeMs)).toBe('promote');
  });

  test.each<[string, Partial<FollowedDecision>]>([
    ['another deployment', { deployment: 'd-2' }],
    ['a hold', { decision: 'hold' }],
    ['one that contradicts a final roll-back', { note: 'contradiction' }],
    ['one that came after the end of the attempt', { note: 'late' }],
    ['one by a compromised key', { suspect: true }],
    ['one that has lapsed', { validUntilMs: inTimeMs - 1 }],
  ])('does nothing on %s', (_, changed) => {
    expect(actionOf({ ...decision, ...changed }, 'd-1', inTimeMs)).toBeUndefined();
  });
});
