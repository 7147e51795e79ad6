import type { PointAttribute } from '../../telemetry/telemetry-point.ts';
import { clientErrorSaid, statusNames, statusSaid } from '../../telemetry/status-said.ts';
import type { AttributeFilter } from '../policy/policy.ts';

/**
 * The attribute by which a point of these attributes says what became of its requests; undefined: it does not say.
 * `errors`: what the policy calls an error, or null for what OpenTelemetry does. A policy's own filters say it by the
 * attributes whose values they compare, if the point has all of them; whether a value is one that its service uses, they
 * do not know.
 */
export const saidBy = (
  errors: readonly AttributeFilter[] | null,
  attributes: readonly PointAttribute[],
): string | undefined => {
  const valueOf = (attribute: string): string | undefined =>
    attributes.find(({ name }) => name === attribute)?.value;
  if (errors === null) return statusNames.find((name) => name === valueOf(statusSaid));
  const compared = errors.flatMap(({ attribute, test }) =>
    test.kind === 'present' || test.kind === 'absent' ? [] : [attribute],
  );
  return compared.every((attribute) => valueOf(attribute) !== undefined) ? compared[0] : undefined;
};

/** Whether its requests were answered with an error of the client's; never where a policy says what an error is. */
export const isClientError = (
  errors: readonly AttributeFilter[] | null,
  attributes: readonly PointAttribute[],
): boolean => errors === null && attributes.some(({ name }) => name === clientErrorSaid);
