import type { PlannedAttempt, Speaker } from './attempts.ts';
import {
  attemptsMet,
  attemptsUpdated,
  attemptsWaiting,
  expulsion,
  isOfSameVoice,
} from './attempts.ts';
import { canonicalJson } from './canonical.ts';
import type {
  Attempt,
  Conflict,
  DecisionSummary,
  Deployment,
  Entry,
  KnownDetails,
  Note,
  Plan,
  Renewal,
} from './deployment.ts';
import { isClockSkewed } from './deployment.ts';
import { knownDetails } from './known-details.ts';
import type { Position } from './log/record.ts';
import type {
  Decided,
  DecidedMetric,
  DeploymentMarker,
  Details,
  PlaceFact,
  Planned,
  Slot,
  Update,
} from './markers/marker.ts';
import { isPlaceFact, isUpdate } from './markers/kinds.ts';
import { sameSlot, slotKey } from './markers/slot.ts';
import { onBehalfOf, speaksForOthers } from './trust/on-behalf.ts';
import type { KeyState, Trust } from './trust/trust.ts';
import { coversSlot } from './trust/trust.ts';

// The life of a deployment: how each accepted marker changes its row. `evolve` answers every marker in every state,
// because a log brings repeats, strays and late ones. What a command may do is said in decide.ts.

/** A marker that was accepted, with what the log and the checks say of it. */
export type Fact<Of extends DeploymentMarker = DeploymentMarker> = {
  readonly marker: Of;
  readonly position: Position;
  readonly appendedAtMs: number;
  readonly waitedMs: number;
  readonly valueBytes: number;
  /** When it counts. */
  readonly atMs: number;
  readonly signer: KeyState;
};

type Held = {
  readonly deployment: string;
  readonly attempt: number;
  readonly version: string;
  readonly digest: string | null;
  /** When it was last said to be there. */
  readonly saidAt: number;
  /** An attempt failed after it took the slot: saying again what runs is news. */
  readonly uncertain: boolean;
};

/** What stands in a slot, as far as the lifecycle asks: versions it held, the present one last. */
export type SlotHistory = {
  /** What was deployed there, by who speaks as this one does. */
  readonly held: Held | null;
  /** What was released there and is still supported, likewise. */
  readonly releases: readonly Held[];
  /** What is there and may be taken away, whoever brought it; his own first. */
  readonly there: { readonly deployed: readonly Held[]; readonly released: readonly Held[] };
  readonly past: readonly { readonly version: string; readonly digest: string | null }[];
};

export type RefusalCode =
  | 'out-of-scope'
  | 'planned-by-key'
  | 'deployment-taken'
  | 'deployment-unknown'
  | 'decision-misplaced'
  | 'not-deployed'
  | 'not-released'
  | 'history-full';

export type Evolution =
  | {
      readonly outcome: 'evolved';
      readonly deployment: Deployment;
      readonly attempt: number;
      readonly note: Note;
      /** Markers of an unplanned attempt that do not count now that its plan is known. */
      readonly expelled: readonly Expelled[];
    }
  | { readonly outcome: 'refused'; readonly code: RefusalCode; readonly message: string };

export type Expelled = {
  readonly entry: Entry;
  readonly code: 'out-of-scope' | 'key-compromised';
};

/** Attempts that may share a slot in one deployment. */
export const attemptsMax = 100;
/** Attempts of one deployment that wait for their plan. */
export const unplannedMax = 10;
/** Markers of one attempt, its decisions not counted; what changes its status is always taken. */
export const entriesMax = 500;
/** Room for those of a day that are renewed every few minutes. */
export const decisionsMax = 1_000;
/** Of one attempt. */
export const conflictsMax = 100;
/** In one slot, still supported. */
const releasesMax = 100;
/** Values of the markers of all attempts that a marker meets: a row is read and written whole. */
export const historyBytesMax: number = 4 * 1024 * 1024;

/**
 * `holder` is the deployment that is there already where a place fact says a version is, where that is another one: a repeat is
 * written into its history.
 */
export const evolve = (
  deployment: Deployment | undefined,
  fact: Fact,
  trust: Trust,
  slots: (slot: Slot) => SlotHistory,
  holder: (id: string) => Deployment | undefined,
): Evolution => {
  const { marker } = fact;
  switch (marker.kind) {
    case 'planned':
      return evolvePlan(deployment, { ...fact, marker }, trust, slots);
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'traffic-shifted':
    case 'phase-advanced':
      return evolveUpdate(deployment, { ...fact, marker }, trust, slots);
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
      return evolvePlaceFact(deployment, { ...fact, marker }, trust, slots, holder);
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return evolveDecision(deployment, { ...fact, marker }, trust);
  }
};

