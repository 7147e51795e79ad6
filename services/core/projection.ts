import type { Checked } from './check/check-batch.ts';
import { checkBatch } from './check/check-batch.ts';
import type { About } from './check/claims.ts';
import { claimsOf } from './check/claims.ts';
import type { CheckProblem, CheckTools } from './check/check-record.ts';
import { checkOpening } from './check/check-record.ts';
import type { CircumstanceRefusal, Rows as CircumstanceRows } from './circumstances.ts';
import { applyCircumstance, circumstanceRefusal } from './circumstances.ts';
import type { DeadLetter, Redriving } from './dead-letters.ts';
import { letterAt, redrivingAfter, withRedrive } from './dead-letters.ts';
import type { Attempt, Deployment, Note } from './deployment.ts';
import type { Expelled, Fact, RefusalCode } from './lifecycle.ts';
import { attemptWith, evolve, markConflict } from './lifecycle.ts';
import type { FoldRows, FoldedRow, KnownRows, RowAddress, RowChange } from './known-rows.ts';
import { address, knownTexts, openFoldRows } from './known-rows.ts';
import type { LogRecord, Position } from './log/record.ts';
import type { Text } from './markers/crypto.ts';
import {
  isCircumstance,
  isOfOperator,
  isOperation,
  isPolicySet,
  isTrustChange,
} from './markers/kinds.ts';
import type {
  Circumstance,
  DeploymentMarker,
  Operation,
  PolicySet,
  Role,
} from './markers/marker.ts';
import { slotKey } from './markers/slot.ts';
import { applyOperation, operationRefusal } from './operation-effects.ts';
import { operationRow } from './operations.ts';
import { policyModel, policyOperationRow, policyRefusal, policyRow } from './policy-records.ts';
import type { Change } from './read-models.ts';
import { evolveProducer, producerKey } from './producers.ts';
import { foldVersion, positionKey, producers, readModels, timeline } from './read-models.ts';
import type { AuthenticItem, NamedRows, RecordRows } from './rows-needed.ts';
import { markerKey, openNamedRows, openNeeds, redrivingOf } from './rows-needed.ts';
import type { RecordFilter } from './record-filter.ts';
import { passesFilter } from './record-filter.ts';
import type { Result } from './result.ts';
import { fail, ok } from './result.ts';
import type { MarkerRow } from './row-forms/marker.ts';
import { isSameContent, markerRowOf } from './row-forms/marker.ts';
import { noRowsDigest, rolledDigest } from './rows-digest.ts';
import { attemptLine, evolveSlot, slotHistory, withLine } from './slot-state.ts';
import { onBehalfOf } from './trust/on-behalf.ts';
import type { KeyState, Seal, Trust } from './trust/trust.ts';
import { openTrust } from './trust/trust.ts';

export { address, markerKey };
export type { LoadedRows, RowAddress, RowChange } from './known-rows.ts';

// The fold: records 0..n in, rows out. Live, rebuild and replay run this one function.

/** What the fold carries from batch to batch beside the rows; it can be read back from the rows. */
export type FoldState = {
  readonly next: Position;
  readonly lastDigest: string;
  readonly trust: Trust;
  /** Running maximum of append times: the log's own time. */
  readonly logTimeMs: number;
  /** Dead letters whose bytes come next, or null. */
  readonly redriving: Redriving | null;
  /** Of all rows; see rows-digest.ts. */
  readonly rowsDigest: string;
};

/** What became of one record. */
export type Outcome =
  | {
      readonly position: Position;
      readonly outcome: 'applied';
      readonly note: Note;
      readonly change: Change;
    }
  | {
      readonly position: Position;
      /** `left-out`: the generation is folded from other records than this one. */
      readonly outcome: 'trust' | 'operation' | 'circumstance' | 'duplicate' | 'left-out';
    }
  | {
      readonly position: Position;
      readonly outcome: 'dead-letter';
      readonly code: DeadLetterCode;
      /** For a conflict that is none that was told before: the deployment whose gate it holds. */
      readonly holds?: string;
    };

export type DeadLetterCode =
  | Extract<Checked, { outcome: 'rejected' }>['code']
  | RefusalCode
  | CircumstanceRefusal['code']
  | 'conflict';

export type Folded = {
  readonly state: FoldState;
  readonly writes: readonly RowChange[];
  /** The rows that were put, as they are now. */
  readonly rows: readonly FoldedRow[];
  readonly outcomes: readonly Outcome[];
};

