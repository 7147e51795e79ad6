import { describe, expect, test } from 'vitest';
import { unsentMetrics, warningsOf } from '../../../../services/core/canary/policy/advice.ts';
import { missingFields } from '../../../../services/core/canary/policy/required-fields.ts';
import { requiredFieldNames } from '../../../../services/core/canary/policy/required-field-names.ts';
import type { Planned } from '../../../../services/core/markers/marker.ts';
import { policyOf } from '../../../support/canary/policies.ts';
import { noDetails } from '../../../support/markers.ts';
import type { Json } from '../../../../services/core/canonical.ts';

describe('a warning', () => {
  test.each<readonly [code: string, settings: { readonly [name: string]: Json }]>([
    ['silence-rolls-back', { 'on-silence': 'roll-back' }],
    ['warm-up-short', { 'warm-up': '10s' }],
    ['budget-large', { 'false-roll-backs': '6%' }],
    ['errors-not-judged', { metrics: [{ name: 'errors', weight: 0 }] }],
    ['nobody-decides', { act: 'dry-run' }],
  ])('%s names the policy and the place', (code, settings) => {
    const warnings = warningsOf({
      policies: [policyOf(), policyOf({ component: 'cart', ...settings })],
    });
    const [field = ''] = Object.keys(settings);
    expect(warnings).toMatchObject([{ code, path: ['policies', 1, field] }]);
    expect(warnings[0]?.message).toMatch(
      `policies[1].${field} (component cart in every environment) `,
    );
  });

  test('is not for what is usual', () => {
    for (const preset of ['standard', 'sensitive', 'strict'])
      expect(warningsOf({ policies: [policyOf({ preset })] })).toEqual([]);
  });
});

describe('a metric that nobody sends', () => {
  test('is one of which no name was seen', () => {
    const { policy } = policyOf({
      metrics: [{ name: 'heap', kind: 'level', of: ['jvm.memory.usde', 'heap'] }],
    });
    const seen = new Set([
      'http.server.duration',
      'process.cpu.utilization',
      'process.memory.usage',
    ]);
    expect(unsentMetrics(policy, seen).map(({ id }) => id)).toEqual(['heap']);
    expect(unsentMetrics(policy, new Set([...seen, 'heap']))).toEqual([]);
    expect(unsentMetrics(policy, new Set()).map(({ id }) => id)).toEqual([
      'errors',
      'latency',
      'cpu',
      'memory',
      'traffic',
      'heap',
    ]);
  });
});

describe('a required field', () => {
  const bare = {
    kind: 'planned',
    digest: null,
    strategy: null,
    canaryShare: null,
    attempt: null,
    details: noDetails,
  } as unknown as Planned;

  test('is missing where the plan says nothing of it', () => {
    expect(missingFields(requiredFieldNames, bare)).toEqual(requiredFieldNames);
    expect(missingFields([], bare)).toEqual([]);
  });

  test('is there where it says something', () => {
    const details = { ...noDetails, commit: 'abc', tickets: ['OPS-1'], runbook: ' ' };
    const plan = { ...bare, digest: `sha256:${'a'.repeat(64)}`, details } as unknown as Planned;
    expect(missingFields(['digest', 'commit', 'tickets', 'runbook', 'owner'], plan)).toEqual([
      'runbook',
      'owner',
    ]);
  });

  test('is not asked of what is logged where only a plan has it', () => {
    const logged = { ...bare, kind: 'logged' } as unknown as Planned;
    expect(missingFields(['strategy', 'canary-share', 'attempt', 'owner'], logged)).toEqual([
      'owner',
    ]);
  });
});
