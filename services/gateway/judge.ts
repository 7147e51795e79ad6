import { lackOf } from '../core/canary/policy/required-fields.ts';
import type { Authentic } from '../core/check/check-record.ts';
import type { Checked } from '../core/check/check-batch.ts';
import { checkBatch } from '../core/check/check-batch.ts';
import { decide } from '../core/decide.ts';
import type { Standing } from '../core/decide.ts';
import type { Attempt, Deployment } from '../core/deployment.ts';
import { evolve } from '../core/lifecycle.ts';
import type { LogRecord, NewRecord, Position } from '../core/log/record.ts';
import type {
  Decided,
  DeploymentMarker,
  Logged,
  Operation,
  Planned,
  PolicySet,
  Slot,
  TrustChange,
  Update,
} from '../core/markers/marker.ts';
import { isOperation, isPolicySet, isTrustChange } from '../core/markers/kinds.ts';
import { slotKey } from '../core/markers/slot.ts';
import { operationRefusal } from '../core/operation-effects.ts';
import type { KnownRows } from '../core/known-rows.ts';
import { createRowMemory } from '../core/known-rows.ts';
import { markerKey, rowsNeeded } from '../core/projection.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import { policyModel, policyRefusal } from '../core/policy-records.ts';
import { positionKey } from '../core/read-models.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { MarkerRow } from '../core/row-forms/marker.ts';
import { isSameContent } from '../core/row-forms/marker.ts';
import { readRow } from '../core/row-text.ts';
import { goesOnAt } from '../core/sealed-log.ts';
import type { AttemptLine, SlotState } from '../core/slot-state.ts';
import { slotHistory } from '../core/slot-state.ts';
import type { KeyState, Trust } from '../core/trust/trust.ts';
import { coversSlot } from '../core/trust/trust.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import type { ReadSide } from './read-side.ts';
import { positionOf } from './read-side.ts';

/**
 * What the gateway makes of a signed marker, by the read models as they are. The fold judges again when the record
 * is on the log, and its word counts: this one saves the log from what nobody would accept.
 */
export type Verdict = Judged & {
  readonly authentic: Authentic;
  /** The last position that the read models held when they were asked. */
  readonly heldUpTo: Position;
};

type Judged = {
  readonly attempt: number | null;
  /** `code` says what is worth knowing about it all the same. */
  readonly code: string | null;
  readonly warning: string | null;
} & (
  | { readonly answer: 'append' }
  /** It is on the log, or another marker there says the same. */
  | { readonly answer: 'duplicate'; readonly position: Position | null }
);

type JudgePorts = Pick<GatewayPorts, 'tools' | 'audience' | 'clock'> & { readonly reads: ReadSide };

/** Proves the record (never more than its bytes and headers are believed), then asks the rules what it would do. */
export const judge = async (
  ports: JudgePorts,
  record: NewRecord,
): Promise<Result<Verdict, Problem>> => {
  const keys = await ports.reads.trust();
  if (!keys.ok) return keys;
  const { trust, asOf } = keys.value;
  const nowMs = ports.clock.nowMs();
  // As if it were appended now: position and time decide nothing here.
  const placed: LogRecord = { ...record, position: asOf.checkpoint.next, appendedAtMs: nowMs };
  const checked = checkBatch(ports.tools, ports.audience, trust, [placed]).checked[0];
  if (checked === undefined) throw new TypeError('a check answers every record');
  if (checked.outcome === 'rejected')
    return refuse(checked.code, checked.message, sealedHint(trust, checked.code));
  const judged = await judgeChecked(ports, trust, checked);
  return judged.ok
    ? ok({ ...judged.value, authentic: checked.authentic, heldUpTo: positionOf(asOf) })
    : judged;
};

/** Whoever is refused by a log that was sealed is told where it went on, and what whoever runs this gateway has to do. */
const sealedHint = ({ sealed }: Trust, code: string): string | undefined =>
  code === 'log-sealed' && sealed !== null
    ? `send it to a gateway of the log that this one went on as; this gateway: ${goesOnAt(sealed.note)}, and start it again`
    : undefined;