/** The records checked, with the keys that the log has named so far. The first step; it reads no row. */
export const check = (
  tools: CheckTools,
  audience: string,
  state: FoldState,
  records: readonly LogRecord[],
): readonly Checked[] => checkBatch(tools, audience, state.trust, records).checked;

/**
 * Rows that the fold of these records will look at and that are not known; call it again with what it brought until it
 * asks no more. `redriving` is that of the state before the first record.
 */
export const rowsNeeded = (
  checked: readonly Checked[],
  known: KnownRows,
  redriving: Redriving | null,
): readonly RowAddress[] => {
  const rows = openFoldRows(known);
  return openNeeds(rows, openNamedRows(rows), checked, redriving, false)();
};

/** A fold of one batch, in pieces, so that whoever folds can do something else between them. */
export type Folding = {
  /**
   * Answers at each call which rows the fold of these records will look at that are not known and that were not asked
   * for: to be called again with what they brought until there are none. `presumesNew`: markers of which nothing is
   * known are taken for new. That holds if the writes are committed where none of those marked `isNew` is there.
   */
  readonly needs: (
    checked: readonly Checked[],
    presumesNew?: boolean,
  ) => () => readonly RowAddress[];
  /** Folds the next records. */
  readonly add: (checked: readonly Checked[]) => void;
  /** After the last record: makes the texts of up to so many rows. True when all are made. */
  readonly settle: (rowsMax: number) => boolean;
  /** After that. */
  readonly end: () => Folded;
};

/**
 * Folds checked records over the loaded rows. Pure: the same records give the same rows however they are cut. What a
 * filter does not take changes no row, and is passed by.
 */
export const openFold = (
  tools: CheckTools,
  state: FoldState,
  known: KnownRows,
  filter: RecordFilter | null = null,
): Folding => {
  const rows = openFoldRows(known);
  const named = openNamedRows(rows);
  let { logTimeMs, trust, next, redriving } = state;
  const outcomes: Outcome[] = [];
  let last: LogRecord | undefined;
  let isSettling = false;

  const add = (item: Checked): Outcome => {
    const { record } = item;
    if (record.position !== next)
      throw new RangeError(`record ${next} is to be folded, not ${record.position}`);
    logTimeMs = Math.max(logTimeMs, record.appendedAtMs);
    next = record.position + 1;
    trust = item.trust;
    last = record;
    if (filter !== null && !isTaken(tools, filter, item, rows)) {
      redriving = redrivingAfter(redriving, record.position);
      return { position: record.position, outcome: 'left-out' };
    }
    const outcome = foldOne(tools, rows, named, item, logTimeMs);
    if (redriving !== null) linkRedrive(tools, rows, record, outcome, redriving, logTimeMs);
    redriving =
      redrivingAfter(redriving, record.position) ?? redrivingAnnounced(rows, named, item, outcome);
    return outcome;
  };

  return {
    needs: (checked, presumesNew = false) =>
      openNeeds(rows, named, checked, state.redriving, presumesNew),
    add: (checked) => {
      for (const item of checked) outcomes.push(add(item));
    },
    settle: (rowsMax) => {
      if (!isSettling && last !== undefined) {
        rows.was(rows.cell('log', 'time'), () => timeRow(state.logTimeMs, state.redriving));
        rows.put('log', 'time', timeRow(logTimeMs, redriving));
        if (trust !== state.trust) putTrust(rows, tools.text, state.trust, trust);
      }
      isSettling = true;
      return rows.settle(tools.crypto, rowsMax);
    },
    end: () => {
      const changes = rows.changes();
      return {
        state: {
          next,
          lastDigest: last === undefined ? state.lastDigest : tools.crypto.sha256Hex(last.value),
          trust,
          logTimeMs,
          redriving,
          rowsDigest: rolledDigest(state.rowsDigest, changes.hash),
        },
        writes: changes.writes,
        rows: changes.rows,
        outcomes,
      };
    },
  };
};

/** The whole of `openFold` at once. */
export const fold = (
  tools: CheckTools,
  state: FoldState,
  checked: readonly Checked[],
  known: KnownRows,
  filter: RecordFilter | null = null,
): Folded => {
  const folding = openFold(tools, state, known, filter);
  folding.add(checked);
  folding.settle(Number.POSITIVE_INFINITY);
  return folding.end();
};

