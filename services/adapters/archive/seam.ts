import type { CheckTools } from '../../core/check/check-record.ts';
import { batchRecordsDefault } from '../../core/log/batch-size.ts';
import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { ArchiveReader } from '../../ports/archive.ts';
import type { ReadProblem, RecordLog, Subscriber } from '../../ports/record-log.ts';
import { readHeaders } from '../../core/markers/wire.ts';
import { isSameRecord } from '../../core/log/same-record.ts';

/**
 * - `seam-gap`: the log begins after the archive ends: some records are in neither.
 * - `seam-differs`: where both have a record they differ, or the log ends before its archive: another log.
 * - `seam-unproven`: they have no record in common, and nothing on the log names this archive.
 */
export type SeamProblem = {
  readonly code: 'seam-gap' | 'seam-differs' | 'seam-unproven' | ReadProblem['code'];
  readonly message: string;
};

/** Records after the seam in which the operation that tells of the archive is looked for. */
const proofWithinRecords = 1_000;

/**
 * A log that begins at 0 again: what it no longer holds comes from its archive. Appends, and all that the log still
 * holds, are its own. The seam is proven once, here: a record that both have must be the same in everything; where the
 * log begins exactly where the archive ends, the log must hold the operation that names the archive's digest.
 */
export const joinArchive = async (
  tools: CheckTools,
  live: RecordLog,
  archive: ArchiveReader,
): Promise<Result<RecordLog, SeamProblem>> => {
  const proven = await proveSeam(tools, live, archive);
  return proven.ok ? ok(joined(live, archive)) : proven;
};

const proveSeam = async (
  tools: CheckTools,
  live: RecordLog,
  archive: ArchiveReader,
): Promise<Result<void, SeamProblem>> => {
  const range = await live.range(0);
  if (!range.ok) return range;
  const { start, end } = range.value;
  const seam = archive.end;
  if (start > seam)
    return refuse(
      'seam-gap',
      `${live.name} begins at position ${start}, its archive ends at ${seam}: ${start - seam} records are in neither`,
    );
  if (end < seam)
    return refuse(
      'seam-differs',
      `${live.name} ends at ${end}, its archive at ${seam}: the log was shortened, or it is another one`,
    );
  if (start === seam) return proveByOperation(tools, live, archive, start);
  const held = await live.read(0, seam - 1, 1);
  if (!held.ok) return held;
  const kept = await archive.read(seam - 1, 1);
  if (!kept.ok) return kept;
  return isSameRecord(held.value[0], kept.value[0])
    ? ok(undefined)
    : refuse(
        'seam-differs',
        `record ${seam - 1} of ${live.name} is not the one in the archive: it is another log`,
      );
};

const proveByOperation = async (
  tools: CheckTools,
  live: RecordLog,
  archive: ArchiveReader,
  start: Position,
): Promise<Result<void, SeamProblem>> => {
  const records = await live.read(0, start, proofWithinRecords);
  if (!records.ok) return records;
  const digests = new Set(archive.digests.map(({ digest }) => digest));
  return records.value.some((record) => digests.has(archiveNamedBy(tools, record) ?? ''))
    ? ok(undefined)
    : refuse(
        'seam-unproven',
        `${live.name} begins at position ${start}, where its archive ends; no record is in both, and none after it names the archive`,
      );
};

/** The digest that a `log-archived` operation names. Its signature is for the fold, which reads on from here. */
const archiveNamedBy = ({ codec, text }: CheckTools, record: LogRecord): string | undefined => {
  const headers = readHeaders(text, record);
  if (!headers.ok) return undefined;
  const decoded = codec.decode(headers.value.schemaDigest, record.value);
  if (!decoded.ok || decoded.value.schema.shape !== 'operation') return undefined;
  const { kind, digest } = decoded.value.body as {
    readonly kind: unknown;
    readonly digest: unknown;
  };
  return kind === 'log-archived' && typeof digest === 'string' ? digest : undefined;
};

const joined = (live: RecordLog, archive: ArchiveReader): RecordLog => {
  const read: RecordLog['read'] = async (partition, from, recordsMax) => {
    const held = await live.read(partition, from, recordsMax);
    if (held.ok || held.problem.code !== 'before-start') return held;
    const kept = await archive.read(from, recordsMax);
    if (!kept.ok || kept.value.length === recordsMax) return kept;
    const rest = await live.read(
      partition,
      from + kept.value.length,
      recordsMax - kept.value.length,
    );
    return rest.ok ? ok([...kept.value, ...rest.value]) : gapUnless(rest.problem, archive);
  };

  return {
    ...live,
    read,
    range: async (partition) => {
      const range = await live.range(partition);
      return range.ok ? ok({ start: 0, end: range.value.end }) : range;
    },
    subscribe: (group, subscriber) =>
      live.subscribe(group, startedInArchive(live, archive, subscriber)),
  };
};

/** The log forgot more since the seam was proven: an archive run would have to come first. */
const gapUnless = (problem: ReadProblem, archive: ArchiveReader): Result<never, ReadProblem> =>
  problem.code === 'before-start'
    ? fail({
        code: 'before-start',
        message: `${problem.message}; the archive ends at ${archive.end}`,
      })
    : fail(problem);

/** A subscriber that asks for what the log forgot gets it from the archive first, in the same batches. */
const startedInArchive = (
  live: RecordLog,
  archive: ArchiveReader,
  subscriber: Subscriber,
): Subscriber => {
  let lost = 0;
  return {
    ...subscriber,
    startFrom: async (partition, hint) => {
      const losses = lost;
      let next = await subscriber.startFrom(partition, hint);
      while (lost === losses) {
        const range = await live.range(partition);
        // The subscription itself will meet the problem, and tell it.
        if (!range.ok || next >= range.value.start || next >= archive.end) break;
        const records = await archive.read(next, subscriber.batchRecordsMax ?? batchRecordsDefault);
        if (!records.ok) throw new Error(records.problem.message);
        await subscriber.onBatch({ partition, records: records.value, end: range.value.end });
        next += records.value.length;
      }
      return next;
    },
    onLost: (partition) => {
      lost += 1;
      subscriber.onLost?.(partition);
    },
  };
};

const refuse = (code: SeamProblem['code'], message: string): Result<never, SeamProblem> =>
  fail({ code, message });
