import type { Attempt, DecisionSummary, Entry } from '../../deployment.ts';
import { decisionRenewed } from '../../lifecycle.ts';
import type { Decided } from '../../markers/marker.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Result } from '../../result.ts';
import { ok } from '../../result.ts';
import type { Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';
import type { JudgedDecisions } from './trusted.ts';

// A decision and its renewals are one act: which of them counts, and who has said it.

/** The record that was asked about with what its attempt knows of it. */
export const asJudged = (row: DecisionRow, { trusted, doubted }: JudgedDecisions): DecisionRow => {
  const judged = trusted.find(({ position }) => position === row.position);
  if (judged === undefined) return row;
  return {
    ...row,
    metrics: row.metrics.length > 0 ? row.metrics : judged.metrics,
    note: doubted.length === 0 ? row.note : judged.note,
  };
};

/** The decision that counts: the asked one, or the one that it renews. */
export const standingOf = (
  asked: DecisionRow,
  decisions: JudgedDecisions,
): Result<DecisionSummary, Refusal> => {
  const { note, kind } = asked;
  switch (note) {
    case 'late':
      return refuse('attempt-ended', 'the attempt had ended when it was decided');
    case 'contradiction':
      return refuse('after-roll-back', `${kind}, after a roll-back was decided`);
    case 'held':
      return refuse('gate-held', 'a marker of the attempt had come twice with different content');
    case 'disagreement':
    case 'applied': {
      if (!isOfLaterWindow(asked)) return ok(asked);
      const first = firstSaid(asked, decisions);
      return first === undefined
        ? refuse('renewal-of-nothing', 'it renews a decision that was never made')
        : ok(first);
    }
    case 'repeat': {
      const standing = decisionRenewed(decisions.trusted, asked);
      if (standing === undefined)
        return refuse('renewal-of-nothing', `${kind} again, and what it renews does not stand`);
      const differing = renewalDifference(asked, standing);
      return differing === undefined
        ? ok((isOfLaterWindow(standing) ? firstSaid(standing, decisions) : undefined) ?? standing)
        : refuse('renewal-differs', `it renews a decision and has another ${differing}`);
    }
  }
};

/** It names a window behind those that it rests on, as renewals do. */
const isOfLaterWindow = ({ windowIndex, windows }: DecisionSummary): boolean =>
  windowIndex >= windows && windows > 0;

/**
 * The decision that a renewal renews where the key of that one is doubted by now: a key that nobody doubts has said the
 * same, so it counts, with its own id. Whoever has acted on it has done it.
 */
const firstSaid = (
  renewal: DecisionSummary,
  { doubted }: JudgedDecisions,
): DecisionSummary | undefined =>
  doubted.find(
    (decision) =>
      decision.position < renewal.position &&
      decision.note === 'applied' &&
      !isOfLaterWindow(decision) &&
      renewalDifference(renewal, decision) === undefined,
  );

/** What a renewal has as the first has it, and not as its own. */
const ofRenewalAlone: ReadonlySet<string> = new Set([
  ...['marker', 'occurredAt', 'windowIndex', 'windowEndedAt', 'explanation'],
  ...['position', 'at', 'principal', 'key', 'note', 'renewal'],
  // Rows of decisions have them beside.
  ...['deployment', 'attempt', 'slot'],
]);

/** A field of the decision, if any, that the renewal says otherwise. */
const renewalDifference = (
  renewal: DecisionSummary,
  standing: DecisionSummary,
): string | undefined =>
  Object.keys(standing).find((name) => {
    const field = name as keyof Decided & keyof DecisionSummary;
    const [one, other] = [renewal[field], standing[field]];
    return (
      !ofRenewalAlone.has(name) && one !== other && JSON.stringify(one) !== JSON.stringify(other)
    );
  });

/** The decision and its renewals by keys that nobody doubts, with their places in the history. */
export type Voice = { readonly decision: DecisionSummary; readonly entry: Entry };

export const voicesOf = (
  standing: DecisionSummary,
  trusted: readonly DecisionSummary[],
  { entries }: Pick<Attempt, 'entries'>,
): readonly Voice[] =>
  trusted.flatMap((decision) => {
    const isSame =
      decision.position === standing.position ||
      ((decision.note === 'repeat' || decision.note === 'applied') &&
        renewalDifference(decision, standing) === undefined);
    const entry = isSame
      ? entries.find(({ position }) => position === decision.position)
      : undefined;
    return entry === undefined ? [] : [{ decision, entry }];
  });
