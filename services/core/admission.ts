import { policyFor } from './canary/policy/placed-policy.ts';
import type { ClosedName } from './canary/policy/closed-names.ts';
import { closedNameIn } from './canary/policy/closed-names.ts';
import { readDocumentText } from './canary/policy/parse-policy.ts';
import type { Demanded } from './canary/policy/required-fields.ts';
import { lackIn } from './canary/policy/required-fields.ts';
import type { CircumstanceRefusal, Rows as CircumstanceRows } from './circumstances.ts';
import { circumstanceRefusal, endsNothing, isSaidAlready, notedSlotKey } from './circumstances.ts';
import type { Checked } from './check/check-batch.ts';
import type { CheckTools } from './check/check-record.ts';
import type { RefusedCommand, Standing } from './decide.ts';
import { decide, scopeHint } from './decide.ts';
import type { Deployment, Entry } from './deployment.ts';
import type { KnownRows } from './known-rows.ts';
import type { FreezesRow } from './guard.ts';
import { freezesKey, guardModel, placeFreezeOf } from './guard.ts';
import type { Fact, RefusalCode } from './lifecycle.ts';
import { evolve } from './lifecycle.ts';
import type { Position } from './log/record.ts';
import { isCircumstance, isOperation, isPolicySet, isTrustChange } from './markers/kinds.ts';
import type {
  Circumstance,
  Decided,
  DeploymentMarker,
  Marker,
  PlaceFact,
  Planned,
  Slot,
  TrustChange,
  Update,
} from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import { operationRefusal } from './operation-effects.ts';
import type { PolicyRow } from './policy-records.ts';
import { policyRefusal } from './policy-records.ts';
import { positionKey } from './position-key.ts';
import { markerKey } from './rows-needed.ts';
import { stageOf } from './begun-and-ended.ts';
import type { Result } from './result.ts';
import { fail, ok } from './result.ts';
import type { MarkerRow } from './row-forms/marker.ts';
import { isSameContent } from './row-forms/marker.ts';
import type { AttemptLine, SlotState } from './slot-state.ts';
import { slotHistory } from './slot-state.ts';
import { onBehalfOf } from './trust/on-behalf.ts';
import type { Trust } from './trust/trust.ts';

// Whether a signed record may go onto the log, and what becomes of it there, by the read models as they are: the same
// for who stands beside the log and for a gateway. The fold judges again when the record is on the log, and its word
// counts: this saves the log from what nobody would accept, and tells the sender at once.

/** What it would do. */
export type Admission = {
  /** `duplicate`: it is on the log, or another marker there says the same. */
  readonly answer: 'append' | 'duplicate';
  /**
   * The deployment that it belongs to: of a version that is logged again the one that stands. Null where it is about
   * none.
   */
  readonly deployment: string | null;
  readonly attempt: number | null;
  /** Its own id, or that of the marker that said the same before. */
  readonly marker: string;
  /** What is worth knowing about it all the same. */
  readonly code: RemarkCode | null;
  /** Of a duplicate: where the first stands, as far as that is known. */
  readonly position: Position | null;
  readonly warning: string | null;
};

export type RemarkCode =
  | 'repeat'
  | 'unplanned'
  | 'unmatched'
  | 'fields-required'
  | 'name-closed'
  | 'place-frozen'
  | TooLateCode;

type TooLateCode = Extract<
  RefusedCommand['code'],
  | 'deployment-ended'
  | 'planned-differently'
  | 'slot-differs'
  | 'overtaken'
  | 'not-deployed'
  | 'not-released'
>;

export type Rejected = Extract<Checked, { readonly outcome: 'rejected' }>;

/** Why it may not. */
export type AdmissionProblem = {
  readonly code:
    | Rejected['code']
    | RefusedCommand['code']
    | RefusalCode
    | CircumstanceRefusal['code']
    | 'conflict'
    | 'fields-required'
    | 'name-closed'
    | 'place-frozen'
    | 'secret-found';
  readonly message: string;
  readonly hint?: string;
};

/** A record that was proven. */
export type Accepted = Exclude<Checked, Rejected>;

/**
 * What a record that was proven would do, by the rows that `rowsNeeded` names and the policy document that counts now
 * (asked for what plans or logs).
 */
