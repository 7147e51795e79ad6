import { assert, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../services/core/canonical.ts';
import { canonicalJson } from '../../../../services/core/canonical.ts';
import { readPolicyText } from '../../../../services/core/canary/policy/parse-policy.ts';
import type { PlacedPolicy } from '../../../../services/core/canary/policy/placed-policy.ts';
import { policySettings, policyText } from '../../../../services/core/canary/policy/policy-text.ts';
import { policyYaml } from '../../../../services/core/canary/policy/policy-yaml.ts';
import { parsePolicyDocument } from '../../../../services/core/canary/policy/parse-policy.ts';
import { plainOf, policyOf, policySettingsGiven } from '../../../support/canary/policies.ts';

describe('the text of a policy', () => {
  test('read again is the same policy, and the same text', () => {
    assert(
      property(policySettingsGiven, (given) => {
        const placed = policyOf(given);
        const again = readPolicyText(policyText(placed));
        expect(again).toEqual({ ok: true, value: placed });
        expect(again.ok && policyText(again.value)).toBe(policyText(placed));
      }),
    );
  });

  test('is one line of canonical JSON, so that equal policies have equal digests', () => {
    const placed = policyOf({ steps: ['5%', 0.25] });
    expect(policyText(placed)).toBe(canonicalJson(JSON.parse(policyText(placed)) as Json));
    expect(policyText(policyOf({ steps: [0.05, '25%'] }))).toBe(policyText(placed));
    expect(policyText(policyOf({ steps: [0.05, '26%'] }))).not.toBe(policyText(placed));
  });

  test('names everything but what was usual before it could be set', () => {
    const fineBelow = (given: string): PlacedPolicy =>
      policyOf({ metrics: [{ name: 'latency', 'fine-below': given }] });
    const usual = fineBelow('10ms');
    expect(policyText(usual)).not.toContain('fine-below');
    expect(policyText(usual)).toBe(policyText(policyOf({ metrics: [{ name: 'latency' }] })));
    expect(canonicalJson(policySettings(usual))).toContain('"fine-below":"10ms"');
    expect(policyText(fineBelow('50ms'))).toBe(canonicalJson(policySettings(fineBelow('50ms'))));
  });

  test('printed as YAML it is the same policy', () => {
    assert(
      property(policySettingsGiven, (given) => {
        const placed = policyOf(given);
        const document = plainOf(policyYaml(placed, (name) => `# of ${name}`).join('\n'));
        expect(parsePolicyDocument(document)).toEqual({ ok: true, value: { policies: [placed] } });
      }),
      { numRuns: 50 },
    );
  });
});
