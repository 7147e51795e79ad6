import type { CheckTools } from '../core/check/check-record.ts';
import { provenWaitMs } from '../core/check/check-record.ts';
import type { LogRecord, NewRecord, Position } from '../core/log/record.ts';
import { waitedMsMax } from '../core/markers/limits.ts';
import { waitedHeader, waitedMessage, withWaited } from '../core/markers/wire.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { Clock } from '../ports/clock.ts';
import type { AppendProblem, ReadProblem, RecordLog } from '../ports/record-log.ts';
import type { Signer } from '../ports/signer.ts';
import { batchesOf } from './copy-records.ts';

export type CarryPorts = {
  readonly tools: CheckTools;
  readonly audience: string;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Signs how long a record waited; a key that the log trusts. */
  readonly signer: Signer;
  /** The keys at the seal: who may say how long a record had waited before it came. */
  readonly trust: Trust;
};

/**
 * Appends to the new log what came to the old one behind its seal, with the time that it waited: whoever sent it was
 * told that it is stored. What is there already is not sent again, and the fold takes each marker once anyway.
 * Answers how many were appended.
 */
export const carryLate = async (
  ports: CarryPorts,
  source: RecordLog,
  log: RecordLog,
  seal: Position,
  onProgress: (next: Position, end: Position) => void,
): Promise<Result<number, AppendProblem | ReadProblem>> => {
  const digestOf = ({ value }: NewRecord): string => ports.tools.crypto.sha256Hex(value);
  const range = await source.range(0);
  if (!range.ok) return range;
  const { end } = range.value;
  const late = new Map<string, LogRecord>();
  for await (const batch of batchesOf(source, seal + 1, end)) {
    if (!batch.ok) return batch;
    for (const record of batch.value) late.set(digestOf(record), record);
  }
  if (late.size === 0) return ok(0);
  const held = await log.range(0);
  if (!held.ok) return held;
  for await (const batch of batchesOf(log, seal + 1, held.value.end)) {
    if (!batch.ok) return batch;
    for (const record of batch.value) late.delete(digestOf(record));
  }
  for (const record of late.values()) {
    onProgress(record.position, end);
    const appended = await appendOnce(log, await waited(ports, record));
    if (!appended.ok) return appended;
  }
  return ok(late.size);
};

const appendTriesMax = 3;

/** Where nobody knows whether it was stored the same bytes go again: they count once. */
const appendOnce = async (
  log: RecordLog,
  record: NewRecord,
): Promise<Result<unknown, AppendProblem>> => {
  for (let tried = 1; ; tried++) {
    const appended = await log.append(0, [record]);
    if (appended.ok || appended.problem.code !== 'unknown' || tried === appendTriesMax)
      return appended;
  }
};

/**
 * The record with the time that it lay on the old log and that it had waited before, signed. A time before that nobody
 * proved is handed on as it is, for the fold to refuse.
 */
const waited = async (
  { tools, audience, clock, signer, trust }: CarryPorts,
  record: LogRecord,
): Promise<NewRecord> => {
  const { key, headers, value, appendedAtMs } = record;
  const before = provenWaitMs(tools, audience, trust, record);
  const lainMs = Math.max(0, clock.nowMs() - appendedAtMs);
  if (before === undefined || lainMs === 0) return { key, headers, value };
  const ms = Math.min(waitedMsMax, before + lainMs);
  const { crypto, text } = tools;
  const message = waitedMessage(text, audience, ms, crypto.sha256Hex(value));
  return withWaited(record, waitedHeader(text, ms, signer.keyId, await signer.sign(message)));
};
