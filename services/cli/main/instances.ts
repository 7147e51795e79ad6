import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { ProjectionPorts } from '../../ports/projecting.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { InstanceFollower } from '../../projector/follow-instances.ts';
import type { InstancePorts } from '../../projector/instances.ts';
import type { CliProblem } from '../problem.ts';
import type { Composition } from './composition.ts';
import { failed } from './composition.ts';

/** The topic of instances, opened or made. */
export const openInstanceTopic = async ({
  foundation,
}: Pick<Composition, 'foundation'>): Promise<Result<RecordLog, CliProblem>> => {
  const topic = await foundation.stream('instances');
  return topic.ok ? topic : failed(topic.problem);
};

/** What counting instances stands on. */
export const openInstancePorts = async (
  composition: Pick<Composition, 'foundation'>,
  projection: ProjectionPorts,
): Promise<Result<InstancePorts, CliProblem>> => {
  const instances = await openInstanceTopic(composition);
  if (!instances.ok) return instances;
  const store = await composition.foundation.instanceStore();
  return store.ok
    ? ok({ instances: instances.value, instanceStore: store.value, projection })
    : failed(store.problem);
};

/** Counts instances beside the projector of this process. Whatever befalls it, the projector goes on. */
export const startCountingInstances = async (
  composition: Composition,
  projection: ProjectionPorts,
): Promise<Result<InstanceFollower, CliProblem>> => {
  const { foundation, note } = composition;
  const ports = await openInstancePorts(composition, projection);
  if (!ports.ok) return ports;
  const { followInstances } = await import('../../projector/follow-instances.ts');
  return ok(
    followInstances({
      ...ports.value,
      clock: foundation.clock,
      tell: ({ code, message, retryInMs }) => {
        const then = retryInMs === null ? '' : `; again in ${retryInMs} ms`;
        note({ code, message: `instances: ${message}${then}`, hint: '' });
      },
    }),
  );
};
