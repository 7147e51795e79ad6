import { join } from 'node:path';
import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Crypto } from '../../core/markers/crypto.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { ArchiveProblem, ArchiveReader } from '../../ports/archive.ts';
import type { ReadProblem } from '../../ports/record-log.ts';
import type { ArchiveFile } from './container-file.ts';
import { openFile, readBlock } from './container-file.ts';
import { readCapped } from './disk.ts';
import type { Entry, Identity } from './manifest.ts';
import { endOf, fileBytesMax, fileName, partitionFolder, readManifest } from './manifest.ts';

type Digest = Crypto['sha256Hex'];

/**
 * Opens the archive of a log. The chain of the manifest is checked here, each file's digest when it is first read; who
 * signed the entries is not asked: the records carry signatures of their own, and who folds them asks for those.
 */
export const openReader = async (
  sha256Hex: Digest,
  folder: string,
  topic: string,
): Promise<Result<ArchiveReader, ArchiveProblem>> => {
  const at = partitionFolder(folder, topic);
  const manifest = await readManifest(sha256Hex, at);
  if (!manifest.ok) return manifest;
  if (manifest.value === undefined || manifest.value.entries.length === 0)
    return fail({ code: 'archive-missing', message: `${folder} holds no archive of ${topic}` });
  const { identity, entries, digests } = manifest.value;
  if (identity.topic !== topic)
    return fail({ code: 'foreign-archive', message: `${at} is the archive of ${identity.topic}` });
  const end = endOf(manifest.value);
  const blocks = openBlocks(sha256Hex, at, identity, entries);

  const read: ArchiveReader['read'] = async (from, recordsMax) => {
    if (from < 0 || from > end)
      return fail({ code: 'beyond-end', message: `${from} is past the archive's end, ${end}` });
    const records: LogRecord[] = [];
    while (records.length < recordsMax && from + records.length < end) {
      const position = from + records.length;
      const block = await blocks(position);
      if (!block.ok)
        return fail<ReadProblem>({ code: 'archive-damaged', message: block.problem.message });
      const begin = position - (block.value[0]?.position ?? position);
      records.push(...block.value.slice(begin, begin + recordsMax - records.length));
    }
    return ok(records);
  };
  return ok({
    topic,
    logId: identity.logId,
    end,
    digests: entries.map(({ last }, index) => ({ to: last + 1, digest: digests[index + 1] ?? '' })),
    read,
  });
};

type OpenEntry = {
  readonly entry: Entry;
  readonly file: ArchiveFile;
  /** The position with which each block begins. */
  readonly starts: readonly Position[];
};

/** The block that holds a position. One file and one block stay open: readers go from front to back. */
const openBlocks = (
  sha256Hex: Digest,
  at: string,
  identity: Identity,
  entries: readonly Entry[],
): ((position: Position) => Promise<Result<readonly LogRecord[], ArchiveProblem>>) => {
  let open: OpenEntry | undefined;
  let kept: readonly LogRecord[] = [];

  return async (position) => {
    const [first] = kept;
    if (
      first !== undefined &&
      position >= first.position &&
      position < first.position + kept.length
    )
      return ok(kept);
    if (open === undefined || position < open.entry.first || position > open.entry.last) {
      const entry = entryOf(entries, position);
      const opened = await openEntry(sha256Hex, at, identity, entry);
      if (!opened.ok) return opened;
      open = opened.value;
    }
    const block = readAt(at, open, position);
    if (block.ok) kept = block.value;
    return block;
  };
};

const entryOf = (entries: readonly Entry[], position: Position): Entry => {
  let low = 0;
  let high = entries.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((entries[middle]?.last ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  const entry = entries[low];
  if (entry === undefined) throw new RangeError(`the archive has no position ${position}`);
  return entry;
};

/** Reads a file whole and proves it: size, digest, origin, count. Its records' positions are proven block by block. */
export const openEntry = async (
  sha256Hex: Digest,
  at: string,
  identity: Identity,
  entry: Entry,
): Promise<Result<OpenEntry, ArchiveProblem>> => {
  const path = join(at, fileName(entry));
  const bytes = await readCapped(path, fileBytesMax);
  if (bytes === undefined) return damaged(path, 'it is not there');
  if (bytes === 'too-large' || bytes.length !== entry.bytes)
    return damaged(path, `it has not the ${entry.bytes} bytes that the manifest says`);
  if (sha256Hex(bytes) !== entry.sha256)
    return damaged(path, 'it is not what was written: its SHA-256 is another');
  const file = openFile(bytes);
  if (!file.ok) return damaged(path, file.problem.message);
  const { origin, blocks } = file.value;
  if (origin['plimsoll.log'] !== identity.logId || origin['plimsoll.topic'] !== identity.topic)
    return damaged(path, 'it is a file of another log');
  const starts: Position[] = [];
  let next = entry.first;
  for (const { count } of blocks) {
    starts.push(next);
    next += count;
  }
  if (next !== entry.last + 1) return damaged(path, `it has not ${entry.records} records`);
  return ok({ entry, file: file.value, starts });
};

const readAt = (
  at: string,
  { entry, file, starts }: OpenEntry,
  position: Position,
): Result<readonly LogRecord[], ArchiveProblem> => {
  const path = join(at, fileName(entry));
  const index = starts.findLastIndex((start) => start <= position);
  const block = file.blocks[index];
  const start = starts[index];
  if (block === undefined || start === undefined)
    throw new RangeError(`${path} has no position ${position}`);
  const records = readBlock(block);
  if (!records.ok) return damaged(path, records.problem.message);
  const misplaced = records.value.findIndex((record, place) => record.position !== start + place);
  return misplaced === -1
    ? records
    : damaged(path, `where position ${start + misplaced} must be, there is another`);
};

/** The records of a file, block by block, in order. */
export const blocksOf = function* (
  at: string,
  opened: OpenEntry,
): Generator<Result<readonly LogRecord[], ArchiveProblem>> {
  for (const start of opened.starts) yield readAt(at, opened, start);
};

const damaged = (path: string, what: string): Result<never, ArchiveProblem> =>
  fail({ code: 'archive-damaged', message: `${path}: ${what}` });