type Accepted = Exclude<Checked, { readonly outcome: 'rejected' }>;

const judgeChecked = async (
  { reads, tools }: JudgePorts,
  trust: Trust,
  checked: Accepted,
): Promise<Result<Judged, Problem>> => {
  const { marker } = checked.authentic;
  const known = { attempt: null, code: null, warning: null };
  if (!isTrustChange(marker)) {
    const rows = await loadRows(reads, checked);
    if (!rows.ok) return rows;
    const judged = judgeMarker(tools, checked.authentic, marker, trust, rows.value, checked.record);
    const isNew = judged.ok && judged.value.answer === 'append' && judged.value.code === null;
    return isNew ? judgeRequired(reads, marker, checked.authentic, judged.value) : judged;
  }
  return checked.outcome === 'trust-repeated'
    ? ok({ ...known, answer: 'duplicate', position: trustPosition(trust, marker) })
    : ok({ ...known, answer: 'append' });
};

/** What the policy that counts now requires of a plan. What waited has happened: it is stored, and told to lack it. */
const judgeRequired = async (
  reads: ReadSide,
  marker: DeploymentMarker | Operation | PolicySet,
  { waitedMs }: Authentic,
  judged: Judged,
): Promise<Result<Judged, Problem>> => {
  if (marker.kind !== 'planned' && marker.kind !== 'logged') return ok(judged);
  const newest = await reads.page(policyModel, { newestFirst: true, rowsMax: 1 });
  if (!newest.ok) return newest;
  const [row] = newest.value.rows;
  const lack = lackOf(row && readRow<PolicyRow>(policyModel, row.value), marker);
  if (lack === undefined) return ok(judged);
  return waitedMs > 0
    ? ok({ ...judged, code: 'fields-required', warning: lack.message })
    : refuse('fields-required', lack.message, lack.hint);
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

/** Asks for rows until the rules need no more, as the projector does. */
const loadRows = async (
  reads: ReadSide,
  checked: Accepted,
): Promise<Result<KnownRows, Problem>> => {
  const known = createRowMemory(Number.POSITIVE_INFINITY);
  for (;;) {
    const wanted = rowsNeeded([checked], known, null);
    if (wanted.length === 0) return ok(known);
    const read = await reads.rows(wanted);
    if (!read.ok) return read;
    known.learn(wanted, read.value.rows);
  }
};

const judgeMarker = (
  { crypto }: Pick<JudgePorts['tools'], 'crypto'>,
  authentic: Authentic,
  marker: DeploymentMarker | Operation | PolicySet,
  trust: Trust,
  rows: KnownRows,
  record: LogRecord,
): Result<Judged, Problem> => {
  const { signer, digest } = authentic;
  const known = { code: null, warning: null };
  const first = rowIn(rows, 'marker', markerKey(marker.marker, signer.principal)) as
    | MarkerRow
    | undefined;
  if (first !== undefined) {
    if (!isSameContent(first, digest))
      return refuse(
        'conflict',
        `the marker id ${marker.marker} stands at position ${first.position} with other content`,
        'a marker id is used once: emit anew with a new one',
      );
    const attempt = attemptOf(rows, first);
    return ok({ ...known, answer: 'duplicate', position: first.position, attempt });
  }
  // What an operation comes to is the fold's to say; it moves no deployment.
  if (isOperation(marker)) {
    const refusal = operationRefusal(marker, signer);
    return refusal === undefined
      ? ok({ ...known, answer: 'append', attempt: null })
      : refuse('out-of-scope', refusal);
  }
  if (isPolicySet(marker)) {
    const refusal = policyRefusal(crypto, marker, signer);
    return refusal === undefined
      ? ok({ ...known, answer: 'append', attempt: null })
      : refuse(refusal.code, refusal.message);
  }
  const standing: Standing = {
    trust,
    deployment: deploymentIn(rows, marker.deployment),
    slots: (slot) => slotHistory(slotIn(rows, slot)),
    holder: (deployment) => deploymentIn(rows, deployment),
    next: record.position,
  };
  switch (marker.kind) {
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return judgeDecision(authentic, marker, standing, record);
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'traffic-shifted':
      if (standing.deployment === undefined) return judgeUnplanned(authentic, marker);
      return judgeCommand(authentic, marker, standing, record.appendedAtMs);
    case 'planned':
    case 'logged':
      return judgeCommand(authentic, marker, standing, record.appendedAtMs);
  }
};

const judgeCommand = (
  authentic: Authentic,
  marker: Planned | Update | Logged,
  standing: Standing,
  nowMs: number,
): Result<Judged, Problem> => {
  const decided = decide(marker, authentic.signer.id, standing, nowMs);
  const known = { code: null, warning: null };
  if (!decided.ok) {
    const { code, message } = decided.problem;
    // Whoever gave the command is gone, and what happened has happened: the log keeps it, and shows what it is.
    return authentic.waitedMs > 0 && isTooLate(code)
      ? ok({ ...known, answer: 'append', attempt: null, code, warning: message })
      : decided;
  }
  const { answer, attempt } = decided.value;
  switch (answer) {
    case 'append':
      return ok({ ...known, answer, attempt });
    case 'repeat': {
      const position = positionOfSame(standing.deployment, attempt, marker);
      return ok({ ...known, answer: 'duplicate', attempt, code: 'repeat', position });
    }
  }
};

const isTooLate = (code: string): boolean =>
  code === 'deployment-ended' || code === 'planned-differently' || code === 'slot-differs';

/** An update of a deployment that nobody planned yet: stored, and it moves nothing until its plan comes. */
const judgeUnplanned = (authentic: Authentic, marker: Update): Result<Judged, Problem> => {
  if (marker.slot !== null && !coversSlot(authentic.signer, marker.slot))
    return refuse('out-of-scope', scopeMessage(authentic.signer, slotKey(marker.slot)));
  return ok({
    answer: 'append',
    attempt: 1,
    code: 'unplanned',
    warning: `no deployment ${marker.deployment} is known: stored as unplanned; its plan completes it`,
  });
};

const judgeDecision = (
  authentic: Authentic,
  marker: Decided,
  standing: Standing,
  record: LogRecord,
): Result<Judged, Problem> => {
  const fact = {
    marker,
    position: record.position,
    appendedAtMs: record.appendedAtMs,
    waitedMs: 0,
    valueBytes: record.value.length,
    atMs: record.appendedAtMs,
    signer: authentic.signer,
  };
  const evolution = evolve(
    standing.deployment,
    fact,
    standing.trust,
    standing.slots,
    standing.holder,
  );
  return evolution.outcome === 'refused'
    ? fail({ code: evolution.code, message: evolution.message })
    : ok({ answer: 'append', attempt: evolution.attempt, code: null, warning: null });
};

const scopeMessage = (signer: KeyState, slot: string): string =>
  `the key ${signer.id} of ${signer.principal} may not act on ${slot}`;

const rowIn = (rows: KnownRows, model: string, key: string): unknown => rows.get(model, key)?.row();

const deploymentIn = (rows: KnownRows, id: string): Deployment | undefined =>
  rowIn(rows, 'deployment', id) as Deployment | undefined;

const slotIn = (rows: KnownRows, slot: Slot): SlotState | undefined =>
  rowIn(rows, 'slot', slotKey(slot)) as SlotState | undefined;

/** The number of the attempt that has the marker in its history. */
const attemptOf = (rows: KnownRows, { openedAt }: MarkerRow): number | null => {
  if (openedAt === null) return null;
  const line = rowIn(rows, 'timeline', positionKey(openedAt)) as AttemptLine | undefined;
  return line?.attempt ?? null;
};

/** Where the same was said first. */
const positionOfSame = (
  deployment: Deployment | undefined,
  number: number,
  marker: Planned | Update | Logged,
): Position | null => {
  const attempt: Attempt | undefined = deployment?.attempts.find((one) => one.number === number);
  return (
    attempt?.entries.find(({ kind, note }) => kind === marker.kind && note === 'applied')
      ?.position ?? null
  );
};
