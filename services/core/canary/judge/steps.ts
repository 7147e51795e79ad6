import type { FamilyRule } from './rule.ts';
import type { FamilyState } from './state.ts';
import { windowsIn } from './times.ts';

/** The share to advance to: above the canary's present one, and above the last that was advanced to; null: promote. */
export const nextStep = (
  { steps }: FamilyRule,
  { share, advanced }: FamilyState,
): number | null => {
  const present = Math.max(share ?? 0, advanced?.share ?? 0);
  return steps.find((step) => step > present) ?? null;
};

/**
 * Steps are one warm-up apart, at least a window: what a step shows comes from requests at its share, past their own
 * cold start.
 */
export const isStepDue = (rule: FamilyRule, { nextIndex, advanced }: FamilyState): boolean =>
  advanced === null ||
  nextIndex - advanced.waitsFrom >= Math.max(1, windowsIn(rule, rule.warmUpMs));
