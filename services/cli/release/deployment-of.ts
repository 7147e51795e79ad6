import { deploymentIdOf } from '../../core/deployment-id.ts';
import type { Slot } from '../../core/markers/marker.ts';
import { uuidPattern } from '../../core/markers/parse-marker.ts';
import { sameSlot } from '../../core/markers/slot.ts';
import { nearest } from '../../core/nearest.ts';
import type { PlannedHere } from '../../ports/planned-here.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CiJob } from '../../sdk/ci/ci-job.ts';
import { runSetting } from '../../sdk/ci/ci-job.ts';
import { jobOf } from './job-of.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Note } from '../terminal/note.ts';

// Which deployment a command is about: the one that it names, that of its CI run, or the last plan from here.

export type Asked = {
  readonly given: Given;
  readonly job: CiJob | null;
  readonly deployName: string;
  /** The id, where it was named; left out: the option names it, or nothing does. */
  readonly named?: string | null;
};

/** The id without asking anybody, or null: outside CI the last plan from here must be looked up. */
const knownId = (
  { tools }: Pick<CliPorts, 'tools'>,
  { given, job, deployName, named: word }: Asked,
): string | null => {
  const named = word === undefined ? given.value('deployment') : word;
  if (named !== null) return named;
  if (job === null || job.run === null) return null;
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  return deploymentIdOf(digest, job.run, deployName);
};

/**
 * Beside the options of a plan: it is a deployment of its own, whatever was planned before it from here. For `run`, whose
 * plan before may have lost its end with its process.
 */
export const anew = 'anew';

/**
 * The deployment that a plan opens or repeats. Outside CI that is the last one from here until it has ended; then a
 * new one. It is kept before it is sent: if we stop here, the next plan of that name uses it.
 */
export const deploymentToPlan = async (
  ports: CliPorts,
  asked: Asked,
  slot: Slot,
  atHand: AtHand | undefined,
): Promise<string> => {
  const known = knownId(ports, asked);
  if (known !== null) return known;
  const last = await ports.planned.last(asked.deployName);
  const isAnew = asked.given.has(anew);
  if (!isAnew && last.ok && last.value !== undefined && !last.value.hasEnded) {
    const { deployment } = last.value;
    if (!(await hasEndedOnLog(atHand, deployment))) return deployment;
  }
  const id = ports.ids.uuidV7();
  const version = asked.given.value('target-version');
  const begun = last.ok
    ? await ports.planned.begin(asked.deployName, { deployment: id, slot, version }, last.value)
    : last;
  if (begun.ok) return isAnew ? id : begun.value.deployment;
  ports.note(notKept(begun.problem));
  return id;
};

/**
 * Keeps the place of a plan that was taken, so that an update from here that names another is told at once. A
 * deployment that was named is kept nowhere: naming it again is all it takes.
 */
export const keepPlan = async (
  { planned }: Pick<CliPorts, 'planned'>,
  { given, deployName }: Asked,
  { deployment, slot, version }: Omit<PlannedHere, 'hasEnded'>,
): Promise<void> => {
  if (given.has('deployment')) return;
  const last = await planned.last(deployName);
  if (!last.ok) return;
  const isKept =
    last.value?.deployment === deployment &&
    last.value.version === version &&
    sameSlot(last.value.slot, slot);
  if (!isKept) await planned.begin(deployName, { deployment, slot, version }, last.value);
};

/** The deployment that an update is about, and the place that was planned for it, as far as it is known here. */
export const deploymentToUpdate = async (
  ports: CliPorts,
  asked: Asked,
  atHand: AtHand | undefined,
): Promise<Result<{ readonly id: string; readonly planned: Slot | null }, CliProblem>> => {
  const known = knownId(ports, asked);
  const last = await ports.planned.last(asked.deployName);
  const here = last.ok ? last.value : undefined;
  const id = known ?? here?.deployment;
  if (id === undefined && !last.ok)
    return refuse(
      last.problem.code === 'unanswered' ? 'timeout' : 'deployment-unknown',
      `what was planned here cannot be read: ${last.problem.message}`,
      'name the deployment: --deployment=UUID',
    );
  if (id === undefined) {
    const names = await ports.planned.names();
    const near = names.ok ? nearest(asked.deployName, names.value) : undefined;
    return refuse(
      'deployment-unknown',
      `nothing was planned from here under the name ${JSON.stringify(asked.deployName)}`,
      `${near === undefined ? '' : `did you mean ${near}? Else `}plan it first: plimsoll release plan; or name the run that planned it (--run-id=ID or ${runSetting}); or name it by its id, which plimsoll timeline shows (release, env: --deployment=UUID; elsewhere as a word)`,
    );
  }
  const planned = here?.deployment === id ? here.slot : await plannedOnLog(atHand, id);
  return ok({ id, planned });
};

/**
 * The deployment that a word names: its id, or the name that it was planned under in this CI run or here; with the
 * place that was planned for it, as far as that is known here.
 */
export const deploymentNamed = async (
  ports: CliPorts,
  given: Given,
  word: string,
): Promise<Result<{ readonly id: string; readonly planned: Slot | null }, CliProblem>> => {
  const id = word.toLowerCase();
  if (uuidPattern.test(id)) return ok({ id, planned: null });
  const job = jobOf(ports, given);
  return job.ok
    ? deploymentToUpdate(ports, { given, job: job.value, deployName: word }, undefined)
    : job;
};

const notKept = ({ message }: { readonly message: string }): Note => ({
  code: 'plan-not-kept',
  message: `the deployment could not be kept for the next command: ${message}`,
  hint: 'name it in the updates: --deployment=UUID',
});

/** Read models are loaded where they are asked. */
const hasEndedOnLog = async (atHand: AtHand | undefined, id: string): Promise<boolean> =>
  atHand !== undefined && (await import('./deployment-at-hand.ts')).hasEndedOnLog(atHand, id);

const plannedOnLog = async (atHand: AtHand | undefined, id: string): Promise<Slot | null> =>
  atHand === undefined ? null : (await import('./deployment-at-hand.ts')).plannedOnLog(atHand, id);
