import type { AdmissionProblem, Accepted, Admission, Rejected } from './admission.ts';
import { admit, asksPolicy, isPlanning } from './admission.ts';
import { checkBatch } from './check/check-batch.ts';
import type { Authentic, CheckTools } from './check/check-record.ts';
import type { KnownRows, LoadedRows, RowAddress } from './known-rows.ts';
import { createRowMemory } from './known-rows.ts';
import { freezesKey, guardModel } from './guard.ts';
import type { LogRecord, NewRecord, Position } from './log/record.ts';
import type { Receipt } from './markers/http-wire.ts';
import type { PolicyRow } from './policy-records.ts';
import { rowsNeeded } from './projection.ts';
import type { Result } from './result.ts';
import { fail, ok } from './result.ts';
import { secretHint, secretsInBody } from './secrets/screen-body.ts';
import type { Trust } from './trust/trust.ts';

// A signed record before the log: proven, the rows read that the rules look at, and the rules asked.

/** The log as it is: its keys, and the position and the time that the record would have. */
export type Door = {
  readonly tools: CheckTools;
  readonly audience: string;
  readonly trust: Trust;
  readonly next: Position;
  readonly nowMs: number;
};

/** Where the rules read, each answer of one state. */
export type AdmissionReads<Problem> = {
  readonly rows: (keys: readonly RowAddress[]) => Promise<Result<LoadedRows, Problem>>;
  readonly newestPolicy: () => Promise<Result<PolicyRow | undefined, Problem>>;
};

export type Admitted = Admission & { readonly authentic: Authentic };

/**
 * Proves the record (never more than its bytes and headers are believed), then asks the rules what it would do. The
 * outer result fails where something could not be read, the inner one where the record is refused.
 */
export const admitRecord = async <Problem>(
  door: Door,
  reads: AdmissionReads<Problem>,
  record: NewRecord,
): Promise<Result<Result<Admitted, AdmissionProblem>, Problem>> => {
  const placed: LogRecord = { ...record, position: door.next, appendedAtMs: door.nowMs };
  const checked = checkBatch(door.tools, door.audience, door.trust, [placed]).checked[0];
  if (checked === undefined) throw new TypeError('a check answers every record');
  if (checked.outcome === 'rejected') {
    const { code, message } = checked;
    const hint = keyHints[code];
    return ok(fail({ code, message, ...(hint === undefined ? {} : { hint }) }));
  }
  const rows = await loadRows(reads, checked);
  if (!rows.ok) return rows;
  const newest = asksPolicy(checked.authentic.marker) ? await reads.newestPolicy() : ok(undefined);
  if (!newest.ok) return newest;
  const admission = admit(door.tools, checked, rows.value, newest.value);
  if (!admission.ok) return ok(admission);
  // What is on the log already is not made better by refusing to say so.
  const secret = admission.value.answer === 'append' ? secretRefused(checked) : undefined;
  return ok(secret ?? ok({ ...admission.value, authentic: checked.authentic }));
};

/** The log is kept for ever and shown to many: whoever signs is to look first, and here it is looked again. */
const secretRefused = ({
  authentic: { marker },
}: Accepted): Result<never, AdmissionProblem> | undefined => {
  const [secret] = secretsInBody(marker);
  return secret === undefined
    ? undefined
    : fail({
        code: 'secret-found',
        message: `${secret.path} holds what looks like a secret (${secret.kind})`,
        hint: `${secretHint(secret)}nothing was written; take it out and sign anew (plimsoll: --redact). If it was shown in a log, change it`,
      });
};

/** What its sender is told; a record that was just appended has another position than its first. */
export const receiptOf = (
  { authentic: { marker }, ...admission }: Admitted,
  delivery: Receipt['delivery'],
  position: Position | null,
): Receipt => ({
  deployment: admission.deployment,
  attempt: admission.attempt,
  marker: admission.marker,
  kind: marker.kind,
  delivery,
  code: admission.code,
  position,
});

const anotherKeyHint = 'use another key: --key FILE or PLIMSOLL_KEY';
const newKeyHint = 'make another key (plimsoll keys new) and have it trusted';

const keyHints: { readonly [Code in Rejected['code']]?: string } = {
  'key-unknown': 'an administrator can add it: plimsoll keys trust <public key file>',
  'key-retired': newKeyHint,
  'key-compromised': newKeyHint,
  'role-missing': anotherKeyHint,
  'kind-not-allowed': anotherKeyHint,
};

/** What the fold of a plan does not look at, and its admission does. */
const freezesRow: RowAddress = { model: guardModel, key: freezesKey };

/** Asks for rows until the rules need no more, as the projector does. */
const loadRows = async <Problem>(
  reads: AdmissionReads<Problem>,
  checked: Accepted,
): Promise<Result<KnownRows, Problem>> => {
  const known = createRowMemory(Number.POSITIVE_INFINITY);
  const beside = isPlanning(checked.authentic.marker) ? [freezesRow] : [];
  for (let round = 0; ; round++) {
    const wanted = [...rowsNeeded([checked], known, null), ...(round === 0 ? beside : [])];
    if (wanted.length === 0) return ok(known);
    const read = await reads.rows(wanted);
    if (!read.ok) return read;
    known.learn(wanted, read.value);
  }
};