export const admit = (
  { crypto }: Pick<CheckTools, 'crypto'>,
  checked: Accepted,
  rows: KnownRows,
  newest: PolicyRow | undefined,
): Result<Admission, AdmissionProblem> => {
  const { marker, signer, digest } = checked.authentic;
  if (isTrustChange(marker))
    return checked.outcome === 'trust-repeated'
      ? ok({ ...own(marker), answer: 'duplicate', position: trustPosition(checked.trust, marker) })
      : ok(own(marker));
  const first = rowIn(rows, 'marker', markerKey(marker.marker, signer.principal)) as
    | MarkerRow
    | undefined;
  if (first !== undefined)
    return isSameContent(first, digest)
      ? ok({ ...own(marker), ...placeOf(rows, first), answer: 'duplicate' })
      : refuse(
          'conflict',
          `the marker id ${marker.marker} stands at position ${first.position} with other content`,
          'a marker id is used once: emit anew with a new one',
        );
  if (isOperation(marker)) {
    // What an operation comes to is the fold's to say; it moves no deployment.
    const refusal = operationRefusal(marker, signer);
    return refusal === undefined ? ok(own(marker)) : refuse('out-of-scope', refusal, scopeHint);
  }
  if (isPolicySet(marker)) {
    const refusal = policyRefusal(crypto, marker, signer);
    return refusal === undefined ? ok(own(marker)) : refuse(refusal.code, refusal.message);
  }
  if (isCircumstance(marker)) return admitCircumstance(checked, marker, rows, newest);
  const standing = standingIn(rows, checked, marker);
  switch (marker.kind) {
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return admitDecision(factOf(checked, marker), standing);
    case 'planned':
    case 'logged':
    case 'recorded':
    case 'released':
      return admitPlan(
        factOf(checked, marker),
        standing,
        newest,
        rowIn(rows, guardModel, freezesKey) as FreezesRow | undefined,
      );
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'traffic-shifted':
    case 'phase-advanced':
    case 'undeployed':
    case 'support-ended':
      return admitCommand(factOf(checked, marker), standing);
  }
};

/** Whether the policies may require something of it. */
export const isPlanning = ({ kind }: Marker): boolean =>
  kind === 'planned' || kind === 'logged' || kind === 'recorded' || kind === 'released';

/**
 * Whether the policy that counts now is asked for: what names a place may name one that a closed list has not. What was
 * begun before the list was closed may be ended.
 */
export const asksPolicy = (marker: Marker): boolean =>
  isPlanning(marker) ||
  (isCircumstance(marker) && marker.kind !== 'freeze' && stageOf(marker)?.is !== 'end');

/** It is appended, and belongs to what it names. */
const own = (marker: Marker): Admission => ({
  answer: 'append',
  deployment: isTrustChange(marker) ? null : marker.deployment,
  attempt: null,
  marker: marker.marker,
  code: null,
  position: null,
  warning: null,
});

/** As the fold will have it. */
const factOf = <Of extends DeploymentMarker>(
  { record, authentic: { signer, waitedMs } }: Accepted,
  marker: Of,
): Fact<Of> => ({
  marker,
  position: record.position,
  appendedAtMs: record.appendedAtMs,
  waitedMs,
  valueBytes: record.value.length,
  atMs: record.appendedAtMs - waitedMs,
  signer,
});

const standingIn = (
  rows: KnownRows,
  { trust, authentic: { signer } }: Accepted,
  marker: DeploymentMarker,
): Standing => {
  const { deployment } = marker;
  const deploymentIn = (id: string): Deployment | undefined =>
    rowIn(rows, 'deployment', id) as Deployment | undefined;
  return {
    trust,
    deployment: deploymentIn(deployment),
    slots: (slot) =>
      slotHistory(
        rowIn(rows, 'slot', slotKey(slot)) as SlotState | undefined,
        onBehalfOf(signer, marker),
      ),
    holder: deploymentIn,
  };
};

/** What the policy that counts now requires of a plan. What waited has happened: it is stored, and told to lack it. */
const admitPlan = (
  fact: Fact<Planned | PlaceFact>,
  standing: Standing,
  newest: PolicyRow | undefined,
  freezes: FreezesRow | undefined,
): Result<Admission, AdmissionProblem> => {
  const admission = admitCommand(fact, standing);
  if (!admission.ok || admission.value.answer === 'duplicate') return admission;
  const objection = objectionOf(fact.marker, newest) ?? frozenIn(fact.marker, freezes, newest);
  // Of what comes too late something else is to be said.
  if (objection === undefined || admission.value.warning !== null) return admission;
  const { code, message, hint } = objection;
  return fact.waitedMs > 0 || objection.isMild === true
    ? ok({ ...admission.value, code, warning: message })
    : refuse(code, message, hint);
};

