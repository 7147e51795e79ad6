import { describe, expect, test } from 'vitest';
import {
  noPolicySet,
  policyStanding,
} from '../../../../services/core/canary/obey/policy-standing.ts';
import { policySettings, policyText } from '../../../../services/core/canary/policy/policy-text.ts';
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
      known: [digest(asks), digest(decides)],
    });
  });

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