export const hasEnded = (attempt: Pick<Attempt, 'status'>): boolean => {
  switch (attempt.status) {
    case 'planned':
    case 'running':
      return false;
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
      return true;
  }
};

const evolvePlan = (
  deployment: Deployment | undefined,
  fact: Fact<Planned>,
  trust: Trust,
  slots: (slot: Slot) => SlotHistory,
): Evolution => {
  const { marker, signer } = fact;
  if (!coversSlot(signer, marker.slot)) return outOfScope(fact, marker.slot);
  if (isPlannedByKey(deployment, signer)) return ofAKey(fact);
  const met = attemptsMet(deployment, speakerOf(fact), marker.slot, trust);
  const plan = planOf(fact);
  const waiting = attemptsWaiting(deployment, speakerOf(fact), marker.slot, trust);
  const joined = attemptToPlan(met, waiting, marker.attempt);
  if (joined === undefined) {
    if (met.length >= attemptsMax) return full(`the deployment has ${attemptsMax} attempts`);
    const opened = openAttempt(deployment, fact, plan, met.at(-1), slots);
    return put(deployment, fact, withEntry(opened, entryOf(fact, 'applied', null)), 'applied');
  }
  if (joined.plan === null) {
    const { attempt, expelled } = withPlan(joined, plan, trust, slots);
    const known = withToken(attempt, marker.attempt);
    const completed = withEntry(known, entryOf(fact, 'applied', null));
    return put(deployment, fact, completed, 'applied', expelled);
  }
  const differs = planDifference(joined.plan, plan);
  if (differs !== null) return keep(deployment, fact, met, joined, 'contradiction', differs);
  const other = detailsDifference(joined.plan.details, plan.details);
  return keep(deployment, fact, met, joined, other === null ? 'repeat' : 'disagreement', other);
};

/**
 * The attempt that a plan is about: that of its token; without a token the last one while it goes on. The first plan
 * also completes what has no token, or, having none itself, the last that waits. Undefined: the next attempt.
 */
const attemptToPlan = (
  met: readonly PlannedAttempt[],
  waiting: readonly Attempt[],
  token: string | null,
): Attempt | undefined => {
  const known = attemptOfToken([...waiting, ...met], token);
  if (known !== undefined) return known;
  const last = met.at(-1);
  if (last === undefined)
    return waiting.findLast(({ tokens }) => token === null || tokens.length === 0);
  return token === null && !hasEnded(last) ? last : undefined;
};

/** An attempt that updates had opened gets its plan: those updates whose signers may act there now count. */
const withPlan = (
  attempt: Attempt,
  plan: Plan,
  trust: Trust,
  slots: (slot: Slot) => SlotHistory,
): { readonly attempt: Attempt; readonly expelled: readonly Expelled[] } => {
  const bare: Attempt = {
    ...attempt,
    tokens: [],
    plan,
    status: 'planned',
    statusReported: null,
    reason: null,
    startedAt: null,
    endedAt: null,
    share: plan.canaryShare,
    colour: null,
    phase: null,
    rollback: isRollback(plan, slots),
    statusPosition: plan.position,
    principal: plan.principal,
    key: plan.key,
    entries: [],
  };
  const expelled = attempt.entries.flatMap((entry): readonly Expelled[] => {
    const code = expulsion(entry, plan.slot, trust);
    return code === undefined ? [] : [{ entry, code }];
  });
  const settled = attempt.entries
    .filter((entry) => !expelled.some((other) => other.entry === entry))
    .reduce((before, entry) => applyEntry(withToken(before, entry.token), entry), bare);
  return { attempt: settled, expelled };
};