type Objection = {
  readonly code: 'fields-required' | 'name-closed' | 'place-frozen';
  readonly message: string;
  readonly hint: string;
  /** It is worth saying, and keeps nothing from the log. */
  readonly isMild?: boolean;
};

/**
 * What the policy has against it. A document that this release cannot read has nothing: a marker is not kept from the
 * log because its reader is old.
 */
const objectionOf = (
  marker: Planned | PlaceFact,
  newest: PolicyRow | undefined,
): Objection | undefined => {
  const document = newest && readDocumentText(newest.document);
  if (newest === undefined || document?.ok !== true) return undefined;
  const closed = closedIn(newest, marker.slot);
  if (closed !== undefined) return { code: 'name-closed', ...closed };
  const { position } = newest;
  const lack = lackIn(document.value, position, demandedOf(marker));
  return lack && { code: 'fields-required', message: lack.message, hint: lack.hint };
};

/** Why a closed list of names does not take the place, or undefined. */
const closedIn = (newest: PolicyRow | undefined, slot: Slot): ClosedName | undefined => {
  const document = newest && readDocumentText(newest.document);
  return newest === undefined || document?.ok !== true
    ? undefined
    : closedNameIn(document.value, newest.position, slot);
};

/** That a person has frozen its place. The policy says whether that keeps a plan away; no fix and nothing that is done. */
const frozenIn = (
  marker: Planned | PlaceFact,
  freezes: FreezesRow | undefined,
  newest: PolicyRow | undefined,
): Objection | undefined => {
  const { slot, rollback, details, kind } = marker;
  const freeze = placeFreezeOf(freezes, slot);
  if (freeze === undefined) return undefined;
  const document = newest && readDocumentText(newest.document);
  const isRefused =
    document?.ok === true &&
    policyFor(document.value, slot.component, slot.environment).placed.policy.frozen === 'refuse';
  const isUrgent = rollback || details.intent === 'fix' || details.intent === 'rollback';
  return {
    code: 'place-frozen',
    message: `${slotKey(slot)} is frozen since position ${freeze.position} by ${freeze.principal}: ${freeze.reason}`,
    hint: `plimsoll freeze lift ${freeze.position} ends it; what must go out all the same says so with --intent=fix`,
    isMild: !isRefused || isUrgent || kind !== 'planned',
  };
};

/** What comes without a plan is done: nobody follows it. */
const demandedOf = (marker: Planned | PlaceFact): Demanded =>
  marker.kind === 'planned' ? marker : { ...marker, kind: 'logged' };

const admitCommand = (
  fact: Fact<Planned | Update | PlaceFact>,
  standing: Standing,
): Result<Admission, AdmissionProblem> => {
  const { marker } = fact;
  const decided = decide(fact, standing);
  if (!decided.ok) {
    const { code, message } = decided.problem;
    // Whoever gave the command is gone, and what happened has happened: the log keeps it, and shows what it is.
    return fact.waitedMs > 0 && isTooLate(code)
      ? ok({ ...own(marker), code, warning: message })
      : decided;
  }
  const { answer, deployment, attempt } = decided.value;
  const admission: Admission = { ...own(marker), deployment, attempt };
  switch (answer) {
    case 'append':
      return ok({ ...admission, code: deployment === marker.deployment ? null : 'repeat' });
    case 'unplanned':
      return ok({
        ...admission,
        code: 'unplanned',
        warning: `no deployment ${deployment} is known: stored as unplanned; its plan completes it`,
      });
    case 'repeat': {
      const said =
        deployment === marker.deployment
          ? saidBefore(standing.deployment, attempt, marker.kind)
          : broughtBy(standing.holder(deployment), attempt);
      return ok({
        ...admission,
        answer: 'duplicate',
        marker: said?.marker ?? marker.marker,
        code: 'repeat',
        position: said?.position ?? null,
      });
    }
  }
};

const isTooLate = (code: RefusedCommand['code']): code is TooLateCode =>
  code === 'deployment-ended' ||
  code === 'planned-differently' ||
  code === 'overtaken' ||
  code === 'slot-differs' ||
  code === 'not-deployed' ||
  code === 'not-released';