const isTaken = (
  { text }: CheckTools,
  filter: RecordFilter,
  item: Checked,
  rows: FoldRows,
): boolean =>
  passesFilter(
    text,
    filter,
    item,
    (deployment) => rows.get('deployment', deployment) !== undefined,
  );

/** Record 0: the state with which everything begins, and the rows it writes. */
export const foldOpening = (
  tools: CheckTools,
  audience: string,
  record: LogRecord,
): Result<Folded, CheckProblem> => {
  if (record.position !== 0)
    return fail({ code: 'log-not-opened', message: 'a fold begins with record 0' });
  const opened = checkOpening(tools, audience, record);
  if (!opened.ok) return opened;
  const digest = tools.crypto.sha256Hex(record.value);
  const trust = openTrust(opened.value, digest);
  const rows = openFoldRows(knownTexts(new Map()));
  putTrust(rows, tools.text, undefined, trust);
  rows.put('log', 'time', timeRow(record.appendedAtMs, null));
  rows.settle(tools.crypto, Number.POSITIVE_INFINITY);
  const changes = rows.changes();
  return ok({
    state: {
      next: 1,
      lastDigest: digest,
      trust,
      logTimeMs: record.appendedAtMs,
      redriving: null,
      rowsDigest: rolledDigest(noRowsDigest, changes.hash),
    },
    writes: changes.writes,
    rows: changes.rows,
    outcomes: [{ position: 0, outcome: 'trust' }],
  });
};

/** The fold's version, kept with each checkpoint. */
export const currentFoldVersion: number = foldVersion;

/** Reads trust and log time back from the rows of the models `trust` and `log`. */
export const readFoldState = (
  text: Text,
  checkpoint: {
    readonly logId: string;
    readonly next: Position;
    readonly lastDigest: string;
    readonly rowsDigest: string;
  },
  trustRows: readonly { readonly key: string; readonly value: string }[],
  time: string | undefined,
): FoldState => {
  const keys = new Map<string, KeyState>();
  const markers = new Map<string, string>();
  let sealed: Seal | null = null;
  for (const { key, value } of trustRows) {
    if (key.startsWith(trustMarkerPrefix)) {
      markers.set(key.slice(trustMarkerPrefix.length), JSON.parse(value) as string);
    } else if (key === sealKey) {
      sealed = JSON.parse(value) as Seal;
    } else {
      const state = readTrustRow(text, value);
      keys.set(state.id, state);
    }
  }
  const { timeMs, redriving } = JSON.parse(time ?? '{"timeMs":0}') as TimeRow;
  return {
    next: checkpoint.next,
    lastDigest: checkpoint.lastDigest,
    rowsDigest: checkpoint.rowsDigest,
    trust: { logId: checkpoint.logId, keys, markers, sealed },
    logTimeMs: timeMs,
    redriving: redriving ?? null,
  };
};

/** What the model `log` keeps of the state. */
type TimeRow = { readonly timeMs: number; readonly redriving?: Redriving };

const timeRow = (timeMs: number, redriving: Redriving | null): TimeRow =>
  redriving === null ? { timeMs } : { timeMs, redriving };

const redrivingAnnounced = (
  rows: FoldRows,
  named: NamedRows,
  item: Checked,
  outcome: Outcome,
): Redriving | null => {
  if (item.outcome !== 'authentic') return null;
  const { position } = item.record;
  switch (outcome.outcome) {
    case 'operation':
      return redrivingOf(item, position, false);
    case 'duplicate': {
      const first = rows.now(named.byRecord(item).marker);
      return redrivingOf(item, first?.position ?? position, true);
    }
    case 'applied':
    case 'circumstance':
    case 'trust':
    case 'dead-letter':
    case 'left-out':
      return null;
  }
};

/** A record that repeats a dead letter's bytes where an operation announced it: each tells of the other. */
const linkRedrive = (
  tools: CheckTools,
  rows: FoldRows,
  record: LogRecord,
  outcome: Outcome,
  redriving: Redriving,
  at: number,
): void => {
  const { position } = record;
  const letter = letterAt(redriving, position);
  const first = letter === undefined ? undefined : rows.get('dead-letter', positionKey(letter));
  if (first === undefined || first.redriveOf !== null || !hasBytesOf(tools, record, first)) return;
  const code = outcome.outcome === 'dead-letter' ? outcome.code : null;
  // Sent twice because nobody knew whether it was stored: it happened once.
  if (!redriving.isRepeat) {
    const redriven = { position, operation: redriving.operation, at, code };
    rows.put('dead-letter', positionKey(first.position), withRedrive(first, redriven));
  }
  const again = code === null ? undefined : rows.get('dead-letter', positionKey(position));
  if (again !== undefined)
    rows.put('dead-letter', positionKey(position), { ...again, redriveOf: first.position });
};

