import { isOfSameVoice } from './attempts.ts';
import type { Attempt, Deployment, Note } from './deployment.ts';
import type { Fact, SlotHistory } from './lifecycle.ts';
import { evolve } from './lifecycle.ts';
import { isUpdate } from './markers/kinds.ts';
import type { PlaceFact, Planned, Slot, Update } from './markers/marker.ts';
import type { Result } from './result.ts';
import { fail, ok } from './result.ts';
import { onBehalfOf } from './trust/on-behalf.ts';
import type { Trust } from './trust/trust.ts';

// What a command may do whose marker a trusted key has signed. It asks the fold what the marker would become, and
// refuses what would change nothing.

export type RefusedCommand = {
  readonly code:
    | 'deployment-taken'
    | 'deployment-ended'
    | 'planned-differently'
    | 'slot-differs'
    | 'overtaken'
    | 'not-deployed'
    | 'not-released'
    | 'out-of-scope'
    | 'planned-by-key'
    | 'history-full';
  readonly message: string;
  readonly hint: string;
};

/** What the read models say, as far as a command asks. */
export type Standing = {
  readonly trust: Trust;
  readonly deployment: Deployment | undefined;
  readonly slots: (slot: Slot) => SlotHistory;
  readonly holder: (id: string) => Deployment | undefined;
};

/**
 * `append`: the marker says something new. `unplanned`: it does, of a deployment that nobody has planned. `repeat`: it
 * is on the log already; nothing needs to be sent. `deployment` and `attempt` are those it belongs to: a version that
 * is logged again belongs to the one that stands.
 */
export type CommandAnswer = {
  readonly answer: 'append' | 'unplanned' | 'repeat';
  readonly deployment: string;
  readonly attempt: number;
};

export const decide = (
  fact: Fact<Planned | Update | PlaceFact>,
  standing: Standing,
): Result<CommandAnswer, RefusedCommand> => {
  const { marker } = fact;
  const evolution = evolve(
    standing.deployment,
    fact,
    standing.trust,
    standing.slots,
    standing.holder,
  );
  if (evolution.outcome === 'refused')
    switch (evolution.code) {
      case 'out-of-scope':
        return refuse(evolution.code, evolution.message, scopeHint);
      case 'planned-by-key':
        return refuse(
          evolution.code,
          evolution.message,
          'say it with a key: plimsoll release update; a deployment of its own is planned with the token',
        );
      case 'history-full':
        return refuse(
          evolution.code,
          evolution.message,
          'something repeats itself: plimsoll show <deployment>',
        );
      case 'deployment-taken':
        return refuse(
          evolution.code,
          evolution.message,
          'look at it: plimsoll show <deployment>; the same command again makes another id',
        );
      case 'not-deployed':
        return refuse(
          evolution.code,
          evolution.message,
          'see what is there: plimsoll current; a release is ended by plimsoll record-support-ended',
        );
      case 'not-released':
        return refuse(
          evolution.code,
          evolution.message,
          'see what is supported: plimsoll releases; a deployment is ended by plimsoll record-undeployment',
        );
      case 'deployment-unknown':
      case 'decision-misplaced':
        throw new TypeError(`only a decision is refused as ${evolution.code}`);
    }
  const { attempt, note } = evolution;
  const deployment = evolution.deployment.id;
  switch (note) {
    case 'applied':
    case 'disagreement':
      return ok({
        answer: isUpdate(marker) && !isKnown(fact, standing) ? 'unplanned' : 'append',
        deployment,
        attempt,
      });
    case 'repeat':
      return ok({
        // Somebody deployed it again, and that is news: what waited from before it is overtaken by that.
        answer: marker.kind === 'logged' || marker.kind === 'recorded' ? 'append' : 'repeat',
        deployment,
        attempt,
      });
    case 'late':
    case 'held':
    case 'contradiction': {
      const met = evolution.deployment.attempts.find(({ number }) => number === attempt);
      return refuseContradiction(marker, note, met);
    }
  }
};

/** Whether anything was said of the deployment before, with keys or with the same token. */
const isKnown = ({ signer, marker }: Fact, { deployment }: Standing): boolean =>
  deployment?.attempts.some((attempt) =>
    isOfSameVoice(attempt, { voice: onBehalfOf(signer, marker) }),
  ) === true;

export const scopeHint: string =
  'use a key that is trusted for this place: --key FILE or PLIMSOLL_KEY; plimsoll keys list shows scopes';

const refuseContradiction = (
  marker: Planned | Update | PlaceFact,
  note: Note,
  attempt: Attempt | undefined,
): Result<never, RefusedCommand> => {
  const says = attempt?.entries.at(-1)?.says ?? null;
  if (marker.kind === 'planned')
    return refuse(
      'planned-differently',
      `this attempt is planned already, and differently: ${says ?? ''}`,
      'give each deployment of a run its own name, in a matrix each part of it: plimsoll release plan <deploy-name>',
    );
  if (says?.startsWith('slot '))
    return refuse(
      'slot-differs',
      `the deployment was planned elsewhere: ${says}`,
      'leave the place out, or name the one that was planned',
    );
  if (note === 'late' && says !== null)
    return refuse(
      'overtaken',
      `${says}: it is history`,
      'see what counts: plimsoll show <deployment>',
    );
  return refuse(
    'deployment-ended',
    endedSentence(marker, attempt),
    'a rerun of the CI run opens the next attempt; outside CI, and where a job is retried in the same run (GitLab, Jenkins), plan it anew',
  );
};

const endedSentence = (
  { kind }: Planned | Update | PlaceFact,
  attempt: Attempt | undefined,
): string => {
  const ended = `the attempt has ended as ${attempt?.status ?? 'said before'}`;
  switch (kind) {
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return kind === attempt?.status
        ? `${ended} for another reason`
        : `${ended}, and cannot end as ${kind} any more`;
    case 'started':
      return `${ended}, and cannot run again`;
    case 'traffic-shifted':
    case 'phase-advanced':
    case 'planned':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
      return `${ended}, and goes on no more`;
  }
};

const refuse = (
  code: RefusedCommand['code'],
  message: string,
  hint: string,
): Result<never, RefusedCommand> => fail({ code, message, hint });
