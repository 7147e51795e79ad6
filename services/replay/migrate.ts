import type { CheckTools } from '../core/check/check-record.ts';
import { checkBatch } from '../core/check/check-batch.ts';
import type { NewRecord, Position } from '../core/log/record.ts';
import type { Operation, OperationKind } from '../core/markers/marker.ts';
import { parseMarker } from '../core/markers/parse-marker.ts';
import { signMarker } from '../core/markers/wire.ts';
import { operationBody } from '../core/operations.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import { coversEverywhere, coversKind, hasRole, keyProblem } from '../core/trust/trust.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type {
  CopyProblem,
  CopySource,
  CopyTarget,
  FoldedEnd,
  FoldEnd,
  Migrated,
  MigrationStep,
} from '../ports/migrating.ts';
import type { ProjectionProblem } from '../ports/projecting.ts';
import type { ReadProblem } from '../ports/record-log.ts';
import type { Signer } from '../ports/signer.ts';
import type { Copying } from './copy-records.ts';
import { batchesOf, openCopying } from './copy-records.ts';
import { carryLate } from './late-records.ts';

export type MigratePorts = {
  readonly tools: CheckTools;
  readonly audience: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Ids;
  /** What the records of this run name as their source. */
  readonly sourceName: string;
  readonly signer: Signer;
  readonly source: CopySource;
  readonly target: CopyTarget;
  readonly foldSource: FoldEnd;
  readonly foldTarget: FoldEnd;
};

export type MigrateRequest = {
  readonly reason: string;
  readonly onProgress?: (step: MigrationStep, next: Position, end: Position) => void;
};

/**
 * - `target-taken`: the target is a log already, and not the one that this log went on as.
 * - `target-differs`: what was copied so far is not what the old log holds.
 * - `sealed-elsewhere`: the old log was sealed for another target.
 * - `canary-running`: an analysis may be under way, and its evidence does not move.
 * - `models-differ`: folded from both ends the read models are not the same.
 * - `not-sealed`: others appended so fast that the seal never came to lie where it said.
 */
export type MigrateProblem = {
  readonly code:
    | 'target-taken'
    | 'target-differs'
    | 'sealed-elsewhere'
    | 'canary-running'
    | 'models-differ'
    | 'not-sealed'
    | 'key-unknown'
    | 'key-retired'
    | 'key-compromised'
    | 'role-missing'
    | 'kind-not-allowed'
    | 'out-of-scope'
    | 'field-invalid'
    | CopyProblem['code']
    | ReadProblem['code']
    | ProjectionProblem['code'];
  readonly message: string;
};

type Answer<Value> = Promise<Result<Value, MigrateProblem>>;

/** Tries to seal where others append: each that misses is a dead letter `seal-misplaced` on the old log. */
const sealTriesMax = 50;

/** What the steps share: how far this run has copied, and how much that was. */
type Run = MigratePorts & {
  readonly request: MigrateRequest;
  readonly copying: Copying;
  copied: number;
};

/**
 * Moves a log. The order is what keeps everything: copy, fold both ends and compare, seal the old log, copy what came
 * meanwhile, compare again, write on the new one that it goes on there, open it. So at no time both take appends, and
 * nothing that the old log took before its seal is missing on the new one. Each step looks at what is there and does
 * what is left, so a run that was killed anywhere is finished by the next one.
 */
export const migrate = async (ports: MigratePorts, request: MigrateRequest): Answer<Migrated> => {
  const copying = openCopying(ports.source.log, ports.target, (next, end) =>
    request.onProgress?.('copying', next, end),
  );
  const run: Run = { ...ports, request, copying, copied: 0 };
  const known = await findSeal(run, 0);
  if (!known.ok) return known;
  if (run.target.state === 'open') return carryOn(run, known.value);
  const seal = known.value === undefined ? await sealSource(run) : ok(known.value);
  return seal.ok ? finish(run, seal.value) : seal;
};

/**
 * Where the old log was sealed for this very target; undefined while it is open. Only what says of itself that it is a
 * seal is looked at, and then it is checked with the keys that the records before it have named.
 */
