import type { Logged, Planned, Slot, Update } from '../../core/markers/marker.ts';
import type { Body } from '../../core/markers/upcast.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Numbered } from '../../ports/numbering.ts';
import type { Given } from '../terminal/arguments.ts';
import type { CiJob } from './ci-run.ts';
import type { CommandName } from '../commands.ts';
import { readDetails } from '../reading/details.ts';
import { toMarker } from './marker-fields.ts';
import { namesPlace, overridePlace, readPlace } from './place.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { readStatus } from './status-words.ts';

export type EmittingCommand = Extract<CommandName, `release ${string}`>;

/** What a marker says before anything was opened: all but the ids, and the place of an update. */
export type Draft = {
  readonly kind: Planned['kind'] | Update['kind'] | Logged['kind'];
  readonly deployName: string;
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
};

export const draftMarker = (
  command: EmittingCommand,
  given: Given,
  origin: Origin,
): Result<Draft, CliProblem> => {
  switch (command) {
    case 'release plan':
      return draftPlan(given, origin);
    case 'release update':
      return draftUpdate(given, origin);
    case 'release log':
      return draftLog(given, origin);
  }
};

const deployNameOf = ({ words }: Given): string => words[0] ?? 'default';

const draftPlan = (given: Given, origin: Origin): Result<Draft, CliProblem> => {
  const share = readShare(given);
  if (!share.ok) return share;
  const details = readDetails(given, origin.job);
  if (!details.ok) return details;
  return ok({
    kind: 'planned',
    deployName: deployNameOf(given),
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

const draftLog = (given: Given, origin: Origin): Result<Draft, CliProblem> => {
  const details = readDetails(given, origin.job);
  if (!details.ok) return details;
  return ok({
    kind: 'logged',
    deployName: 'default',
    place: () => readPlace(given, origin.job, origin.repositoryAddress),
    fields: {
      version: given.value('target-version'),
      digest: given.value('digest'),
      rollback: given.has('rollback'),
      details: details.value,
    },
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
    deployName: deployNameOf(given),
    place: async (planned) => {
      if (!namesPlace(given)) return ok(null);
      return planned === null
        ? readPlace(given, origin.job, origin.repositoryAddress)
        : ok(overridePlace(given, planned));
    },
    fields: {
      statusReported: given.value('status'),
      reason: given.value('failure-reason'),
      canaryShare: share.value,
      colour: given.value('colour'),
      details: details.value,
    },
  });
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
  return explains && (kind.value === 'started' || kind.value === 'succeeded')
    ? refuse(
        'option-invalid',
        `--failure-reason does not go with --status=${status}`,
        'give it with FAILED or CANCELED',
      )
    : kind;
};

const readShare = (given: Given): Result<number | null, CliProblem> => {
  const written = given.value('canary-share');
  if (written === null) return ok(null);
  const [, number = '', percent] =
    /^((?:[0-9]{1,3})?(?:\.[0-9]{1,9})?)(%)?$/.exec(written.trim()) ?? [];
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
    readonly deployment: string;
    readonly occurredAt: number;
    readonly numbered: Numbered | null;
  },
  slot: Slot | null,
  given: Given,
  { audience, job, host }: Origin,
): Result<Planned | Update | Logged, CliProblem> => {
  const marker = toMarker(
    draft.kind,
    {
      marker: ids.marker,
      deployment: draft.kind === 'logged' ? ids.marker : ids.deployment,
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
    '--failure-reason',
  );
  return marker.ok ? ok(marker.value as Planned | Update | Logged) : marker;
};
