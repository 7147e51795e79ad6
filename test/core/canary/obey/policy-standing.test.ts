import { describe, expect, test } from 'vitest';
import {
  noPolicySet,
  policyStanding,
} from '../../../../services/core/canary/obey/policy-standing.ts';
import {
  policySettings,
  policyText,
  policyTexts,
} from '../../../../services/core/canary/policy/policy-text.ts';
import { presetEverywhere } from '../../../../services/core/canary/policy/placed-policy.ts';
import type { PlacedPolicy } from '../../../../services/core/canary/policy/placed-policy.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import type { PolicyRow } from '../../../../services/core/policy-records.ts';
import { digestOf } from '../../../support/decisions.ts';
import { place } from '../../../support/markers.ts';

const placed = (component: string, over: object = {}): PlacedPolicy => ({
  component,
  environment: '*',
  preset: 'standard',
  policy: { ...presets.standard, ...over },
});

const row = (position: number, at: number, policies: readonly PlacedPolicy[]): PolicyRow =>
  rowOf(position, at, JSON.stringify({ version: 2, policies: policies.map(policySettings) }));

const rowOf = (position: number, at: number, document: string): PolicyRow => ({
  position,
  marker: '',
  at,
  occurredAt: at,
  principal: 'ops',
  key: 'k',
  source: '/ops',
  reason: 'why',
  digest: '',
  document,
});

const asks = placed('checkout', { act: 'ask' });
const decides = placed('checkout', { act: 'decide', caps: { perComponentHour: 1, perHour: 1 } });
const digest = (policy: PlacedPolicy): string => digestOf(policyText(policy));
const about = (startedAtMs: number, judgedBy = ''): Parameters<typeof policyStanding>[1] => ({
  slot: place('production'),
  startedAtMs,
  judgedBy,
  areAll: true,
});

describe('the policy of an attempt', () => {
  // Newest first, as they are read.
  const rows = [row(9, 10_000_000, [asks]), row(5, 1_000_000, [decides])];

  test('is the newest that was set before its start', () => {
    expect(policyStanding(rows, about(5_000_000), digestOf)).toMatchObject({
      inForce: digest(decides),
      act: 'decide',
      caps: { perComponentHour: 1 },
    });
    expect(policyStanding(rows, about(20_000_000), digestOf)).toMatchObject({
      inForce: digest(asks),
      act: 'ask',
      known: [asks, decides].flatMap((policy) => policyTexts(policy).map(digestOf)),
    });
  });

  // What releases whose judge was 4 or less made of these documents.
  test.each([
    ['standard', '4b52a2a10d28a55930479505c80c5cb97156a80322210d0a62a0b8f56dcb7c32'],
    ['sensitive', 'd1c99899ecc081147e181e61866ed71938eed3c42f9c62b4a5ceb7e88741f520'],
    ['strict', '669f40bdd78681d5f8039316b7be7c9d2661764fd5f6db608c14bf365460b6c6'],
  ] as const)(
    'is that of a decision of the release before, which had other numbers in %s',
    (preset, before) => {
      const policies = [{ component: 'checkout', environment: '*', preset, act: 'ask' }];
      const set = [rowOf(9, 10_000_000, JSON.stringify({ version: 2, policies }))];
      const judged = policyStanding(set, about(20_000_000, before), digestOf);
      expect(judged).toMatchObject({ inForce: before, act: 'ask' });
      const otherwise = policyStanding(set, about(20_000_000, 'of another'), digestOf);
      expect(otherwise.inForce).not.toBe(before);
      expect(otherwise.known).toEqual([otherwise.inForce, before]);
      const told = [{ ...policies[0], judging: { restarts: { weight: 0.04 } } }];
      const own = [rowOf(9, 10_000_000, JSON.stringify({ version: 2, policies: told }))];
      expect(policyStanding(own, about(20_000_000, before), digestOf).known).not.toContain(before);
    },
  );

  test('is none before anybody has set one', () => {
    expect(policyStanding(rows, about(1000), digestOf)).toBe(noPolicySet);
    expect(policyStanding([], about(1000), digestOf)).toBe(noPolicySet);
  });

  test('is none where the first was set just after its analysis was opened', () => {
    const first = [row(9, 10_000_000, [asks])];
    const started = 10_000_000 - 60_000;
    expect(policyStanding(first, about(started, 'of the preset'), digestOf)).toBe(noPolicySet);
    expect(policyStanding(first, about(started, digest(asks)), digestOf).act).toBe('ask');
    const unread = [rowOf(9, 10_000_000, '{"version":99}')];
    expect(policyStanding(unread, about(started), digestOf).inForce).toBe('unreadable');
  });

  test('is unknown where only newer ones were looked at, and no decision is of it', () => {
    const asked = { ...about(1000, digest(decides)), areAll: false };
    expect(policyStanding(rows, asked, digestOf)).toMatchObject({
      known: [],
      inForce: 'unreadable',
    });
  });

  test('may be one that was set between its start and the opening of its analysis', () => {
    const started = 10_000_000 - 30_000;
    expect(policyStanding(rows, about(started, digest(asks)), digestOf).inForce).toBe(digest(asks));
    expect(policyStanding(rows, about(started, digest(decides)), digestOf).inForce).toBe(
      digest(decides),
    );
    expect(policyStanding(rows, about(started, 'neither'), digestOf).inForce).toBe(digest(asks));
  });

  test('is the standard preset where the document says nothing of its place', () => {
    const others = [row(5, 0, [placed('cart')])];
    expect(policyStanding(others, about(1000), digestOf).inForce).toBe(digest(presetEverywhere));
  });

  test('is nobody can say which where this release cannot read it: then no decision is of it', () => {
    const standing = policyStanding([rowOf(5, 0, '{"version":99}')], about(1000), digestOf);
    expect(standing.inForce).toBe('unreadable');
  });
});
