import type { CheckTools } from '../../core/check/check-record.ts';
import { checkOpening } from '../../core/check/check-record.ts';
import { checkBatch } from '../../core/check/check-batch.ts';
import type { NewRecord } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { openTrust } from '../../core/trust/trust.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { AppendProblem, ReadProblem, RecordLog } from '../../ports/record-log.ts';
import type { Signer } from '../../ports/signer.ts';
import type { FirstKeys } from './opening.ts';
import { firstKeyRecords, openingRecord } from './opening.ts';

/** An opening that was not completed is looked for in so many first records: later it would be in the way. */
export const openingRecordsMax = 50;

export type InstallationKeys = { readonly admin: Signer; readonly trusted: FirstKeys };

/**
 * Gives an empty log its opening. Of several who try only the one that got position 0 counts, and the others leave a
 * dead letter each. Then the administrator of record 0 makes the first keys trusted; if it stops in between, the next
 * one that has its key does. Answers whether the log was opened here.
 */
export const openLog = async (
  installation: {
    readonly audience: string;
    readonly tools: CheckTools;
    readonly clock: Pick<Clock, 'nowMs'>;
    readonly ids: Ids;
    readonly newLogId: () => string;
  },
  log: RecordLog,
  keys: InstallationKeys,
): Promise<Result<{ readonly isFirst: boolean }, AppendProblem | ReadProblem>> => {
  const { audience, tools, clock, ids } = installation;
  let isFirst = false;
  const range = await log.range(0);
  if (!range.ok) return range;
  if (range.value.end === 0) {
    const record = await openingRecord(tools, {
      audience,
      logId: installation.newLogId(),
      nowMs: clock.nowMs(),
      ids,
      admin: keys.admin,
    });
    const appended = await log.append(0, [record]);
    if (!appended.ok) return appended;
    isFirst = appended.value[0]?.position === 0;
  }
  const records = await missingKeys(audience, tools, log, keys);
  if (!records.ok) return records;
  if (records.value.length === 0) return ok({ isFirst });
  const completed = await log.append(0, records.value);
  return completed.ok ? ok({ isFirst }) : completed;
};

/** What the opening of a log still lacks; nothing where it is not ours, or long complete. */
const missingKeys = async (
  audience: string,
  tools: CheckTools,
  log: RecordLog,
  { admin, trusted }: InstallationKeys,
): Promise<Result<readonly NewRecord[], ReadProblem>> => {
  const read = await log.read(0, 0, openingRecordsMax);
  if (!read.ok) return read;
  const [first, ...rest] = read.value;
  if (first === undefined || read.value.length === openingRecordsMax) return ok([]);
  const opened = checkOpening(tools, audience, first);
  if (!opened.ok || opened.value.key.id !== admin.keyId) return ok([]);
  const before = openTrust(opened.value, tools.crypto.sha256Hex(first.value));
  const { trust } = checkBatch(tools, audience, before, rest);
  const missing = trusted.filter(({ signer }) => !trust.keys.has(signer.keyId));
  return ok(await firstKeyRecords(tools, opened.value, admin, missing));
};