const evolveUpdate = (
  deployment: Deployment | undefined,
  fact: Fact<Update>,
  trust: Trust,
  slots: (slot: Slot) => SlotHistory,
): Evolution => {
  const { marker, signer } = fact;
  if (marker.slot !== null && !coversSlot(signer, marker.slot))
    return outOfScope(fact, marker.slot);
  if (isPlannedByKey(deployment, signer)) return ofAKey(fact);
  const met = attemptsUpdated(deployment, speakerOf(fact), marker.slot, trust);
  const planned = deployment?.attempts.find(
    (attempt) => attempt.plan !== null && isOfSameVoice(attempt, speakerOf(fact)),
  )?.plan;
  if (met.length === 0 && planned) return outOfScope(fact, planned.slot);
  const plan = met.at(-1)?.plan ?? null;
  const waiting = attemptsWaiting(deployment, speakerOf(fact), plan?.slot ?? null, trust);
  // What contradicts the plan's slot opens no attempt, and its token is not the attempt's.
  const isMisplaced = plan !== null && marker.slot !== null && !sameSlot(plan.slot, marker.slot);
  const token = isMisplaced ? null : marker.attempt;
  const last = met.at(-1) ?? waiting.at(-1);
  const joined =
    attemptOfToken([...waiting, ...met], marker.attempt) ??
    (token !== null && last !== undefined && hasEnded(last) ? undefined : last);
  if (joined === undefined) {
    if (plan !== null && met.length >= attemptsMax)
      return full(`the deployment has ${attemptsMax} attempts`);
    if (plan === null && waiting.length >= unplannedMax)
      return full(`the deployment has ${unplannedMax} attempts without a plan`);
  }
  // An attempt that an update opens takes the last plan; so does one that was opened before any plan came.
  const { attempt, expelled } =
    joined === undefined
      ? { attempt: openAttempt(deployment, fact, plan, met.at(-1), slots), expelled: [] }
      : joined.plan === null && plan !== null
        ? withPlan(joined, plan, trust, slots)
        : { attempt: joined, expelled: [] };
  const applied = applyEntry(withToken(attempt, token), entryOf(fact, 'applied', null));
  if (applied.status === attempt.status) {
    const problem = fullness(attempt, [...waiting, ...met], fact);
    if (problem !== undefined) return full(problem);
  }
  return put(deployment, fact, applied, applied.entries.at(-1)?.note ?? 'applied', expelled);
};

/** The one rule of status: planned < running < ended, and the first end stays. */
const applyEntry = (attempt: Attempt, entry: Entry): Attempt => {
  const planned = attempt.plan?.slot;
  if (entry.slot !== null && planned !== undefined && !sameSlot(entry.slot, planned))
    return withEntry(attempt, {
      ...entry,
      note: 'contradiction',
      says: `slot ${slotKey(entry.slot)}, planned was ${slotKey(planned)}`,
    });
  switch (entry.kind) {
    case 'started':
      if (hasEnded(attempt)) return withEntry(attempt, { ...entry, note: 'late', says: null });
      if (attempt.status === 'running') return withEntry(attempt, compared(attempt, entry));
      return said(attempt, entry, { status: 'running', startedAt: entry.at });
    case 'succeeded':
    case 'failed':
    case 'canceled':
      if (!hasEnded(attempt))
        return said(attempt, entry, {
          status: entry.kind,
          endedAt: entry.at,
          reason: entry.reason,
        });
      return withEntry(
        attempt,
        // To leave the reason out contradicts none.
        attempt.status === entry.kind && (entry.reason ?? attempt.reason) === attempt.reason
          ? compared(attempt, entry)
          : {
              ...entry,
              note: 'contradiction',
              says:
                attempt.status === entry.kind
                  ? `${entry.kind} for another reason`
                  : `${entry.kind}, but it ended as ${attempt.status}`,
            },
      );
    case 'traffic-shifted':
    case 'phase-advanced':
      if (hasEnded(attempt)) return withEntry(attempt, { ...entry, note: 'late', says: null });
      if (isOvertaken(attempt, entry)) return withEntry(attempt, overtaken(entry));
      return withEntry(
        {
          ...attempt,
          share: entry.canaryShare ?? attempt.share,
          colour: entry.colour ?? attempt.colour,
          phase: entry.phase ?? attempt.phase,
        },
        { ...entry, note: 'applied', says: null },
      );
    case 'planned':
    case 'logged':
    case 'recorded':
    case 'undeployed':
    case 'released':
    case 'support-ended':
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return withEntry(attempt, entry);
  }
};

/** Whether somebody has said the same thing later, by the time that counts: what waited is not the newest word. */
const isOvertaken = ({ entries }: Attempt, entry: Entry): boolean =>
  entries.some(
    (other) =>
      other.note === 'applied' &&
      other.kind === entry.kind &&
      other.at > entry.at &&
      ((entry.canaryShare !== null && other.canaryShare !== null) ||
        (entry.colour !== null && other.colour !== null) ||
        (entry.phase !== null && other.phase !== null)),
  );