/** An expelled update's letter has no digest: its size and the id that it claims must do. */
const hasBytesOf = (tools: CheckTools, record: LogRecord, letter: DeadLetter): boolean =>
  letter.digest === null
    ? letter.valueBytes === record.value.length &&
      letter.claims.marker === claimsOf(tools.text, record, undefined).marker
    : letter.digest === tools.crypto.sha256Hex(record.value);

const foldOne = (
  tools: CheckTools,
  rows: FoldRows,
  named: NamedRows,
  item: Checked,
  logTimeMs: number,
): Outcome => {
  const { position } = item.record;
  switch (item.outcome) {
    case 'rejected':
      return deadLetter(tools, rows, item, item.code, item.message, null);
    case 'trust-changed':
      return { position, outcome: 'trust' };
    case 'trust-repeated':
      return { position, outcome: 'duplicate' };
    case 'authentic':
      return foldAuthentic(tools, rows, named, item, logTimeMs);
  }
};

const foldAuthentic = (
  tools: CheckTools,
  rows: FoldRows,
  named: NamedRows,
  item: AuthenticItem,
  logTimeMs: number,
): Outcome => {
  const { record, authentic, trust } = item;
  const { signer, digest, waitedMs } = authentic;
  const cells = named.byRecord(item);
  const first = rows.now(cells.marker);
  if (first !== undefined)
    return isSameContent(first, digest)
      ? { position: record.position, outcome: 'duplicate' }
      : conflict(tools, rows, item, first);
  if (isOperation(authentic.marker))
    return foldOperation(tools, rows, cells, item, authentic.marker, logTimeMs);
  if (isPolicySet(authentic.marker))
    return foldPolicySet(tools, rows, cells, item, authentic.marker, logTimeMs);
  if (isCircumstance(authentic.marker))
    return foldCircumstance(tools, rows, cells, item, authentic.marker, logTimeMs);
  const marker = authentic.marker as DeploymentMarker;
  const fact: Fact = {
    marker,
    position: record.position,
    appendedAtMs: record.appendedAtMs,
    waitedMs,
    valueBytes: record.value.length,
    atMs: logTimeMs - waitedMs,
    signer,
  };
  const evolution = evolve(
    cells.deployment && rows.now(cells.deployment),
    fact,
    trust,
    (slot) => slotHistory(rows.now(named.bySlot(slot).slot), onBehalfOf(signer, marker)),
    (deployment) => rows.get('deployment', deployment),
  );
  if (evolution.outcome === 'refused')
    return deadLetter(tools, rows, item, evolution.code, evolution.message, signer.principal);
  const { deployment, note, expelled } = evolution;
  const attempt = deployment.attempts.find(({ number }) => number === evolution.attempt);
  if (attempt === undefined)
    throw new TypeError('an evolution names an attempt that it has not made');
  // A logged marker that repeats what runs there goes to the deployment that holds the slot.
  const cell =
    cells.deployment?.key === deployment.id
      ? cells.deployment
      : rows.cell('deployment', deployment.id);
  const before = rows.now(cell);
  const change: Change = {
    marker,
    principal: signer.principal,
    position: record.position,
    atMs: fact.atMs,
    note,
    deployment,
    deploymentBefore: before,
    before: before?.attempts.find(({ number }) => number === evolution.attempt),
    attempt,
    line: attemptLine(deployment, attempt),
  };
  rows.change(cells.marker, markerRowOf(record.position, digest, attempt.openedAt));
  rows.change(cell, deployment);
  if (attempt.plan !== null) {
    const { slot } = named.bySlot(attempt.plan.slot);
    rows.change(slot, evolveSlot(rows.now(slot), attempt.plan.slot, change));
  }
  for (const model of readModels)
    for (const key of model.keysOf(change)) {
      const at = rows.cell(model.name, key);
      if (model.before !== undefined) rows.was(at, () => model.before?.(change, key));
      rows.change(at, model.evolve(rows.now(at), change, key));
    }
  for (const one of expelled) expel(rows, one, deployment.id, attempt);
  return { position: record.position, outcome: 'applied', note, change };
};