const findSeal = async (
  { source, target, foldSource, tools, audience }: Run,
  from: Position,
): Answer<Position | undefined> => {
  const range = await source.log.range(0);
  if (!range.ok) return range;
  for await (const batch of batchesOf(source.log, from, range.value.end)) {
    if (!batch.ok) return batch;
    for (const record of batch.value) {
      if (tools.codec.prefix(record.value)?.kind !== 'log-sealed') continue;
      const before = await foldSource(record.position);
      if (!before.ok) return before;
      const { sealed } = checkBatch(tools, audience, before.value.state.trust, [record]).trust;
      if (sealed === null) continue;
      return sealed.note === target.address
        ? ok(sealed.at)
        : refuse(
            'sealed-elsewhere',
            `${source.address} was sealed at position ${sealed.at}: it went on as ${sealed.note ?? 'another log'}`,
          );
    }
  }
  return ok(undefined);
};

/** Copies up to a position, and makes sure that both ends fold to the same. */
const copyAndCompare = async (run: Run, to: Position): Answer<FoldedEnd> => {
  const copied = await run.copying.upTo(to);
  if (!copied.ok) return copied;
  run.copied += copied.value;
  return compareEnds(run, to);
};

const compareEnds = async (run: Run, to: Position): Answer<FoldedEnd> => {
  const { foldSource, foldTarget, source, target } = run;
  run.request.onProgress?.('folding', 0, to);
  const old = await foldSource(to);
  if (!old.ok) return old;
  const copy = await foldTarget(to);
  if (!copy.ok) return copy;
  return old.value.state.rowsDigest === copy.value.state.rowsDigest
    ? old
    : refuse(
        'models-differ',
        `folded up to position ${to} the read models of ${source.address} and ${target.address} are not the same`,
      );
};

/**
 * Ends the old log, and answers where. The seal says where it lies, so that it counts nowhere else; others may append
 * meanwhile, and then it is said again for a later position.
 */
const sealSource = async (run: Run): Answer<Position> => {
  const { source, target, request } = run;
  for (let tried = 0; tried < sealTriesMax; tried++) {
    const range = await source.log.range(0);
    if (!range.ok) return range;
    const to = range.value.end;
    const same = await copyAndCompare(run, to);
    if (!same.ok) return same;
    const allowed = maySeal(run, same.value);
    if (!allowed.ok) return allowed;
    const said = { to, digest: same.value.state.lastDigest, note: target.address };
    const record = await operation(run, 'log-sealed', said);
    if (!record.ok) return record;
    const appended = await source.log.append(0, [record.value]);
    // Whether an append without an answer was stored is found by looking.
    if (!appended.ok && appended.problem.code !== 'unknown') return fail(appended.problem);
    const seal = await findSeal(run, to);
    if (!seal.ok) return seal;
    if (seal.value === undefined) continue;
    request.onProgress?.('sealed', seal.value, seal.value);
    return ok(seal.value);
  }
  return refuse(
    'not-sealed',
    `others append to ${source.address} all the time: the seal missed its place ${sealTriesMax} times`,
  );
};

/** Asked last before the one step that cannot be taken back. */
const maySeal = (
  { signer }: Run,
  { state: { trust }, canaries }: FoldedEnd,
): Result<void, MigrateProblem> => {
  const allowed = mayOperate(trust, signer);
  if (!allowed.ok || canaries.length === 0) return allowed;
  const some = canaries.slice(0, canariesNamedMax).join(', ');
  const more = canaries.length - canariesNamedMax;
  return refuse(
    'canary-running',
    `a canary runs of ${some}${more > 0 ? ` and ${more} more` : ''}; its samples and telemetry would stay behind`,
  );
};

const canariesNamedMax = 3;

/** The old log is sealed: what is left of it is copied, then the new one is opened. */
const finish = async (run: Run, seal: Position): Answer<Migrated> => {
  const { target, source, clock } = run;
  const same = await copyAndCompare(run, seal);
  if (!same.ok) return same;
  const { state } = same.value;
  const range = await target.range(0);
  if (!range.ok) return range;
  if (range.value.end === seal) {
    const said = { to: seal, digest: state.lastDigest, note: source.address };
    const record = await operation(run, 'log-continued', said);
    if (!record.ok) return record;
    const appendedAtMs = Math.max(state.logTimeMs, clock.nowMs());
    const told = await target.copy([{ ...record.value, position: seal, appendedAtMs }]);
    if (!told.ok) return told;
  }
  const continued = await isContinued(run, state.trust, seal);
  if (!continued.ok) return continued;
  if (!continued.value)
    return refuse(
      'target-differs',
      `record ${seal} of ${target.address} is not what it must be: somebody else wrote to it`,
    );
  return openAndCarry(run, same.value, seal, false);
};