const overtaken = (entry: Entry): Entry => ({
  ...entry,
  note: 'late',
  says: 'a later word on it came before',
});

const said = (
  attempt: Attempt,
  entry: Entry,
  change: Pick<Attempt, 'status'> & Partial<Attempt>,
): Attempt =>
  withEntry(
    {
      ...attempt,
      ...change,
      statusReported: entry.statusReported,
      statusPosition: entry.position,
      principal: entry.principal,
      key: entry.key,
    },
    { ...entry, note: 'applied', says: null },
  );

/** The same stage said again: a repeat, or a disagreement over details. */
const compared = (attempt: Attempt, entry: Entry): Entry => {
  const first = attempt.entries.find(
    (other) => other.kind === entry.kind && other.note === 'applied',
  );
  const other = first === undefined ? null : detailsDifference(first.details, entry.details);
  return { ...entry, note: other === null ? 'repeat' : 'disagreement', says: other };
};

const evolvePlaceFact = (
  deployment: Deployment | undefined,
  fact: Fact<PlaceFact>,
  trust: Trust,
  slots: (slot: Slot) => SlotHistory,
  holder: (id: string) => Deployment | undefined,
): Evolution => {
  const { marker, signer } = fact;
  if (!coversSlot(signer, marker.slot)) return outOfScope(fact, marker.slot);
  if (attemptsMet(deployment, speakerOf(fact), marker.slot, trust).length > 0)
    return {
      outcome: 'refused',
      code: 'deployment-taken',
      message: `the deployment ${marker.deployment} is there already`,
    };
  const meant = meantBy(fact, slots(marker.slot));
  if (meant.is === 'refused')
    return { outcome: 'refused', code: meant.code, message: meant.message };
  if (meant.is === 'repeat') {
    const standing = holder(meant.of.deployment);
    const attempt = standing?.attempts.find(({ number }) => number === meant.of.attempt);
    if (standing !== undefined && attempt !== undefined)
      return keep(standing, fact, [attempt], attempt, 'repeat', null);
  }
  const plan = { ...planOf(fact), ...(meant.is === 'leaving' ? artifactOf(meant.what) : {}) };
  // What a removal brings back is nothing, and of releases none is the one before.
  const isComing = marker.kind === 'logged' || marker.kind === 'recorded';
  const opened = openAttempt(deployment, fact, plan, undefined, slots);
  const logged: Attempt = {
    ...opened,
    rollback: isComing ? opened.rollback : marker.rollback,
    status: marker.kind,
    statusReported: marker.kind,
    endedAt: fact.atMs,
    entries: [entryOf(fact, 'applied', null)],
  };
  return put(deployment, fact, logged, 'applied');
};

/** What a place fact comes to by what stands in its slot. */
type Meant =
  | { readonly is: 'news' }
  | { readonly is: 'repeat'; readonly of: Held }
  | { readonly is: 'leaving'; readonly what: Held }
  | { readonly is: 'refused'; readonly code: RefusalCode; readonly message: string };

const meantBy = (
  { marker, atMs }: Fact<PlaceFact>,
  { held, releases, there }: SlotHistory,
): Meant => {
  const { kind, version, digest } = marker;
  const isNamed = (other: Held): boolean =>
    other.version === version && (digest === null || other.digest === digest);
  switch (kind) {
    case 'logged':
    case 'recorded': {
      // Pact's words know the version alone: they contradict no digest.
      const isSame = held?.version === version && (held.digest === digest || isBare(marker));
      return held !== null && !held.uncertain && isSame
        ? { is: 'repeat', of: held }
        : { is: 'news' };
    }
    case 'released': {
      const known = releases.find(isNamed);
      if (known !== undefined) return { is: 'repeat', of: known };
      return releases.length < releasesMax
        ? { is: 'news' }
        : refusedAs(
            'history-full',
            `${slotKey(marker.slot)} has ${releasesMax} releases that are still supported; no more are taken`,
          );
    }
    case 'undeployed': {
      const [first] = there.deployed;
      const meant = gone(version === '' ? there.deployed : there.deployed.filter(isNamed), atMs);
      if (meant === undefined)
        return refusedAs(
          'not-deployed',
          first === undefined
            ? `nothing is deployed in ${slotKey(marker.slot)}`
            : `${version} is not deployed in ${slotKey(marker.slot)}: ${first.version} is`,
        );
      return leaving(meant, atMs, 'not-deployed', 'came');
    }
    case 'support-ended': {
      const meant = gone(there.released.filter(isNamed), atMs);
      return meant === undefined
        ? refusedAs(
            'not-released',
            `${version} is not a supported release in ${slotKey(marker.slot)}`,
          )
        : leaving(meant, atMs, 'not-released', 'was released');
    }
  }
};

