import { describe, expect, test } from 'vitest';
import { parsePolicyDocument } from '../../../../services/core/canary/policy/parse-policy.ts';
import { policiesOf, policyFor } from '../../../../services/core/canary/policy/placed-policy.ts';
import type { PolicyDocument } from '../../../../services/core/canary/policy/placed-policy.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import { shuffled } from './shuffled.ts';

const places = [
  ['checkout', 'production'],
  ['checkout', '*'],
  ['*', 'production'],
  ['*', '*'],
] as const;

const documentOf = (named: readonly (readonly [string, string])[]): PolicyDocument => {
  const policies = named.map(([component, environment]) => ({ component, environment }));
  const parsed = parsePolicyDocument({ version: 2, policies });
  if (!parsed.ok) throw new Error('the test wrote a bad document');
  return parsed.value;
};

const chosen = (
  document: PolicyDocument | null,
  component: string,
  environment: string,
): string => {
  const { placed, index } = policyFor(document, component, environment);
  return `${placed.component}/${placed.environment}${index === null ? ' preset' : ''}`;
};

describe('the policy of a place', () => {
  test.each(shuffled(places))(
    'is the most exact one, in whatever order they stand: %j',
    (...order) => {
      const document = documentOf(order);
      expect(chosen(document, 'checkout', 'production')).toBe('checkout/production');
      expect(chosen(document, 'checkout', 'staging')).toBe('checkout/*');
      expect(chosen(document, 'cart', 'production')).toBe('*/production');
      expect(chosen(document, 'cart', 'staging')).toBe('*/*');
    },
  );

  test('is the standard preset where no policy is for it', () => {
    expect(chosen(null, 'cart', 'staging')).toBe('*/* preset');
    const document = documentOf([['checkout', '*']]);
    expect(chosen(document, 'cart', 'staging')).toBe('*/* preset');
    expect(policyFor(document, 'cart', 'staging').placed.policy).toBe(presets.standard);
  });
});

describe('the policies that some canary is judged by', () => {
  test('are those of the document, and the preset unless one is for all', () => {
    expect(policiesOf(null)).toEqual([presets.standard]);
    expect(policiesOf(documentOf([['checkout', '*']]))).toHaveLength(2);
    expect(
      policiesOf(
        documentOf([
          ['checkout', '*'],
          ['*', '*'],
        ]),
      ),
    ).toHaveLength(2);
  });
});
