import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type {
  DeploymentTold,
  ResourceAttributes,
} from '../../core/telemetry/resource-attributes.ts';
import { attributesOf } from '../../core/telemetry/resource-attributes.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { openDeadline } from '../../sdk/deadline.ts';
import type { PlannedHere } from '../../ports/planned-here.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { KnownChange } from '../../sdk/ci/known-change.ts';
import type { CiJob } from '../../sdk/ci/ci-job.ts';
import { jobOf } from '../release/job-of.ts';
import { deploymentToUpdate } from '../release/deployment-of.ts';
import { knownChange } from '../release/draft.ts';
import { defaultComponent } from '../release/place.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Note } from '../terminal/note.ts';
import { covered, versionControl } from '../../sdk/ci/version-control.ts';

export type KnownAttributes = {
  /** Which try of the run this is; null: the job counts none. */
  readonly attempt: string | null;
  /** What was said: by the options, or by the plan. */
  readonly said: ResourceAttributes;
  /** What is only supposed where nobody says otherwise: by the CI job, the settings file, the repository. */
  readonly supposed: ResourceAttributes;
};

/** What is known here of a deployment, without asking the log. */
export const knownAttributes = async (
  ports: CliPorts,
  given: Given,
): Promise<Result<KnownAttributes, CliProblem>> => {
  const asked = jobOf(ports, given);
  if (!asked.ok) return asked;
  const job = asked.value;
  const [named] = given.words;
  const isNamed = named !== undefined || given.has('deployment') || (job?.run ?? null) !== null;
  const meant = isNamed ? [] : await meantHere(ports);
  if (meant.length > 1) return severalMeant(meant);
  const deployName = named ?? meant[0] ?? unnamed;
  const found = await deploymentToUpdate(ports, { given, job, deployName }, undefined);
  if (!found.ok) return found;
  const { id, planned } = found.value;
  const last = await ports.planned.last(deployName);
  const here = last.ok && last.value?.deployment === id ? last.value : undefined;
  if (here?.hasEnded === true && !given.has('deployment')) ports.note(endedNote(here));
  const [change, component] = await repositorySays(ports, given, job);
  const byFile = (option: string): string | null =>
    ports.settingSources.defaults[option]?.value ?? null;
  return ok({
    attempt: job?.attempt ?? null,
    said: {
      ...masked({
        // An id that was given may be of a deployment of any name.
        name: given.has('deployment') ? (named ?? null) : deployName,
        environment: given.value('environment-name') ?? planned?.environment ?? null,
        component: given.value('component-name') ?? planned?.component ?? null,
        version: given.value('target-version') ?? here?.version ?? null,
      }),
      ...attributesOf({ deployment: id }),
    },
    supposed: {
      ...masked({
        environment: byFile('environment-name') ?? job?.environment?.name ?? null,
        component: byFile('component-name') ?? component,
      }),
      ...versionControl(change),
    },
  });
};

const unnamed = 'default';

/**
 * Which plans from here may be meant where none is named: the one without a name, else those that have not ended, else
 * all.
 */
const meantHere = async ({ planned }: Pick<CliPorts, 'planned'>): Promise<readonly string[]> => {
  const names = await planned.names();
  if (!names.ok) return [];
  const open: string[] = [];
  for (const name of names.value) {
    const last = await planned.last(name);
    if (last.ok && last.value?.hasEnded === false) open.push(name);
  }
  const meant = open.length > 0 ? open : names.value;
  return meant.includes(unnamed) ? [unnamed] : meant.toSorted(compareUtf8);
};

const namesToldMax = 8;

/** A guess would tie the telemetry of one to the deployment of another. */
const severalMeant = (names: readonly string[]): Result<never, CliProblem> => {
  const told = names.slice(0, namesToldMax).map((name) => JSON.stringify(name));
  const more = names.length - told.length;
  return refuse(
    'deployment-ambiguous',
    `${names.length} plans from here may be meant: ${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    'name the one that is meant: plimsoll env DEPLOY-NAME',
  );
};

/** Whoever forgot to plan would tell of another deployment. */
const endedNote = ({ deployment, version }: PlannedHere): Note => ({
  code: 'deployment-ended',
  message: `the last plan from here has ended: ${version ?? 'deployment'} (${deployment})`,
  hint: 'if another is coming, plan it first, or name it: --deployment=UUID --target-version=VERSION',
});

const masked = (told: DeploymentTold): ResourceAttributes => covered(attributesOf(told));

/** Git has as long as a command of a pipeline may take; then it goes without. */
const repositorySays = async (
  ports: CliPorts,
  given: Given,
  job: CiJob | null,
): Promise<readonly [change: KnownChange | null, component: string | null]> => {
  const { git, repositoryAddress, settings } = ports;
  const deadline = openDeadline(ports, ports.sinceStartMs() + settings.emitWithinMs);
  const work = Promise.all([
    knownChange(given, { job, git, repositoryAddress }),
    defaultComponent(given, job, repositoryAddress),
  ]);
  return (await deadline.before(0, work)) ?? [null, null];
};