/** Of what fits, one that was there when it was taken away: who spoke after that has brought it anew. */
const gone = (fitting: readonly Held[], atMs: number): Held | undefined =>
  fitting.find(({ saidAt }) => saidAt <= atMs) ?? fitting[0];

/** What was said to be there after that stays. */
const leaving = (what: Held, atMs: number, code: RefusalCode, how: string): Meant =>
  what.saidAt > atMs
    ? refusedAs(code, `${what.version} ${how} after that: it stays`)
    : { is: 'leaving', what };

const isBare = ({ kind, digest }: PlaceFact): boolean => kind === 'recorded' && digest === null;

const refusedAs = (code: RefusalCode, message: string): Meant => ({ is: 'refused', code, message });

const artifactOf = ({ version, digest }: Held): Pick<Plan, 'version' | 'digest'> => ({
  version,
  digest,
});

const evolveDecision = (
  deployment: Deployment | undefined,
  fact: Fact<Decided>,
  { keys }: Pick<Trust, 'keys'>,
): Evolution => {
  const { marker, signer } = fact;
  if (!coversSlot(signer, marker.slot)) return outOfScope(fact, marker.slot);
  if (deployment === undefined)
    return {
      outcome: 'refused',
      code: 'deployment-unknown',
      message: `no deployment ${marker.deployment} is known`,
    };
  const attempt = attemptJudged(deployment, marker);
  if (attempt === undefined)
    return {
      outcome: 'refused',
      code: 'decision-misplaced',
      message: `no such attempt of the deployment was planned for ${slotKey(marker.slot)}: version ${marker.fromVersion}, token ${marker.attempt ?? 'none'}`,
    };
  const doubted = attempt.decisions.filter((earlier) => isDoubted(keys, earlier));
  const counting = attempt.decisions.filter(
    (earlier) => earlier.note === 'applied' && !doubted.includes(earlier),
  );
  const conflicts = conflictsOf(withoutConflictsOf(deployment, doubted), attempt);
  const note = decisionNote(attempt, marker, counting, conflicts.length > 0);
  const rollsBack = marker.kind === 'roll-back' && note === 'applied';
  if (attempt.decisions.length >= decisionsMax && !rollsBack)
    return full(`attempt ${attempt.number} has ${decisionsMax} decisions`);
  const renewed = note === 'repeat' ? decisionRenewed(counting, marker) : undefined;
  const decided: Attempt = {
    ...attempt,
    decisions: [
      ...attempt.decisions.map((earlier) =>
        earlier === renewed ? { ...earlier, renewal: renewalOf({ ...fact, marker }) } : earlier,
      ),
      decisionSummary({ ...fact, marker }, note, attempt.decisions),
    ],
  };
  return put(deployment, fact, withEntry(decided, entryOf(fact, note, null)), note);
};

/**
 * The attempt with its token, or, where it has none, the last of what it judged: never just the last of all. One that was
 * said with tokens is meant only where no other one can be.
 */
const attemptJudged = (deployment: Deployment, marker: Decided): Attempt | undefined => {
  const here = deployment.attempts.filter(
    ({ plan }) => plan !== null && sameSlot(plan.slot, marker.slot),
  );
  return (
    judgedAmong(
      here.filter(({ onBehalf }) => onBehalf === null),
      marker,
    ) ?? judgedAmong(here, marker)
  );
};

const judgedAmong = (here: readonly Attempt[], marker: Decided): Attempt | undefined =>
  marker.attempt === null
    ? here.findLast(
        ({ plan }) => plan?.version === marker.fromVersion && plan.digest === marker.fromDigest,
      )
    : attemptOfToken(here, marker.attempt);

/**
 * The first roll-back is final; what stands and is said again is a repeat; a decision on an ended attempt is history; a
 * conflict lets nothing go on. `counting`: the applied ones before it, without those that nobody should believe.
 */
