import type { Attempt, Deployment } from '../../deployment.ts';
import { hasEnded } from '../../lifecycle.ts';
import type { Slot } from '../../markers/marker.ts';
import { slotKey } from '../../markers/slot.ts';
import type { DecisionRow } from '../../read-models.ts';
import type { Result } from '../../result.ts';
import type { Judges, Unjudged } from '../analysis/unjudged.ts';
import { unjudgedOf } from '../analysis/unjudged.ts';
import { noPolicySet } from './policy-standing.ts';
import type { ObeyedAct } from './question.ts';
import type { ObeyCode, Refusal } from './refusal.ts';
import type { DeploymentRows } from './rows.ts';
import { decisionsOf } from './rows.ts';

// A gate: whether a pipeline may go on with a deployment. It opens on decisions that may be obeyed, and on nothing else.

/**
 * - `promote`: go on. `roll-back`: undo it. `hold`: a silence, or a person froze the place; `inconclusive`: the time was over without a verdict.
 * - `waiting`: nothing that may be obeyed yet; an advance is no promotion.
 * - `ended`: the attempt is over, and nothing will be decided any more.
 */
export type GateOutcome = 'promote' | 'roll-back' | 'hold' | 'inconclusive' | 'waiting' | 'ended';

export type GateAnswer = {
  readonly outcome: GateOutcome;
  readonly attempt: Attempt;
  /** The decision that counts, or null. */
  readonly act: ObeyedAct | null;
  /** Null where it waits for more than that, or does not wait. */
  readonly unjudged: Unjudged | null;
  /** While it waits, and no decision was refused: why one that is to be acted on, or a roll-back, would be, as things stand. */
  readonly barred: Refusal | null;
  /** The newest decision that may not be obeyed, where it is newer than the one that counts, and why. */
  readonly refused: { readonly decision: DecisionRow; readonly refusal: Refusal } | null;
};

/** The place that is asked about, as far as it is named. */
export type PlaceAsked = Partial<Slot>;

/**
 * `nothing`: nobody has planned the deployment there yet. `several`: it was planned for several places, and which is meant
 * was not said. Ids of deployments can be guessed, so a key for staging may plan there what runs in production: its
 * canary must not open the gate of the other.
 */
export type GateFound =
  | { readonly found: 'answer'; readonly answer: GateAnswer }
  | {
      readonly found: 'nothing';
      /** Where else it was planned. */ readonly elsewhere: readonly Slot[];
    }
  | { readonly found: 'several'; readonly slots: readonly Slot[] };

export const gateOf = (
  rows: DeploymentRows,
  mayObey: (decision: DecisionRow) => Result<ObeyedAct, Refusal>,
  barredBy: (deployment: string, attempt: Attempt) => Refusal | undefined,
  asked: PlaceAsked = {},
  /** What the policy of its place has judged, and whose word it takes. */
  judges: (attempt: Attempt) => Judges = () => noPolicySet,
): GateFound => {
  const { deployment } = rows;
  const planned = (deployment?.attempts ?? []).filter(
    ({ plan }) => plan !== null && isMeant(plan.slot, asked),
  );
  const counting = planned.filter(
    (attempt) => attempt.onBehalf === null || judges(attempt).onBehalf === 'accept',
  );
  // Where all that is known was said with tokens, the answer says so.
  const here = counting.length === 0 ? planned : counting;
  const attempt = here.at(-1);
  if (deployment === undefined || attempt === undefined)
    return { found: 'nothing', elsewhere: slotsOf(deployment?.attempts ?? []) };
  const slots = slotsOf(here);
  return slots.length > 1
    ? { found: 'several', slots }
    : {
        found: 'answer',
        answer: answerOf(rows, deployment, attempt, mayObey, barredBy, judges(attempt)),
      };
};

const slotsOf = (attempts: readonly Attempt[]): readonly Slot[] => [
  ...new Map(
    attempts.flatMap(({ plan }) => (plan ? [[slotKey(plan.slot), plan.slot]] : [])),
  ).values(),
];

const isMeant = (slot: Slot, asked: PlaceAsked): boolean =>
  (Object.keys(asked) as (keyof Slot)[]).every((part) => slot[part] === asked[part]);

const answerOf = (
  rows: DeploymentRows,
  deployment: Deployment,
  attempt: Attempt,
  mayObey: (decision: DecisionRow) => Result<ObeyedAct, Refusal>,
  barredBy: (deployment: string, attempt: Attempt) => Refusal | undefined,
  judges: Judges,
): GateAnswer => {
  let refused: GateAnswer['refused'] = null;
  const refusedForAll = new Set<string>();
  // The newest counts; what cannot be obeyed hides nothing that stands behind it.
  for (const decision of decisionsOf(deployment, attempt).toReversed()) {
    const evidence = evidenceOf(decision);
    // A day has hundreds of renewals, and most reasons hold for all of them.
    if (decision.note !== 'applied' && refusedForAll.has(evidence)) continue;
    const answer = mayObey(decision);
    if (answer.ok) {
      const { value: act } = answer;
      return { outcome: outcomeOf(act), attempt, act, refused, unjudged: null, barred: null };
    }
    refused ??= { decision, refusal: answer.problem };
    if (!ofOneRecord.has(answer.problem.code)) refusedForAll.add(evidence);
  }
  const isOver = hasEnded(attempt);
  // What would be promoted is not, until the freeze is lifted: whoever waits here waits for a person.
  const isFrozen = !isOver && refused?.refusal.code === 'place-frozen';
  const isSilent = isOver || refused !== null;
  const unjudged = isSilent ? null : unjudgedIn(rows, attempt, judges);
  const barred = isSilent ? null : (barredBy(deployment.id, attempt) ?? null);
  // Of what is not judged there will be no decision that this could be said of.
  const isBarred = unjudged === null || barred === null || !ofJudged.has(barred.code);
  return {
    outcome: isOver ? 'ended' : isFrozen ? 'hold' : 'waiting',
    attempt,
    act: null,
    refused,
    unjudged,
    barred: isBarred ? barred : null,
  };
};

const ofJudged: ReadonlySet<string> = new Set<ObeyCode>(['digest-missing', 'holder-changed']);

/** Refusals of one record, or of the key that signed it: another one that says the same may be obeyed. */
const ofOneRecord: ReadonlySet<string> = new Set<ObeyCode>([
  ...(['key-unknown', 'key-retired', 'key-compromised', 'role-missing', 'on-behalf'] as const),
  ...(['kind-not-allowed', 'out-of-scope', 'id-wrong', 'renewal-differs', 'out-of-order'] as const),
  ...(['waited', 'from-the-future', 'window-in-the-future'] as const),
]);

const evidenceOf = ({ kind, analysis, evidenceDigest }: DecisionRow): string =>
  JSON.stringify([kind, analysis, evidenceDigest]);

const unjudgedIn = (
  { deployment, slot }: DeploymentRows,
  attempt: Attempt,
  judges: Judges,
): Unjudged | null => {
  const { plan } = attempt;
  return unjudgedOf(deployment?.id, attempt, plan === null ? undefined : slot(plan.slot), judges);
};

const outcomeOf = ({ kind, decision }: ObeyedAct): GateOutcome => {
  switch (kind) {
    case 'promote':
    case 'roll-back':
      return kind;
    case 'hold':
      return decision.stage === 'inconclusive' ? 'inconclusive' : 'hold';
    case 'advance':
      return 'waiting';
  }
};
