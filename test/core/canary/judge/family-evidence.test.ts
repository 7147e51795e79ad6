import { expect, test } from 'vitest';
import { initialStakesOf } from '../../../../services/core/canary/judge/family-evidence.ts';
import type { CarriedEvidence } from '../../../../services/core/canary/judge/state.ts';
import { familyRuleOf } from '../../../../services/core/canary/policy/family-rule.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';

const ruleWith = (errorsWeight: number): ReturnType<typeof familyRuleOf> => {
  const metrics = presets.standard.metrics.map((metric) =>
    metric.id === 'errors' ? { ...metric, weight: errorsWeight } : metric,
  );
  return familyRuleOf({ ...presets.standard, metrics }, [], 5_000);
};
const errorsAlone: CarriedEvidence = {
  attempts: 1,
  deadlineTested: false,
  metrics: [{ id: 'errors', logCapital: 1, logPromote: 0, worseAtDeadline: null }],
};

test.each([0.5, 1e-17, 1e-300])('what is carried stays a number at a weight of %d', (weight) => {
  const stakes = initialStakesOf(ruleWith(weight), errorsAlone);
  expect(stakes.every((stake) => Number.isFinite(stake))).toBe(true);
  const total = stakes.reduce((sum, stake) => sum + Math.exp(stake), 0);
  expect(total).toBeCloseTo(Math.E, 9);
});

test('evidence of no metric at all is to begin anew', () => {
  const nothing = { ...errorsAlone, metrics: [] };
  expect(initialStakesOf(ruleWith(0.5), nothing)).toStrictEqual(
    initialStakesOf(ruleWith(0.5), null),
  );
});