const decisionNote = (
  attempt: Attempt,
  marker: Decided,
  counting: readonly DecisionSummary[],
  isHeld: boolean,
): Note => {
  if (hasEnded(attempt)) return 'late';
  const note = noteBehind(counting, marker);
  const mayBeHeld = marker.kind === 'promote' || marker.kind === 'advance';
  return isHeld && mayBeHeld && note !== 'contradiction' ? 'held' : note;
};

/** What a decision is behind those that count. */
export const noteBehind = (
  counting: readonly DecisionSummary[],
  decision: Pick<Decided, 'kind' | 'analysis' | 'evidenceDigest'>,
): 'applied' | 'repeat' | 'contradiction' => {
  const rolledBack = counting.some(({ kind }) => kind === 'roll-back');
  switch (decision.kind) {
    case 'roll-back':
      return rolledBack ? 'repeat' : 'applied';
    case 'promote':
    case 'advance':
    case 'hold':
      if (rolledBack) return 'contradiction';
      return decisionRenewed(counting, decision) === undefined ? 'applied' : 'repeat';
  }
};

/** Whether the key that signed a decision was found compromised since before it. */
export const isDoubted = (
  keys: Trust['keys'],
  { key, position }: Pick<DecisionSummary, 'key' | 'position'>,
): boolean => (keys.get(key)?.compromised?.since ?? Number.POSITIVE_INFINITY) <= position;

/** A thief who contradicts nobody but itself holds nothing. */
export const withoutConflictsOf = (
  deployment: Deployment,
  doubted: readonly DecisionSummary[],
): Deployment =>
  doubted.length === 0
    ? deployment
    : {
        ...deployment,
        conflicts: deployment.conflicts.filter(
          ({ first }) => !doubted.some(({ position }) => position === first),
        ),
      };

/** The decision that stands and that this one says again: of the same analysis, resting on the same evidence. */
export const decisionRenewed = (
  decisions: readonly DecisionSummary[],
  decision: SameEvidence,
): DecisionSummary | undefined =>
  decisions.find((earlier) => earlier.note === 'applied' && isOfSameEvidence(earlier, decision));

type SameEvidence = Pick<Decided, 'kind' | 'analysis' | 'evidenceDigest'>;

const isOfSameEvidence = (a: SameEvidence, b: SameEvidence): boolean =>
  a.kind === b.kind && a.analysis === b.analysis && a.evidenceDigest === b.evidenceDigest;

/**
 * The metrics that decisions of the same evidence have before it, or none. A repeat that says the same has none of its
 * own: a row is read and written whole with every renewal.
 */
export const metricsBefore = (
  decisions: readonly DecisionSummary[],
  decision: SameEvidence,
): readonly DecidedMetric[] =>
  decisions.find((earlier) => earlier.metrics.length > 0 && isOfSameEvidence(earlier, decision))
    ?.metrics ?? [];

const renewalOf = ({ marker, position, signer, atMs }: Fact<Decided>): Renewal => ({
  position,
  key: signer.id,
  validUntil: atMs + marker.validForMs,
});

/** Conflicts of this attempt's own markers. Those of another attempt, which strangers may have opened, hold not this one. */
export const conflictsOf = ({ conflicts }: Deployment, { entries }: Attempt): readonly Conflict[] =>
  conflicts.filter(({ first }) => entries.some(({ position }) => position === first));

/** The attempt that has the marker at that position in its history. */
export const attemptWith = ({ attempts }: Deployment, position: Position): Attempt | undefined =>
  attempts.find(({ entries }) => entries.some((entry) => entry.position === position));

/** Marks the row of a marker whose id came again, from the same principal, with other content. */
export const markConflict = (deployment: Deployment, conflict: Conflict): Deployment => {
  const attempt = attemptWith(deployment, conflict.first);
  const known = attempt === undefined ? deployment.conflicts : conflictsOf(deployment, attempt);
  return known.length >= conflictsMax ||
    known.some(
      ({ marker, principal, digest }) =>
        marker === conflict.marker &&
        principal === conflict.principal &&
        digest === conflict.digest,
    )
    ? deployment
    : { ...deployment, conflicts: [...deployment.conflicts, conflict] };
};

const attemptOfToken = (attempts: readonly Attempt[], token: string | null): Attempt | undefined =>
  token === null ? undefined : attempts.findLast(({ tokens }) => tokens.includes(token));

