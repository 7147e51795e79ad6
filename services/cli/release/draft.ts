import { kinds } from '../../core/markers/kinds.ts';
import type { Emittable, Slot, Update } from '../../core/markers/marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Numbered } from '../../ports/numbering.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Git } from '../../ports/git.ts';
import type { Note } from '../terminal/note.ts';
import type { CiJob } from '../../sdk/ci/ci-job.ts';
import { fitsName } from '../../sdk/ci/ci-words.ts';
import { withoutCredentials } from '../../sdk/ci/repository.ts';
import type { CommandName } from '../commands.ts';
import type { FactCommand } from '../commands/facts.ts';
import type { KnownChange } from '../../sdk/ci/known-change.ts';
import { readDetails } from '../reading/details.ts';
import { toMarker } from './marker-fields.ts';
import { namesPlace, overridePlace, readPlace } from './place.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Screening } from './screening.ts';
import { readStatus } from './status-words.ts';

export type EmittingCommand = Extract<CommandName, `release ${string}`> | FactCommand;

/** What a marker says before anything was opened: all but the ids, and the place of an update. */
export type Draft = {
  readonly kind: Emittable['kind'];
  /**
   * The deployment that it is about: `own`: it is one itself; `planned`: the one that it opens or says again; `updated`:
   * that of the run, or the last from here; `none`: it may name one, and needs none.
   */
  readonly about: 'own' | 'planned' | 'updated' | 'none';
  readonly deployName: string;
  /** The id of the deployment where it was named; null: its name or the run does. */
  readonly named: string | null;
  /** An operator signs it: whoever says it wants to know at once whether it counts. */
  readonly isOperators?: boolean;
  /** The place that it is about; null for an update that names none. */
  readonly place: (planned: Slot | null) => Promise<Result<Slot | null, CliProblem>>;
  readonly fields: Body;
};

/** What this marker has in common with every other from here. */
export type Origin = {
  readonly audience: string;
  readonly job: CiJob | null;
  readonly host: string;
  readonly repositoryAddress: () => Promise<string | null>;
  readonly git: Pick<Git, 'head'>;
  readonly note: (note: Note) => void;
  readonly screening: Screening;
};

export const draftRelease = async (
  command: Exclude<EmittingCommand, FactCommand>,
  given: Given,
  origin: Origin,
): Promise<Result<Draft, CliProblem>> => {
  if (command === 'release plan') return draftPlan(given, origin);
  if (command === 'release update') return draftUpdate(given, origin);
  return draftLog(given, origin);
};

const deployNameOf = ({ words }: Given): string => words[0] ?? 'default';

const draftPlan = async (given: Given, origin: Origin): Promise<Result<Draft, CliProblem>> => {
  const share = readShare(given);
  if (!share.ok) return share;
  const details = readDetails(given, await knownChange(given, origin));
  if (!details.ok) return details;
  noteEnvironment(given, origin);
  return ok({
    kind: 'planned',
    about: 'planned',
    deployName: deployNameOf(given),
    named: given.value('deployment'),
    place: () => readPlace(given, origin.job, origin.repositoryAddress),
    fields: {
      name: deployNameOf(given),
      version: given.value('target-version'),
      digest: given.value('digest'),
      rollback: given.has('rollback'),
      strategy: given.value('strategy'),
      canaryShare: share.value,
      details: details.value,
    },
  });
};

const draftLog = async (given: Given, origin: Origin): Promise<Result<Draft, CliProblem>> => {
  const details = readDetails(given, await knownChange(given, origin));
  if (!details.ok) return details;
  noteEnvironment(given, origin);
  return ok({
    kind: 'logged',
    about: 'own',
    deployName: 'default',
    named: given.value('deployment'),
    place: () => readPlace(given, origin.job, origin.repositoryAddress),
    fields: {
      version: given.value('target-version'),
      digest: given.value('digest'),
      rollback: given.has('rollback'),
      reason: null,
      details: details.value,
    },
  });
};

/** What the CI says of the change; what it leaves out, and outside CI all of it, git says. */
export const knownChange = async (
  given: Given,
  { job, git, repositoryAddress }: Pick<Origin, 'job' | 'git' | 'repositoryAddress'>,
): Promise<KnownChange> => {
  const isCommitKnown = given.has('commit') || (job !== null && job.commit !== null);
  const [head, address] = await Promise.all([
    isCommitKnown ? null : git.head(),
    given.has('repository') || job !== null ? null : repositoryAddress(),
  ]);
  // A commit that was named is another than the one that lies here.
  const commit = job?.commit ?? head?.commit ?? null;
  if (job !== null) return { ...job, commit };
  return {
    commit,
    repository: address === null ? null : withoutCredentials(address),
    branch: fitting(head?.branch),
    tag: fitting(head?.tag),
    ...{ build: null, trigger: null, actor: null, links: [], pullRequest: null },
  };
};