const foldOperation = (
  tools: CheckTools,
  rows: FoldRows,
  { marker }: RecordRows,
  item: AuthenticItem,
  operation: Operation,
  logTimeMs: number,
): Outcome => {
  const { position } = item.record;
  const { signer, digest, waitedMs } = item.authentic;
  const refusal = operationRefusal(operation, signer);
  if (refusal !== undefined)
    return deadLetter(tools, rows, item, 'out-of-scope', refusal, signer.principal);
  const from = { position, at: logTimeMs - waitedMs, logTimeMs, signer, trust: item.trust };
  rows.change(marker, markerRowOf(position, digest, null));
  const effect = applyOperation(rows, operation, from);
  rows.put('operation', positionKey(position), operationRow(operation, from, effect));
  return { position, outcome: 'operation' };
};

const foldPolicySet = (
  tools: CheckTools,
  rows: FoldRows,
  { marker }: RecordRows,
  item: AuthenticItem,
  set: PolicySet,
  logTimeMs: number,
): Outcome => {
  const { position } = item.record;
  const { signer, digest } = item.authentic;
  const refusal = policyRefusal(tools.crypto, set, signer);
  if (refusal !== undefined)
    return deadLetter(tools, rows, item, refusal.code, refusal.message, signer.principal);
  // It counts from when everybody could know of it, however long it is said to have waited.
  const from = { position, at: logTimeMs, signer };
  rows.change(marker, markerRowOf(position, digest, null));
  rows.put(policyModel, positionKey(position), policyRow(set, from));
  rows.put('operation', positionKey(position), policyOperationRow(set, from));
  return { position, outcome: 'operation' };
};

/** Its number is one of its producer's, as those of markers that move deployments are. */
const countProducer = (
  rows: FoldRows,
  { producer, sequence }: Circumstance,
  principal: string,
  { position, at }: { readonly position: Position; readonly at: number },
): void => {
  if (producer === null || sequence === null) return;
  const key = producerKey(principal, producer);
  const said = { principal, producer, sequence, position, atMs: at };
  rows.put(producers.name, key, evolveProducer(rows.get('producer', key), said));
};

const foldCircumstance = (
  tools: CheckTools,
  rows: FoldRows,
  { marker: cell }: RecordRows,
  item: AuthenticItem,
  marker: Circumstance,
  logTimeMs: number,
): Outcome => {
  const { position } = item.record;
  const { signer, digest, waitedMs } = item.authentic;
  const from = { position, at: logTimeMs - waitedMs, waitedMs, signer, trust: item.trust };
  const refusal = circumstanceRefusal(marker, from, rows as CircumstanceRows);
  if (refusal !== undefined)
    return deadLetter(tools, rows, item, refusal.code, refusal.message, signer.principal);
  rows.change(cell, markerRowOf(position, digest, null));
  applyCircumstance(rows as CircumstanceRows, marker, from);
  countProducer(rows, marker, signer.principal, from);
  return { position, outcome: 'circumstance' };
};

const conflict = (
  tools: CheckTools,
  rows: FoldRows,
  item: AuthenticItem,
  first: MarkerRow,
): Outcome => {
  const { record, authentic } = item;
  const deployment = deploymentOf(rows, first);
  const marked =
    deployment &&
    markConflict(deployment, {
      marker: authentic.marker.marker,
      principal: authentic.signer.principal,
      first: first.position,
      position: record.position,
      at: record.appendedAtMs,
      digest: tools.crypto.sha256Hex(record.value),
    });
  const isNews = deployment !== undefined && marked !== undefined && marked !== deployment;
  if (isNews) putConflict(rows, deployment, marked, first.position);
  const message = `the marker id ${authentic.marker.marker} stands at position ${first.position} with other content`;
  const letter = deadLetter(tools, rows, item, 'conflict', message, authentic.signer.principal);
  return isNews ? { ...letter, holds: marked.id } : letter;
};

/** A conflict is no change that read models hear of; the lines of its attempt show it all the same. */
const putConflict = (
  rows: FoldRows,
  before: Deployment,
  deployment: Deployment,
  first: Position,
): void => {
  rows.put('deployment', deployment.id, deployment);
  const attempt = attemptWith(deployment, first);
  if (attempt === undefined) return;
  const line = attemptLine(deployment, attempt);
  const lineKey = positionKey(attempt.openedAt);
  // A conflict changes no attempt.
  rows.was(rows.cell(timeline.name, lineKey), () => attemptLine(before, attempt));
  rows.put(timeline.name, lineKey, line);
  const key = attempt.plan === null ? undefined : slotKey(attempt.plan.slot);
  const state = key === undefined ? undefined : rows.get('slot', key);
  if (key !== undefined && state !== undefined) rows.put('slot', key, withLine(state, line));
};