const withToken = (attempt: Attempt, token: string | null): Attempt =>
  token === null || attempt.tokens.includes(token)
    ? attempt
    : { ...attempt, tokens: [...attempt.tokens, token] };

const openAttempt = (
  deployment: Deployment | undefined,
  fact: Fact,
  plan: Plan | null,
  rerunOf: Attempt | undefined,
  slots: (slot: Slot) => SlotHistory,
): Attempt => ({
  number: (deployment?.attempts.at(-1)?.number ?? 0) + 1,
  tokens: fact.marker.attempt === null ? [] : [fact.marker.attempt],
  openedAt: fact.position,
  openedAtMs: fact.atMs,
  rerunOf: rerunOf?.number ?? null,
  plan,
  status: 'planned',
  statusReported: null,
  reason: null,
  rollback: plan !== null && isRollback(plan, slots),
  share: plan?.canaryShare ?? null,
  colour: null,
  phase: null,
  startedAt: null,
  endedAt: null,
  statusPosition: fact.position,
  principal: fact.signer.principal,
  key: fact.signer.id,
  onBehalf: onBehalfOf(fact.signer, fact.marker),
  entries: [],
  decisions: [],
});

/** It brings back an earlier version of the slot, or its author says so. */
const isRollback = (plan: Plan, slots: (slot: Slot) => SlotHistory): boolean => {
  if (plan.rollback) return true;
  const { held, past } = slots(plan.slot);
  if (held === null || isVersionOf(plan, held)) return false;
  for (const other of past) if (isVersionOf(plan, other)) return true;
  return false;
};

const isVersionOf = (
  { version, digest }: Plan,
  other: { readonly version: string; readonly digest: string | null },
): boolean =>
  other.version === version &&
  (other.digest === null || digest === null || other.digest === digest);

const planOf = (fact: Fact<Planned | PlaceFact>): Plan => {
  const { marker, signer, position } = fact;
  const canary = marker.kind === 'planned' ? marker : undefined;
  return {
    position,
    slot: slotOf(marker.slot),
    name: canary?.name ?? 'default',
    version: marker.version,
    digest: marker.digest,
    rollback: marker.rollback,
    strategy: canary?.strategy ?? null,
    canaryShare: canary?.canaryShare ?? null,
    details: knownDetails(marker.details),
    principal: signer.principal,
    key: signer.id,
  };
};

const planDifference = (a: Plan, b: Plan): string | null => {
  const fields: readonly (readonly [string, string | number | null, string | number | null])[] = [
    ['slot', slotKey(a.slot), slotKey(b.slot)],
    ['name', a.name, b.name],
    ['version', a.version, b.version],
    ['digest', a.digest, b.digest],
    ['strategy', a.strategy, b.strategy],
    ['canary share', a.canaryShare, b.canaryShare],
  ];
  const differing = fields.filter(([, before, after]) => before !== after);
  return differing.length === 0
    ? null
    : differing
        .map(
          ([name, before, after]) => `${name} ${after ?? 'none'}, planned was ${before ?? 'none'}`,
        )
        .join('; ');
};

/** Names of the details that differ, as a sentence, or null. */
const detailsDifference = (a: KnownDetails, b: KnownDetails): string | null => {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted();
  const differing = names.filter((name) => {
    const field = name as keyof Details;
    return canonicalJson(a[field] ?? null) !== canonicalJson(b[field] ?? null);
  });
  return differing.length === 0 ? null : `other ${differing.join(', ')}`;
};

const slotOf = ({ namespace, environment, component, target }: Slot): Slot => ({
  namespace,
  environment,
  component,
  target,
});

const entryOf = (fact: Fact, note: Note, says: string | null): Entry => {
  const { marker, signer } = fact;
  const update = isUpdate(marker) ? marker : undefined;
  const shift = update?.kind === 'traffic-shifted' ? update : undefined;
  const reason = isUpdate(marker) || isPlaceFact(marker) ? marker.reason : null;
  return {
    position: fact.position,
    marker: marker.marker,
    kind: marker.kind,
    at: fact.atMs,
    appendedAt: fact.appendedAtMs,
    waitedMs: fact.waitedMs,
    occurredAt: marker.occurredAt,
    clockSkewed: isClockSkewed(marker.occurredAt, fact.atMs),
    principal: signer.principal,
    key: signer.id,
    source: marker.source,
    token: marker.attempt,
    valueBytes: fact.valueBytes,
    note,
    says,
    slot: update === undefined || update.slot === null ? null : slotOf(update.slot),
    statusReported: update?.statusReported ?? null,
    reason,
    canaryShare: shift?.canaryShare ?? null,
    colour: shift?.colour ?? null,
    phase: marker.kind === 'phase-advanced' ? marker.phase : null,
    details: 'details' in marker ? knownDetails(marker.details) : {},
  };
};

