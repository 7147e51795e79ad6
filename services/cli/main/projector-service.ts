import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { goesOnAt } from '../../core/sealed-log.ts';
import { projectorGroup } from '../../projector/group.ts';
import {
  applySeconds,
  applySecondsBounds,
  instanceMetrics,
  openProjectorMeasurements,
} from '../../projector/measurements.ts';
import type { Running } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed } from '../problem.ts';
import type { ServiceComposition } from './composition.ts';
import { openProjection } from './composition.ts';
import { startCountingInstances } from './instances.ts';

export const startProjector = async (
  composition: ServiceComposition,
): Promise<Result<Running, CliProblem>> => {
  const { foundation, stop, alongside, note, metrics } = composition;
  const projection = await openProjection(composition);
  if (!projection.ok) return projection;
  const [service, { openOtelHistogram }] = await Promise.all([
    import('../../projector/start.ts'),
    import('../../adapters/telemetry/own-metrics.ts'),
  ]);
  const { audience, log } = foundation.settings;
  const measurements = openProjectorMeasurements(
    { seconds: () => performance.now() / 1000, nowMs: foundation.clock.nowMs },
    openOtelHistogram(applySeconds, applySecondsBounds, {
      // The attributes that OpenTelemetry asks of `messaging.process.duration`.
      'messaging.operation.name': 'apply',
      'messaging.system': log.foundation,
      'messaging.destination.name': projection.value.log.name,
      'messaging.consumer.group.name': projectorGroup(
        foundation.tools.crypto,
        audience,
        projection.value.store.name,
      ),
    }),
  );
  const projector = service.startProjector({
    ...projection.value,
    clock: foundation.clock,
    measure: measurements.measure,
    tell: (event) => {
      measurements.notice(event);
      switch (event.event) {
        case 'log':
          note({ code: 'log', message: `projector: log ${event.logId}`, hint: '' });
          return;
        case 'standby':
          // Who stops stands by too, and that is no news.
          if (stop.aborted) return;
          note({ code: 'standby', message: 'projector: stands by', hint: standbyHint });
          return;
        case 'stopped-by': {
          const { code, message, retryInMs } = event;
          const then = retryInMs === null ? '' : `; again in ${retryInMs} ms`;
          note({ code, message: `projector: ${message}${then}`, hint: '' });
          return;
        }
        case 'sealed':
          note({
            code: 'log-sealed',
            message: `projector: the log was sealed at position ${event.at} and takes nothing more`,
            hint: goesOnAt(event.note),
          });
          return;
        case 'conflict':
          note({
            code: 'conflict',
            message: `projector: CONFLICT: a marker of deployment ${event.deployment} came again with other content (position ${event.position}); its gate is held`,
            hint: `plimsoll show ${event.deployment}`,
          });
          return;
        case 'active':
        // A command that folded by itself was faster: nothing is lost.
        case 'overtaken':
      }
    },
  });
  alongside.projector = projector.status;
  const counting = await startCountingInstances(composition, projection.value);
  if (!counting.ok) {
    await projector.stop();
    return counting;
  }
  await metrics.add(measurements.read(projector.status));
  await metrics.add(instanceMetrics(counting.value.status));
  return ok({
    name: 'projector',
    lines: [`projector: follows ${projection.value.log.name}`],
    ended: projector.ended.then((why) => (why === undefined ? undefined : foldFailed(why))),
    stop: async () => {
      await Promise.all([projector.stop(), counting.value.stop()]);
    },
  });
};

const standbyHint = 'another one is active, or the log or the read models cannot be reached';
