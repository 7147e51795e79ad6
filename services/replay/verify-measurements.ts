import type { MetricName } from '../core/own-metrics/family.ts';
import { counter, gauge, pointOf } from '../core/own-metrics/family.ts';
import type { ReadMetrics } from '../ports/own-metrics.ts';
import type { VerifierStatus } from '../ports/verifying.ts';

const verifiedPosition: MetricName = {
  name: 'plimsoll_models_verified_position',
  otelName: 'plimsoll.models.verified.position',
  unit: '{record}',
  help: 'Read models were compared with a fold of their own up to here',
};
const divergentRows: MetricName = {
  name: 'plimsoll_models_divergent_rows',
  otelName: 'plimsoll.models.divergent',
  unit: '{row}',
  help: 'Rows that are not what the log says, a wrong digest counting as one',
};
const verificationSeconds: MetricName = {
  name: 'plimsoll_models_verification_seconds',
  otelName: 'plimsoll.models.verification.duration',
  unit: 's',
  help: 'How long the last comparison took',
};
const verifiedAt: MetricName = {
  name: 'plimsoll_models_verified_timestamp_seconds',
  otelName: 'plimsoll.models.verified.time',
  unit: 's',
  help: 'When the last comparison ended, since 1970',
};
const verifications: MetricName = {
  name: 'plimsoll_models_verifications',
  otelName: 'plimsoll.models.verifications',
  unit: '{verification}',
  help: 'Comparisons of read models with a fold of their own',
};

/** What a verifier that goes on says of itself. */
export const measureVerifier =
  (status: () => VerifierStatus): ReadMetrics =>
  () => {
    const { verified, rounds } = status();
    const atS = verified === null ? null : verified.atMs / 1000;
    return [
      gauge(verifiedPosition, pointOf({}, verified?.position ?? null)),
      gauge(divergentRows, pointOf({}, verified?.divergent ?? null)),
      gauge(verificationSeconds, pointOf({}, verified?.seconds ?? null)),
      gauge(verifiedAt, pointOf({}, atS)),
      counter(verifications, pointOf({}, rounds)),
    ];
  };