const decisionSummary = (
  fact: Fact<Decided>,
  note: Note,
  earlier: readonly DecisionSummary[],
): DecisionSummary => {
  const metrics = fact.marker.metrics.map(plainMetric);
  const isKnown =
    note === 'repeat' &&
    canonicalJson(metrics) === canonicalJson(metricsBefore(earlier, fact.marker));
  const { deployment, slot, producer, sequence, attempt, audience, source, ...summary } =
    fact.marker;
  return {
    ...summary,
    canary: { ...summary.canary },
    baseline: { ...summary.baseline },
    strongest: [...summary.strongest],
    metrics: isKnown ? [] : metrics,
    position: fact.position,
    at: fact.atMs,
    principal: fact.signer.principal,
    key: fact.signer.id,
    note,
    renewal: null,
  };
};

const plainMetric = (metric: DecidedMetric): DecidedMetric => ({
  ...metric,
  strongest: [...metric.strongest],
});

const withEntry = (attempt: Attempt, entry: Entry): Attempt => ({
  ...attempt,
  entries: [...attempt.entries, entry],
});

/** Writes the marker into the attempt's history; nothing else changes. */
const keep = (
  deployment: Deployment | undefined,
  fact: Fact,
  met: readonly Attempt[],
  attempt: Attempt,
  note: Note,
  says: string | null,
): Evolution => {
  const problem = fullness(attempt, met, fact);
  return problem === undefined
    ? put(deployment, fact, withEntry(attempt, entryOf(fact, note, says)), note)
    : full(problem);
};

const put = (
  deployment: Deployment | undefined,
  fact: Fact,
  attempt: Attempt,
  note: Note,
  expelled: readonly Expelled[] = [],
): Evolution => {
  const attempts = deployment?.attempts ?? [];
  const isNew = !attempts.some(({ number }) => number === attempt.number);
  return {
    outcome: 'evolved',
    deployment: {
      id: deployment?.id ?? fact.marker.deployment,
      conflicts: deployment?.conflicts ?? [],
      attempts: isNew
        ? [...attempts, attempt]
        : attempts.map((other) => (other.number === attempt.number ? attempt : other)),
    },
    attempt: attempt.number,
    note,
    expelled,
  };
};

/** Why no marker is taken any more that changes no status, or undefined. */
const fullness = (attempt: Attempt, met: readonly Attempt[], fact: Fact): string | undefined => {
  if (attempt.entries.length - attempt.decisions.length >= entriesMax)
    return `attempt ${attempt.number} has ${entriesMax} markers`;
  const bytes = met
    .flatMap(({ entries }) => entries)
    .reduce((sum, { valueBytes }) => sum + valueBytes, fact.valueBytes);
  return bytes > historyBytesMax
    ? `the deployment's history has ${historyBytesMax} bytes`
    : undefined;
};

const outOfScope = (fact: Fact, slot: Slot): Evolution => ({
  outcome: 'refused',
  code: 'out-of-scope',
  message: `the key ${fact.signer.id} of ${fact.signer.principal} may not act on ${slotKey(slot)}`,
});

const speakerOf = ({ signer, marker }: Fact): Speaker => ({
  signer,
  voice: onBehalfOf(signer, marker),
});

/** A token says nothing of what somebody with a key has planned: nothing that is obeyed rests on its word. */
const isPlannedByKey = (deployment: Deployment | undefined, signer: KeyState): boolean =>
  speaksForOthers(signer) &&
  deployment?.attempts.some(({ plan, onBehalf }) => plan !== null && onBehalf === null) === true;

const ofAKey = ({ marker }: Fact): Evolution => ({
  outcome: 'refused',
  code: 'planned-by-key',
  message: `the deployment ${marker.deployment} was planned with a key: nothing that is said of it with a token counts`,
});

const full = (what: string): Evolution => ({
  outcome: 'refused',
  code: 'history-full',
  message: `${what}; no more are taken`,
});
