import { canonicalJson } from '../../canonical.ts';
import { jsonFieldsIn } from '../../json-text.ts';
import type { CarriedEvidence } from './state.ts';

/** Evidence of an earlier attempt as an opening freezes it. */
export const carriedText = (carried: CarriedEvidence): string => canonicalJson(carried);

/** Undefined: it is no evidence that a judge could go on from. */
export const readCarried = (text: string): CarriedEvidence | undefined => {
  const given = jsonFieldsIn(text);
  if (given === undefined) return undefined;
  const { attempts, deadlineTested, metrics } = given;
  const isCarried =
    Number.isSafeInteger(attempts) &&
    Number(attempts) > 0 &&
    typeof deadlineTested === 'boolean' &&
    Array.isArray(metrics) &&
    metrics.every(isMetric) &&
    new Set(metrics.map(({ id }) => id)).size === metrics.length;
  return isCarried ? (given as unknown as CarriedEvidence) : undefined;
};

const isMetric = (given: unknown): given is CarriedEvidence['metrics'][number] => {
  if (typeof given !== 'object' || given === null) return false;
  const { id, logCapital, logPromote, worseAtDeadline } = given as {
    readonly [name: string]: unknown;
  };
  return (
    typeof id === 'string' &&
    (logCapital === null || Number.isFinite(logCapital)) &&
    Number.isFinite(logPromote) &&
    (worseAtDeadline === null || isDeadlineFound(worseAtDeadline))
  );
};

const isDeadlineFound = (given: unknown): boolean => {
  if (typeof given !== 'object' || given === null) return false;
  const { z, zNeeded } = given as { readonly [name: string]: unknown };
  return Number.isFinite(z) && Number.isFinite(zNeeded);
};