/** What is said beside deployments: the same again is not sent, and what ends nothing is kept all the same. */
const admitCircumstance = (
  checked: Accepted,
  marker: Circumstance,
  known: KnownRows,
  newest: PolicyRow | undefined,
): Result<Admission, AdmissionProblem> => {
  const { trust, authentic } = checked;
  const rows: Pick<CircumstanceRows, 'get'> = {
    get: (model, key) => rowIn(known, model, key) as never,
  };
  const voice = onBehalfOf(authentic.signer, marker);
  const refusal = circumstanceRefusal(marker, { signer: authentic.signer, trust }, rows);
  if (refusal !== undefined) return refuse(refusal.code, refusal.message, hints[refusal.code]);
  if (isSaidAlready(rows, marker, voice))
    return ok({ ...own(marker), answer: 'duplicate', code: 'repeat' });
  const closed = asksPolicy(marker) ? closedIn(newest, marker.slot) : undefined;
  if (closed !== undefined)
    return authentic.waitedMs > 0
      ? ok({ ...own(marker), code: 'name-closed', warning: closed.message })
      : refuse('name-closed', closed.message, closed.hint);
  return endsNothing(rows.get('noted', notedSlotKey(marker.slot)), marker, voice)
    ? ok({
        ...own(marker),
        code: 'unmatched',
        warning: `nothing of the name ${JSON.stringify(marker.name)} goes on in ${slotKey(marker.slot)}: it is kept, and ends only what was begun before it and comes later`,
      })
    : ok(own(marker));
};

const hints: { readonly [Code in CircumstanceRefusal['code']]: string } = {
  'out-of-scope': scopeHint,
  'deployment-unknown': 'plimsoll timeline shows ids',
  'labels-full': 'say a label again with another value, or put it on something else',
  'freezes-full':
    'lift what is over: plimsoll decisions lift <position>; plimsoll changes shows them',
};

const admitDecision = (
  fact: Fact<Decided>,
  { deployment, trust, slots, holder }: Standing,
): Result<Admission, AdmissionProblem> => {
  const evolution = evolve(deployment, fact, trust, slots, holder);
  return evolution.outcome === 'refused'
    ? refuse(evolution.code, evolution.message)
    : ok({ ...own(fact.marker), attempt: evolution.attempt });
};

/** Where an accepted change of trust stands, as far as the keys themselves say it. */
const trustPosition = (trust: Trust, change: TrustChange): Position | null => {
  switch (change.kind) {
    case 'key-added':
      return trust.keys.get(change.key.id)?.addedAt ?? null;
    case 'key-retired':
      return trust.keys.get(change.keyId)?.retiredAt ?? null;
    case 'log-opened':
      return 0;
    case 'key-compromised':
      return null;
  }
};

/** Where a marker stands that is on the log, and to what it belongs, where that is still known. */
const placeOf = (
  rows: KnownRows,
  { position, openedAt }: MarkerRow,
): Partial<Pick<Admission, 'deployment' | 'attempt'>> & Pick<Admission, 'position'> => {
  const line =
    openedAt === null
      ? undefined
      : (rowIn(rows, 'timeline', positionKey(openedAt)) as AttemptLine | undefined);
  return line === undefined
    ? { position }
    : { position, deployment: line.deployment, attempt: line.attempt };
};

/** What said the same first. */
const saidBefore = (
  deployment: Deployment | undefined,
  attempt: number,
  kind: Entry['kind'],
): Entry | undefined =>
  deployment?.attempts
    .find(({ number }) => number === attempt)
    ?.entries.find((entry) => entry.kind === kind && entry.note === 'applied');

/** The marker that brought what stands. */
const broughtBy = (holder: Deployment | undefined, attempt: number): Entry | undefined => {
  const standing = holder?.attempts.find(({ number }) => number === attempt);
  return standing?.entries.find(({ position }) => position === standing.statusPosition);
};

const rowIn = (rows: KnownRows, model: string, key: string): unknown => rows.get(model, key)?.row();

const refuse = (
  code: AdmissionProblem['code'],
  message: string,
  hint?: string,
): Result<never, AdmissionProblem> =>
  fail({ code, message, ...(hint === undefined ? {} : { hint }) });
