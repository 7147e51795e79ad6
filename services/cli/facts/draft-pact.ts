import type { PlaceFact } from '../../core/markers/marker.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { PactCommand } from '../commands/facts.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { readDetails } from '../reading/details.ts';
import type { Draft, Origin } from '../release/draft.ts';
import { knownChange } from '../release/draft.ts';
import { readPlace } from '../release/place.ts';
import type { Given } from '../terminal/arguments.ts';

// The words of Pact's client: what was deployed or released, and what is gone.

const kindOf: { readonly [Name in PactCommand]: PlaceFact['kind'] } = {
  'record-deployment': 'recorded',
  'record-undeployment': 'undeployed',
  'record-release': 'released',
  'record-support-ended': 'support-ended',
};

export const draftPact = async (
  command: PactCommand,
  asked: Given,
  origin: Origin,
): Promise<Result<Draft, CliProblem>> => {
  const given = inOurWords(asked);
  const kind = kindOf[command];
  const isOfRelease = kind === 'released' || kind === 'support-ended';
  if (isOfRelease && given.has('target'))
    return refuse(
      'option-invalid',
      `plimsoll ${command} takes no --target: releases stand beside each other in an environment until their support ends`,
      'leave it out; what is deployed to one of several instances is told by plimsoll record-deployment --target',
    );
  noteUnused(given, origin);
  noteTarget(given, origin);
  if (kind === 'released') noteEnvironment(given, origin);
  const isComing = kind === 'recorded' || kind === 'released';
  const details = readDetails(given, isComing ? await knownChange(given, origin) : null);
  if (!details.ok) return details;
  return ok({
    kind,
    about: 'own',
    deployName: 'default',
    named: null,
    place: () => readPlace(given, origin.job, origin.repositoryAddress),
    fields: {
      version: given.value('target-version') ?? '',
      digest: given.value('digest'),
      rollback: false,
      reason: given.value('reason'),
      details: details.value,
    },
  });
};

const pactNames: { readonly [ours: string]: string } = {
  'component-name': 'pacticipant',
  'environment-name': 'environment',
  'target-version': 'version',
};

/** What stands under Pact's names, by ours. */
const inOurWords = (given: Given): Given => ({
  words: given.words,
  program: given.program,
  value: (name) => given.value(pactNames[name] ?? name),
  values: (name) => given.values(pactNames[name] ?? name),
  has: (name) => given.has(pactNames[name] ?? name),
});

const unused = [
  ...['broker-base-url', 'broker-username', 'broker-password', 'broker-token', 'output', 'verbose'],
];

const noteUnused = (given: Given, { note }: Origin): void => {
  const told = unused.filter((name) => given.has(name)).map((name) => `--${name}`);
  if (told.length > 0)
    note({
      code: 'option-unused',
      message: `${told.join(', ')} ${told.length === 1 ? 'is' : 'are'} of Pact's own client, and not used`,
      hint: 'PLIMSOLL_URL and PLIMSOLL_KEY say where to and who',
    });
};

/** Names of parts of one deployment, such as colours. */
const partNames = [
  ...['blue', 'green', 'canary', 'stable', 'active', 'preview', 'baseline', 'primary', 'standby'],
  ...['old', 'new', 'current', 'previous', 'next', 'idle', 'staged'],
];

/** The target tells instances that stay side by side, and not the two versions of a rollout. */
const noteTarget = (given: Given, { note }: Origin): void => {
  const target = given.value('target');
  if (target === null || !partNames.includes(target.toLowerCase())) return;
  note({
    code: 'target-of-rollout',
    message: `--target=${target} looks like a part of one rollout: with a target of its own this version replaces no other, and both count as deployed`,
    hint: 'record at the very end, when no instance of the previous version runs, and without a target; a target is for instances that stay side by side, such as one for each customer',
  });
};

const noteEnvironment = (given: Given, { note }: Origin): void => {
  const environment = given.value('environment-name') ?? '';
  if (/^(?:prod|production|live)(?:[-_./]|$)/i.test(environment)) return;
  note({
    code: 'release-outside-production',
    message: `releases are for production, and ${JSON.stringify(environment)} is another environment: this one counts as supported there until plimsoll record-support-ended says otherwise`,
    hint: 'where only the newest version counts, plimsoll record-deployment is the word',
  });
};
