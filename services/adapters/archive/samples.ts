import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type {
  SampleArchive,
  SampleArchiveProblem,
  SampleRange,
} from '../../ports/sample-archive.ts';
import { buildFile, openFile, readBlock } from './container-file.ts';
import { filesIn, openDisk, readCapped } from './disk.ts';

/** Bytes of one file, which is built in memory. */
const fileBytesMax = 64 * 1024 * 1024;

type KeptFile = SampleRange & { readonly path: string };

/**
 * Keeps ranges of samples as Avro container files, `FOLDER/TOPIC/ANALYSIS.PARTITION.FROM-TO.avro`, beside the archive of
 * the log and in the same form. `topic`: name of the log of samples.
 */
export const openSampleArchive = (archiveFolder: string, topic: string): SampleArchive => {
  const folder = join(archiveFolder, topic);
  const disk = openDisk();

  const filesOf = async (analysis: string): Promise<readonly KeptFile[]> =>
    (await filesIn(folder))
      .flatMap(({ name }) => keptFile(folder, name) ?? [])
      .filter((file) => file.analysis === analysis)
      .toSorted((left, right) => right.to - left.to);

  return {
    keptTo: (analysis) => trying(async () => ok((await filesOf(analysis))[0]?.to)),
    keep: (range, records) =>
      trying(async () => {
        const older = await filesOf(range.analysis);
        if (older.some(({ to }) => to >= range.to)) return ok(undefined);
        const file = buildFile({ logId: '', topic, partition: range.partition });
        for await (const page of records) {
          for (const record of page) file.add(record);
          if (file.bytes() > fileBytesMax)
            return refuse('too-large', `${range.analysis} has more than ${fileBytesMax} bytes`);
        }
        await disk.makeFolder(folder);
        await sweep(folder, disk.remove);
        const named = join(folder, nameOf(range));
        const unnamed = `${named}.${randomUUID()}`;
        await disk.writeSynced(unnamed, file.finish());
        await disk.moveSynced(unnamed, named);
        for (const { path } of older) await disk.remove(path);
        return ok(undefined);
      }),
    read: (analysis) =>
      trying(async () => {
        const [newest] = await filesOf(analysis);
        if (newest === undefined) return ok(undefined);
        const { path, ...range } = newest;
        const bytes = await readCapped(path, fileBytesMax * 2);
        if (bytes === undefined) return refuse('unreachable', `${path} is gone`);
        if (bytes === 'too-large') return refuse('damaged', `${path} is larger than any`);
        const records = recordsIn(bytes, range);
        return records === undefined
          ? refuse('damaged', `${path} is not what was written`)
          : ok({ range, records });
      }),
  };
};

/** Older than any write takes. */
const unfinishedMsMax = 3_600_000;

const unfinishedPattern = /\.avro\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Removes what processes left that were killed before their file had its name. */
const sweep = async (folder: string, remove: (path: string) => Promise<void>): Promise<void> => {
  const before = Date.now() - unfinishedMsMax;
  for (const { name, changedAtMs } of await filesIn(folder))
    if (unfinishedPattern.test(name) && changedAtMs < before) await remove(join(folder, name));
};

const nameOf = ({ analysis, partition, from, to }: SampleRange): string =>
  `${analysis}.${partition}.${from}-${to}.avro`;

const namePattern = /^([0-9a-f-]{36})\.([0-9]{1,6})\.([0-9]{1,16})-([0-9]{1,16})\.avro$/;

/** Undefined: it is none of ours, or one that was never finished. */
const keptFile = (folder: string, name: string): KeptFile | undefined => {
  const [, analysis, partition, from, to] = namePattern.exec(name) ?? [];
  return analysis === undefined
    ? undefined
    : {
        analysis,
        partition: Number(partition),
        from: Number(from),
        to: Number(to),
        path: join(folder, name),
      };
};

/** Undefined: they are not the records of such a range. */
const recordsIn = (
  bytes: Uint8Array,
  { partition, from, to }: SampleRange,
): readonly LogRecord[] | undefined => {
  const file = openFile(bytes);
  if (!file.ok || file.value.origin['plimsoll.partition'] !== String(partition)) return undefined;
  const records: LogRecord[] = [];
  let next: Position = from;
  for (const block of file.value.blocks) {
    const read = readBlock(block);
    if (!read.ok) return undefined;
    for (const record of read.value) {
      if (record.position < next || record.position > to) return undefined;
      next = record.position + 1;
      records.push(record);
    }
  }
  return records;
};

const refuse = (
  code: SampleArchiveProblem['code'],
  message: string,
): Result<never, SampleArchiveProblem> => fail({ code, message });

const trying = async <Value>(
  work: () => Promise<Result<Value, SampleArchiveProblem>>,
): Promise<Result<Value, SampleArchiveProblem>> =>
  work().catch((cause: unknown) => refuse('unreachable', String(cause)));