const openAndCarry = async (
  run: Run,
  { state: { trust, rowsDigest } }: FoldedEnd,
  seal: Position,
  already: boolean,
): Answer<Migrated> => {
  const { source, target } = run;
  const opened = await target.open();
  if (!opened.ok) return opened;
  run.request.onProgress?.('opened', seal, seal);
  const carried = await carryLate({ ...run, trust }, source.log, opened.value, seal, (next, end) =>
    run.request.onProgress?.('carrying', next, end),
  );
  if (!carried.ok) return carried;
  return ok({
    log: trust.logId,
    from: source.address,
    to: target.address,
    position: seal,
    rowsDigest,
    copied: run.copied,
    carried: carried.value,
    already,
  });
};

/** Whether an operator has written, where the old log's seal lies, that the log goes on here. */
const isContinued = async (
  { target, tools, audience }: MigratePorts,
  trust: Trust,
  at: Position,
): Answer<boolean> => {
  const read = await target.read(0, at, 1);
  if (!read.ok) return read.problem.code === 'beyond-end' ? ok(false) : read;
  const [checked] = checkBatch(tools, audience, trust, read.value).checked;
  return ok(checked?.outcome === 'authentic' && checked.authentic.marker.kind === 'log-continued');
};

/** The target is a log already. If it is what the old one went on as, only late records are left to be carried. */
const carryOn = async (run: Run, seal: Position | undefined): Answer<Migrated> => {
  const { target } = run;
  const taken = (): Result<never, MigrateProblem> =>
    refuse('target-taken', `${target.address} holds a log already, and not a copy of this one`);
  if (seal === undefined) return taken();
  const range = await target.range(0);
  if (!range.ok) return range;
  if (range.value.end <= seal) return taken();
  const same = await compareEnds(run, seal);
  if (!same.ok) return isOtherLog(same.problem) ? taken() : same;
  const continued = await isContinued(run, same.value.state.trust, seal);
  if (!continued.ok) return continued;
  return continued.value ? openAndCarry(run, same.value, seal, true) : taken();
};

const isOtherLog = ({ code }: MigrateProblem): boolean =>
  code === 'models-differ' || code === 'log-not-opened' || code === 'foreign-log';

const mayOperate = (trust: Trust, { keyId }: Signer): Result<void, MigrateProblem> => {
  const key = trust.keys.get(keyId);
  if (key === undefined)
    return refuse('key-unknown', `the key ${keyId} is not trusted on this log`);
  const ended = keyProblem(key);
  if (ended !== undefined) return fail(ended);
  if (!hasRole(key, 'operator'))
    return refuse('role-missing', `the key ${keyId} has not the role operator`);
  if (!coversKind(key, 'log-sealed') || !coversKind(key, 'log-continued'))
    return refuse('kind-not-allowed', `the key ${keyId} may not sign log-sealed and log-continued`);
  return coversEverywhere(key)
    ? ok(undefined)
    : refuse(
        'out-of-scope',
        `the key ${keyId} may act in some places only, and a seal is about all`,
      );
};

const operation = async (
  { tools, audience, ids, clock, sourceName, signer, request }: Run,
  kind: OperationKind,
  said: { readonly to: Position; readonly digest: string; readonly note: string },
): Answer<NewRecord> => {
  const body = operationBody(
    { kind, reason: request.reason, ...said },
    { marker: ids.uuidV7(), audience, source: sourceName, occurredAt: clock.nowMs() },
  );
  const marker = parseMarker('operation', body);
  if (!marker.ok) return refuse('field-invalid', marker.problem.message);
  return ok(await signMarker(tools.codec, tools.text, marker.value as Operation, signer));
};

const refuse = (code: MigrateProblem['code'], message: string): Result<never, MigrateProblem> =>
  fail({ code, message });
