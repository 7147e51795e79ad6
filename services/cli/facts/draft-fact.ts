import type { Circumstance, Emittable, Slot } from '../../core/markers/marker.ts';
import { uuidPattern } from '../../core/markers/parse-marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { FactCommand } from '../commands/facts.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { readDetails } from '../reading/details.ts';
import type { Draft, Origin } from '../release/draft.ts';
import { knownChange, readShare } from '../release/draft.ts';
import { namesPlace, overridePlace, readPlace } from '../release/place.ts';
import type { Given } from '../terminal/arguments.ts';
import { draftPact } from './draft-pact.ts';

// What else can be said of deployments and places: flags to the draft of a marker.

type Drafted = Result<Draft, CliProblem>;

export const draftFact = async (
  command: Exclude<FactCommand, 'emit'>,
  given: Given,
  origin: Origin,
): Promise<Drafted> => {
  switch (command) {
    case 'record-deployment':
    case 'record-undeployment':
    case 'record-release':
    case 'record-support-ended':
      return draftPact(command, given, origin);
    case 'traffic':
      return draftTraffic(given);
    case 'phase':
      return draftUpdate('phase-advanced', given, { phase: given.words[1] ?? null });
    case 'migration start':
      return draftChange('migration-started', given, origin, null);
    case 'migration finish':
      return draftChange(
        'migration-finished',
        given,
        origin,
        given.has('failed') ? 'failed' : 'succeeded',
      );
    case 'change flag':
      return draftChange('flag-changed', given, origin, null);
    case 'change config':
      return draftChange('config-changed', given, origin, null);
    case 'change secret':
      return draftChange('secret-changed', given, origin, null);
    case 'incident open':
      return draftChange('incident-opened', given, origin, null);
    case 'incident resolve':
      return draftChange('incident-resolved', given, origin, null);
    case 'label':
      return draftLabel(given, origin);
    case 'freeze':
      return draftFreeze(given);
  }
};

/** A word for a deployment: its id, or the name that it was planned under. */
const namedBy = (word: string): Pick<Draft, 'deployName' | 'named'> => {
  const id = word.toLowerCase();
  return uuidPattern.test(id)
    ? { deployName: 'default', named: id }
    : { deployName: word, named: null };
};

const draftTraffic = (given: Given): Drafted => {
  const share = readShare(given);
  if (!share.ok) return share;
  return given.has('canary-share') || given.has('colour')
    ? draftUpdate('traffic-shifted', given, {
        canaryShare: share.value,
        colour: given.value('colour'),
      })
    : refuse(
        'option-missing',
        'plimsoll traffic needs --canary-share=SHARE or --colour=WORD',
        'for instance: plimsoll traffic default --canary-share=0.25',
      );
};

const draftUpdate = (kind: Emittable['kind'], given: Given, says: Draft['fields']): Drafted => {
  const details = readDetails(given, null);
  if (!details.ok) return details;
  return ok({
    kind,
    about: 'updated',
    ...namedBy(given.words[0] ?? 'default'),
    place: async () => ok(null),
    fields: {
      ...{ statusReported: null, reason: null, canaryShare: null, colour: null, phase: null },
      ...says,
      details: details.value,
    },
  });
};

const draftChange = async (
  kind: Circumstance['kind'],
  given: Given,
  origin: Origin,
  outcome: 'succeeded' | 'failed' | null,
): Promise<Drafted> => {
  const { commit: _commit, repository: _repository, ...known } = await knownChange(given, origin);
  const details = readDetails(given, { ...known, commit: null, repository: null });
  if (!details.ok) return details;
  const deployment = given.value('deployment');
  return ok({
    kind,
    ...(deployment === null ? nobodys : { about: 'updated' as const, ...namedBy(deployment) }),
    place: (planned) => placeOf(given, origin, planned, deployment),
    fields: {
      name: given.words[0] ?? '',
      fromVersion: given.value('from-version'),
      toVersion: given.value('to-version'),
      outcome,
      url: given.value('url'),
      reason: given.value('reason'),
      details: details.value,
    },
  });
};

const nobodys = { about: 'none', deployName: 'default', named: null } as const;

const draftLabel = (given: Given, origin: Origin): Drafted => {
  const [first = ''] = given.words;
  const deployment = first.includes(':') ? null : first;
  const labels = (deployment === null ? given.words : given.words.slice(1)).map((word) => {
    const at = word.indexOf(':');
    return { name: word.slice(0, Math.max(at, 0)), value: word.slice(at + 1) };
  });
  if (labels.length === 0 || labels.some(({ name, value }) => name === '' || value === ''))
    return refuse(
      'word-invalid',
      'plimsoll label takes labels as NAME:VALUE',
      'for instance: plimsoll label default team:payments tier:1',
    );
  const details = readDetails(given, null);
  if (!details.ok) return details;
  return ok({
    kind: 'label',
    ...(deployment === null ? nobodys : { about: 'updated' as const, ...namedBy(deployment) }),
    place: (planned) => placeOf(given, origin, planned, deployment),
    fields: {
      ...{ version: '', digest: null, rollback: false },
      reason: given.value('reason'),
      details: { ...details.value, labels },
    },
  });
};

/** Names what is frozen by patterns: all components and targets unless they are named. */
const draftFreeze = (given: Given): Drafted => {
  const details = readDetails(given, null);
  if (!details.ok) return details;
  const slot: Slot = {
    namespace: given.value('namespace') ?? 'default',
    environment: given.value('environment-name') ?? '',
    component: given.value('component-name') ?? '*',
    target: given.value('target'),
  };
  return ok({
    kind: 'freeze',
    ...nobodys,
    isOperators: true,
    place: async () => ok(slot),
    fields: {
      ...{ version: '', digest: null, rollback: false },
      reason: given.value('reason'),
      details: details.value,
    },
  });
};

/** The place that is named, else that of the deployment's plan. */
const placeOf = async (
  given: Given,
  { job, repositoryAddress }: Origin,
  planned: Slot | null,
  deployment: string | null,
): Promise<Result<Slot, CliProblem>> => {
  if (deployment === null) return readPlace(given, job, repositoryAddress);
  if (planned !== null) return ok(overridePlace(given, planned));
  return namesPlace(given)
    ? readPlace(given, job, repositoryAddress)
    : refuse(
        'place-unknown',
        `where the deployment ${JSON.stringify(deployment.slice(0, 64))} was planned is not known here`,
        'name the place: --environment-name=NAME --component-name=NAME',
      );
};