const fitting = (name: string | null | undefined): string | null =>
  name === null || name === undefined || !fitsName(name) ? null : name;

/** The CI's own word for where it deploys to is as good as an option, but must not take anybody by surprise. */
const noteEnvironment = (given: Given, { job, note }: Origin): void => {
  if (job === null || job.environment === null || given.has('environment-name')) return;
  const { name, from } = job.environment;
  note({
    code: 'environment-from-ci',
    message: `the environment is ${JSON.stringify(name)}, as ${from} says`,
    hint: '--environment-name=NAME names another',
  });
};

const draftUpdate = (given: Given, origin: Origin): Result<Draft, CliProblem> => {
  const kind = readKind(given);
  if (!kind.ok) return kind;
  const share = readShare(given);
  if (!share.ok) return share;
  const details = readDetails(given, null);
  if (!details.ok) return details;
  return ok({
    kind: kind.value,
    about: 'updated',
    deployName: deployNameOf(given),
    named: given.value('deployment'),
    place: async (planned) => {
      if (!namesPlace(given)) return ok(null);
      return planned === null
        ? readPlace(given, origin.job, origin.repositoryAddress)
        : ok(overridePlace(given, planned));
    },
    fields: {
      statusReported: given.value('status'),
      reason: reasonOf(kind.value, given, origin),
      canaryShare: share.value,
      colour: given.value('colour'),
      phase: null,
      details: details.value,
    },
  });
};

/** The status is worth more than a reason that does not go with it. */
const reasonOf = (kind: Update['kind'], given: Given, { note }: Origin): string | null => {
  const reason = given.value('failure-reason');
  if (reason === null || kind === 'failed' || kind === 'canceled') return reason;
  note({
    code: 'reason-unused',
    message: 'the --failure-reason is left out: it goes with FAILED and CANCELED',
    hint: '',
  });
  return null;
};

const readKind = (given: Given): Result<Update['kind'], CliProblem> => {
  const status = given.value('status');
  const shifts = given.has('canary-share') || given.has('colour');
  const explains = given.has('failure-reason');
  if (status === null)
    return shifts && !explains
      ? ok('traffic-shifted')
      : refuse(
          'option-missing',
          'plimsoll release update needs --status=STATUS',
          'for instance: plimsoll release update --status=SUCCESS; or, for a canary, --canary-share=0.5',
        );
  if (shifts)
    return refuse(
      'option-invalid',
      '--canary-share and --colour are told without a --status',
      'call twice: once with --status, once with the share',
    );
  const kind = readStatus(status);
  if (!kind.ok) return kind;
  return kind;
};

export const readShare = (given: Given): Result<number | null, CliProblem> => {
  const written = given.value('canary-share');
  if (written === null) return ok(null);
  const [, number = '', percent] =
    /^((?:[0-9]{1,3})?(?:\.[0-9]+)?)(%)?$/.exec(written.trim()) ?? [];
  return number === ''
    ? refuse(
        'option-invalid',
        `--canary-share=${JSON.stringify(written.slice(0, 64))} is no share`,
        'write a number above 0 and at most 1, or per cent: 0.1 or 10%',
      )
    : ok(Number(number) / (percent === undefined ? 1 : 100));
};

/** The draft as a marker, or its fault in the words of the command line. */
export const completeMarker = (
  draft: Draft,
  ids: {
    readonly marker: string;
    readonly deployment: string | null;
    readonly occurredAt: number;
    readonly numbered: Numbered | null;
  },
  slot: Slot | null,
  given: Given,
  { audience, job, host, screening }: Origin,
): Result<Emittable, CliProblem> => {
  const marker = toMarker(
    draft.kind,
    {
      marker: ids.marker,
      deployment: draft.about === 'own' ? ids.marker : ids.deployment,
      kind: draft.kind,
      audience,
      source: given.value('source') ?? job?.source ?? `plimsoll/${host}`,
      occurredAt: ids.occurredAt,
      producer: ids.numbered?.producer ?? null,
      sequence: ids.numbered?.sequence ?? null,
      attempt: job?.attempt ?? null,
      slot,
      ...draft.fields,
    },
    kinds[draft.kind].shape === 'update' ? '--failure-reason' : '--reason',
    screening,
  );
  return marker.ok ? ok(marker.value as Emittable) : marker;
};