const deadLetter = (
  tools: CheckTools,
  rows: FoldRows,
  item: Checked,
  code: DeadLetterCode,
  message: string,
  principal: string | null,
): Extract<Outcome, { readonly outcome: 'dead-letter' }> => {
  const { record } = item;
  const letter: DeadLetter<DeadLetterCode> = {
    position: record.position,
    code,
    message,
    appendedAt: record.appendedAtMs,
    valueBytes: record.value.length,
    digest: tools.crypto.sha256Hex(record.value),
    principal,
    claims: claimsOf(tools.text, record, aboutOf(item)),
    ...untouched,
  };
  rows.put('dead-letter', positionKey(record.position), letter);
  return { position: record.position, outcome: 'dead-letter', code };
};

/** No operator did anything with it yet. */
const untouched = { redriven: [], redrives: 0, discarded: null, redriveOf: null } as const;

const aboutOf = (item: Checked): About | undefined => {
  if (item.outcome === 'rejected') return item.unread;
  const { marker } = item.authentic;
  return {
    kind: marker.kind,
    deployment: isTrustChange(marker) || isOfOperator(marker) ? null : marker.deployment,
  };
};

/** An update that was accepted without a plan becomes a dead letter, and its id is free to be judged anew. */
const expel = (
  rows: FoldRows,
  { entry, code }: Expelled,
  deployment: string,
  attempt: Attempt,
): void => {
  const slot = attempt.plan === null ? '' : slotKey(attempt.plan.slot);
  const letter: DeadLetter<DeadLetterCode> = {
    position: entry.position,
    code,
    message:
      code === 'out-of-scope'
        ? `planned for ${slot}, where the key ${entry.key} of ${entry.principal} may not act`
        : `planned later, when the key ${entry.key} of ${entry.principal} was known to be compromised`,
    appendedAt: entry.appendedAt,
    valueBytes: entry.valueBytes,
    digest: null,
    principal: entry.principal,
    claims: {
      type: null,
      marker: entry.marker,
      keyId: entry.key,
      deployment,
      kind: entry.kind,
    },
    ...untouched,
  };
  rows.put('dead-letter', positionKey(entry.position), letter);
  rows.remove('marker', markerKey(entry.marker, entry.principal));
};

/** The deployment of a marker in the index; undefined for an operation. */
const deploymentOf = (rows: FoldRows, { openedAt }: MarkerRow): Deployment | undefined => {
  if (openedAt === null) return undefined;
  const line = rows.get('timeline', positionKey(openedAt));
  return line === undefined ? undefined : rows.get('deployment', line.deployment);
};

const trustMarkerPrefix = 'marker/';
const sealKey = 'seal';

const putTrust = (rows: FoldRows, text: Text, before: Trust | undefined, after: Trust): void => {
  for (const key of after.keys.values()) {
    const known = before?.keys.get(key.id);
    if (known === key) continue;
    if (known !== undefined)
      rows.was(rows.cell('trust', `key/${key.id}`), () => trustRow(text, known));
    rows.put('trust', `key/${key.id}`, trustRow(text, key));
  }
  for (const [identity, digest] of after.markers)
    if (!before?.markers.has(identity))
      rows.put('trust', `${trustMarkerPrefix}${identity}`, digest);
  if (after.sealed !== null && after.sealed !== before?.sealed)
    rows.put('trust', sealKey, after.sealed);
};

const trustRow = (
  text: Text,
  key: KeyState,
): Omit<KeyState, 'publicKey'> & { readonly publicKey: string } => ({
  ...key,
  roles: [...key.roles],
  publicKey: text.encodeBase64(key.publicKey),
});

/** A key as a `trust` row holds it. */
export const readTrustRow = (text: Text, value: string): KeyState => {
  const row = JSON.parse(value) as Omit<KeyState, 'publicKey' | 'roles'> & {
    readonly publicKey: string;
    readonly roles: readonly Role[];
  };
  return { ...row, publicKey: text.decodeBase64(row.publicKey) ?? new Uint8Array() };
};
