import type { Slot } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CiJob } from '../../sdk/ci/ci-job.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { repositoryName } from '../../sdk/ci/repository.ts';

const placeOptions = ['environment-name', 'component-name', 'namespace', 'target'];

/** Whether the command line names a place at all. */
export const namesPlace = (given: Given): boolean => placeOptions.some((name) => given.has(name));

/**
 * The place as the options name it; what they leave out is the repository's component, the environment that the CI
 * deploys to, and `default`.
 */
export const readPlace = async (
  given: Given,
  job: CiJob | null,
  repositoryAddress: () => Promise<string | null>,
): Promise<Result<Slot, CliProblem>> => {
  const component =
    given.value('component-name') ?? (await defaultComponent(given, job, repositoryAddress));
  if (component === null)
    return refuse(
      'component-unknown',
      'no --component-name is given, and no repository is here to take the name of',
      'write --component-name=NAME, as in service.name of its telemetry',
    );
  return ok({
    namespace: given.value('namespace') ?? 'default',
    environment: given.value('environment-name') ?? job?.environment?.name ?? 'default',
    component,
    target: given.value('target'),
  });
};

/** The parts of a place that the options name. */
export const placeNamed = (given: Given): Partial<Slot> => {
  const environment = given.value('environment-name');
  const component = given.value('component-name');
  const namespace = given.value('namespace');
  const target = given.value('target');
  return {
    ...(namespace === null ? {} : { namespace }),
    ...(environment === null ? {} : { environment }),
    ...(component === null ? {} : { component }),
    ...(target === null ? {} : { target }),
  };
};

/** The planned place with the parts that the options name. */
export const overridePlace = (given: Given, planned: Slot): Slot => ({
  namespace: given.value('namespace') ?? planned.namespace,
  environment: given.value('environment-name') ?? planned.environment,
  component: given.value('component-name') ?? planned.component,
  target: given.value('target') ?? planned.target,
});

/** The component that a repository is of, or null. */
export const defaultComponent = async (
  given: Given,
  job: CiJob | null,
  repositoryAddress: () => Promise<string | null>,
): Promise<string | null> => {
  const written = given.value('repository');
  if (written !== null) return repositoryName(written);
  if (job?.repositoryName !== undefined && job.repositoryName !== null) return job.repositoryName;
  const address = await repositoryAddress();
  return address === null ? null : repositoryName(address);
};
