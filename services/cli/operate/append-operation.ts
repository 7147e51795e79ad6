import type { NewRecord, Position } from '../../core/log/record.ts';
import type { Operation, OperationKind, PolicySet } from '../../core/markers/marker.ts';
import { signMarker } from '../../core/markers/wire.ts';
import { operationRefusal } from '../../core/operation-effects.ts';
import type { OperationDraft } from '../../core/operations.ts';
import { operationBody } from '../../core/operations.ts';
import { policyScopeRefusal } from '../../core/policy-records.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { KeyState, Trust } from '../../core/trust/trust.ts';
import { coversKind, hasRole, keyProblem } from '../../core/trust/trust.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Signer } from '../../ports/signer.ts';
import { appendAll } from '../release/deliver.ts';
import { toMarker } from '../release/marker-fields.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { refuseSealed } from './sealed.ts';

// Every operation leaves a signed record on the log: who, why, what.

type Ports = Pick<CliPorts, 'settings' | 'host' | 'clock' | 'ids' | 'tools' | 'keys'>;

export type AppendedOperation = {
  readonly kind: OperationKind | PolicySet['kind'];
  readonly marker: string;
  readonly principal: string;
  readonly key: string;
  readonly position: Position;
  /** Where the records stand that were appended right behind it, in their order. */
  readonly behind: readonly Position[];
};

/** The key that signs operations: the file that `--key` names (null: keys/admin.json of the data folder). */
export const readOperator = async (
  { keys }: Pick<CliPorts, 'keys'>,
  keyFile: string | null,
): Promise<Result<Signer, CliProblem>> => {
  const signer = await keys.read(keyFile ?? keys.pathOf('admin'));
  return signer.ok
    ? signer
    : refuse(signer.problem.code, signer.problem.message, signer.problem.hint);
};

/**
 * The operation as its marker, or what is wrong with it in the words of the command line: to be asked before
 * anything is opened or done.
 */
export const draftOperation = (
  { settings, host, clock, ids }: Pick<Ports, 'settings' | 'host' | 'clock' | 'ids'>,
  draft: OperationDraft,
): Result<Operation, CliProblem> => {
  const marker = toMarker(
    draft.kind,
    operationBody(draft, {
      marker: ids.uuidV7(),
      audience: settings.audience,
      source: `plimsoll/${host}`,
      occurredAt: clock.nowMs(),
    }),
    '--reason',
  );
  return marker.ok ? ok(marker.value as Operation) : marker;
};

/** What the log will ask of the signer, asked before anything is done. Answers the key as the log knows it. */
export const mayOperate = (
  trust: Trust,
  signer: Pick<Signer, 'keyId'>,
  operation: Operation | PolicySet,
): Result<KeyState, CliProblem> => refuseSealed(trust) ?? maySign(trust, signer, operation);

/** The same of a log that takes nothing more, where the operation itself stays untold. */
export const maySign = (
  trust: Trust,
  { keyId }: Pick<Signer, 'keyId'>,
  operation: Operation | PolicySet,
): Result<KeyState, CliProblem> => {
  const key = trust.keys.get(keyId);
  const hint = "use an operator's key: --key FILE; plimsoll keys list shows roles";
  if (key === undefined)
    return refuse('key-unknown', `the key ${keyId} is not trusted on this log`, hint);
  const ended = keyProblem(key);
  if (ended !== undefined) return refuse(ended.code, ended.message, hint);
  if (!hasRole(key, 'operator'))
    return refuse('role-missing', `the key ${keyId} has not the role operator`, hint);
  if (!coversKind(key, operation.kind))
    return refuse('kind-not-allowed', `the key ${keyId} may not sign ${operation.kind}`, hint);
  const refusal =
    operation.kind === 'policy-set' ? policyScopeRefusal(key) : operationRefusal(operation, key);
  return refusal === undefined
    ? ok(key)
    : refuse('out-of-scope', refusal, 'use a key for everything: --key FILE');
};

/**
 * Signs the operation and appends it, with the records that belong right behind it, in one append. Where nobody
 * knows whether it was stored the same bytes are sent again: they count once. `keyFile` is what `--key` named. Without `trust`
 * nobody knows the keys yet, and the fold alone judges.
 */
export const appendOperation = async (
  ports: Ports,
  { log, trust }: { readonly log: RecordLog; readonly trust: Trust | undefined },
  draft: OperationDraft,
  keyFile: string | null,
  behind: readonly NewRecord[] = [],
): Promise<Result<AppendedOperation, CliProblem>> => {
  const operation = draftOperation(ports, draft);
  return operation.ok
    ? appendOfOperator(ports, { log, trust }, operation.value, keyFile, behind)
    : operation;
};

/** The same of what is drafted already. */
export const appendOfOperator = async (
  ports: Ports,
  { log, trust }: { readonly log: RecordLog; readonly trust: Trust | undefined },
  said: Operation | PolicySet,
  keyFile: string | null,
  behind: readonly NewRecord[] = [],
): Promise<Result<AppendedOperation, CliProblem>> => {
  const signer = await readOperator(ports, keyFile);
  if (!signer.ok) return signer;
  const allowed = trust === undefined ? ok(undefined) : mayOperate(trust, signer.value, said);
  if (!allowed.ok) return allowed;
  const { codec, text } = ports.tools;
  const record = await signMarker(codec, text, said, signer.value);
  const positions = await appendAll(log, [record, ...behind]);
  if (!positions.ok) return positions;
  const [position = 0, ...others] = positions.value;
  return ok({
    kind: said.kind,
    marker: said.marker,
    principal: signer.value.principal,
    key: signer.value.keyId,
    position,
    behind: others,
  });
};
