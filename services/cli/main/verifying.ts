import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { VerifierStatus, Verifying } from '../../ports/verifying.ts';
import { foldToEnd } from '../../projector/catch-up.ts';
import { openVerifier } from '../../replay/verify.ts';
import { measureVerifier } from '../../replay/verify-measurements.ts';
import type { CliProblem } from '../problem.ts';
import type { Composition } from './composition.ts';
import { openProjection } from './composition.ts';
import { serveMetrics } from './metrics-server.ts';
import { openOwnMetrics } from './own-metrics.ts';
import { scratchStores } from './replaying.ts';

export const verifyingOn = async (
  composition: Composition,
): Promise<Result<Verifying, CliProblem>> => {
  const projection = await openProjection(composition);
  if (!projection.ok) return projection;
  const { clock } = composition.foundation;
  const { store } = projection.value;
  return ok({
    current: async () => {
      const current = await store.current();
      if (current.ok) return current;
      const { code, message } = current.problem;
      return fail({ code: code === 'corrupt' ? 'corrupt' : 'unreachable', message });
    },
    open: openVerifier({
      ...projection.value,
      clock,
      fold: foldToEnd,
      scratch: scratchStores(clock),
    }),
  });
};

/** Its numbers stand beside those of this process, on the port that the settings name. */
export const measureVerifierOn = async (
  composition: Composition,
  status: () => VerifierStatus,
): Promise<Result<readonly string[], CliProblem>> => {
  const metrics = openOwnMetrics();
  await metrics.add(measureVerifier(status));
  const served = await serveMetrics({ ...composition, metrics });
  if (!served.ok) return served;
  const { host } = composition.foundation.settings;
  return ok(served.value === null ? [] : [`metrics: http://${host}:${served.value.port}/metrics`]);
};
