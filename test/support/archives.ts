import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { MemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { Disk } from '../../services/adapters/archive/disk.ts';
import { openDisk } from '../../services/adapters/archive/disk.ts';
import { writeArchive } from '../../services/adapters/archive/write.ts';
import type { WritePorts } from '../../services/adapters/archive/write.ts';
import { verifyArchive } from '../../services/adapters/archive/verify.ts';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';
import type { Result } from '../../services/core/result.ts';
import type {
  Archived,
  ArchiveProblem,
  ArchiveRequest,
  Verified,
  VerifyRequest,
} from '../../services/ports/archive.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { keyOf, openedAtMs, tools } from './given.ts';
import { audience, logId } from './markers.ts';
import { value } from './records.ts';

// A log in memory, and what a test does with its archive.

export const topic = 'plimsoll.local.log';

/** The records on a log of their own, each a second after the one before. */
export const logOf = async (records: readonly NewRecord[]): Promise<MemoryRecordLog> => {
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: topic, partitions: 1, nowMs: () => nowMs });
  for (const record of records) {
    value(await log.append(0, [record]));
    nowMs += 1000;
  }
  return log;
};

export const allOf = async (log: Pick<RecordLog, 'read'>): Promise<readonly LogRecord[]> =>
  value(await log.read(0, 0, 1_000_000));

export const archive = (
  folder: string,
  log: RecordLog,
  over: Partial<ArchiveRequest> & Partial<WritePorts> = {},
): Promise<Result<Archived, ArchiveProblem>> =>
  writeArchive(
    { tools, audience, nowMs: Date.now, ...over },
    { folder, log, logId, signer: keyOf('ops'), isTrace: () => false, ...over },
  );

export const verify = (
  folder: string,
  over: Partial<VerifyRequest> = {},
): Promise<Result<Verified, ArchiveProblem>> =>
  verifyArchive(
    { tools, audience },
    { folder, topic, pinnedLogId: null, signatures: false, ...over },
  );

/** What a disk throws in place of the step at which the process was killed. */
export class Killed extends Error {}

/**
 * A disk whose process is killed at the step of that number: before the step, with a written file half there, or
 * right after it. Nothing that comes later reaches the disk.
 */
export const killedAt = (
  step: number,
  when: 'before' | 'half-way' | 'after',
): { readonly disk: Disk; readonly steps: () => number } => {
  const real = openDisk();
  let steps = 0;
  const at =
    <Args extends readonly unknown[]>(
      work: (...args: Args) => Promise<void>,
      half?: (...args: Args) => Promise<void>,
    ) =>
    async (...args: Args): Promise<void> => {
      steps += 1;
      if (steps > step) throw new Killed();
      if (steps < step) return work(...args);
      if (when === 'after') await work(...args);
      if (when === 'half-way') await half?.(...args);
      throw new Killed();
    };
  return {
    steps: () => steps,
    disk: {
      makeFolder: at(real.makeFolder),
      writeSynced: at(real.writeSynced, (path, bytes) =>
        real.writeSynced(path, bytes.subarray(0, Math.floor(bytes.length / 2))),
      ),
      moveSynced: at(real.moveSynced),
      remove: at(real.remove),
    },
  };
};
