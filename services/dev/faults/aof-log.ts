import { randomBytes, randomUUID } from 'node:crypto';
import { openLog } from '../../adapters/foundation/open-log.ts';
import { createMemoryRecordLog } from '../../adapters/memory/record-log.ts';
import { createMemorySigner } from '../../adapters/memory/signer.ts';
import { createIds } from '../../adapters/system/ids.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { LogRecord } from '../../core/log/record.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Random } from '../canary-climates/random.ts';
import { openPipelines } from './pipelines.ts';

const startedAtMs = 1_795_255_200_000;
const betweenRecordsMs = 250;

/** A log in memory that grows by what pipelines say. */
export type GrowingLog = {
  readonly log: RecordLog;
  readonly records: readonly LogRecord[];
  readonly grow: (count: number) => Promise<void>;
};

export const openGrowingLog = async (
  audience: string,
  tools: CheckTools,
  random: Random,
): Promise<GrowingLog> => {
  let passedMs = 0;
  const nowMs = (): number => startedAtMs + passedMs;
  const log = createMemoryRecordLog({ name: `plimsoll.${audience}.log`, partitions: 1, nowMs });
  const ids = createIds({ nowMs, randomBytes: (count) => randomBytes(count) });
  const signer = (name: string): ReturnType<typeof createMemorySigner> =>
    createMemorySigner(name, `${audience} ${name}`);
  const emitter = signer('emitter');
  const opened = await openLog(
    { audience, tools, clock: { nowMs }, ids, newLogId: randomUUID },
    log,
    { admin: signer('admin'), trusted: [{ signer: emitter, roles: ['emitter'] }] },
  );
  if (!opened.ok) throw new Error(`the log was not opened: ${opened.problem.message}`);
  const pipelines = openPipelines({ audience, tools, signer: emitter, ids, nowMs, random });
  const records: LogRecord[] = [];
  const takeUp = async (): Promise<void> => {
    const read = await log.read(0, records.length, Number.MAX_SAFE_INTEGER);
    if (!read.ok) throw new Error(read.problem.message);
    records.push(...read.value);
  };
  await takeUp();
  return {
    log,
    records,
    grow: async (count) => {
      for (let at = 0; at < count; at += 1) {
        const { record } = await pipelines.next();
        const appended = await log.append(0, [record]);
        if (!appended.ok) throw new Error(appended.problem.message);
        passedMs += betweenRecordsMs;
      }
      await takeUp();
    },
  };
};
