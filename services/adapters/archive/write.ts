import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { CheckTools } from '../../core/check/check-record.ts';
import { checkOpening } from '../../core/check/check-record.ts';
import type { LogRecord, Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Archived, ArchiveProblem, ArchiveRequest } from '../../ports/archive.ts';
import type { ReadProblem } from '../../ports/record-log.ts';
import { buildFile } from './container-file.ts';
import type { Disk } from './disk.ts';
import { codeOf } from '../system/error-code.ts';
import { filesIn, openDisk } from './disk.ts';
import type { Manifest } from './manifest.ts';
import {
  digestOf,
  endOf,
  fileName,
  manifestBytes,
  manifestPath,
  newManifest,
  partitionFolder,
  readManifest,
  withFile,
} from './manifest.ts';
import { openReader } from './reader.ts';
import { isSameRecord } from '../../core/log/same-record.ts';
import { folderFault } from '../system/make-folders.ts';

/** A file is closed when it has so many records or bytes, whichever comes first. */
const fileRecordsMax = 50_000;
const fileBytesFull = 16_000_000;
const readRecordsMax = 500;
/** Records of earlier runs that are looked at before a run says that nothing is new. */
const tracesMax = 100;
/** A file without an entry that was not touched for so long belongs to a run that is gone. */
const abandonedAfterMs = 3_600_000;

export type WritePorts = {
  readonly tools: CheckTools;
  readonly audience: string;
  readonly nowMs: () => number;
  /** For tests: the steps on the disk, and where files are cut. */
  readonly disk?: Disk;
  readonly fileRecordsMax?: number;
};

/**
 * Adds to an archive what the log holds behind it, up to the end that the log has now. A file is on disk before the
 * manifest names it, and the manifest is replaced whole; whatever happens in between, the next run finds an archive
 * that is as it was, or one file further, and goes on from there.
 */
export const writeArchive = async (
  ports: WritePorts,
  request: ArchiveRequest,
): Promise<Result<Archived, ArchiveProblem>> => {
  try {
    return await write(ports, request);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const fault = folderFault(code);
    return fault === undefined
      ? refuse('refused', `${request.folder} takes nothing: ${code}`)
      : refuse('folder-invalid', `${request.folder} cannot hold an archive: ${fault} (${code})`);
  }
};

const write = async (
  ports: WritePorts,
  request: ArchiveRequest,
): Promise<Result<Archived, ArchiveProblem>> => {
  const { log, folder } = request;
  const disk = ports.disk ?? openDisk();
  const at = partitionFolder(folder, log.name);
  const found = await findManifest(ports, request, at);
  if (!found.ok) return found;
  const before = found.value;
  const from = endOf(before);
  const range = await log.range(0);
  if (!range.ok) return logFailed(range.problem);
  const { start, end } = range.value;
  const fits = await fitsTogether(ports, request, before, start, end);
  if (!fits.ok) return fits;
  const isNew = await isAnythingNew(request, from, end);
  if (!isNew.ok) return isNew;
  if (!isNew.value) return ok(archived(before, before));
  await disk.makeFolder(at);
  await removeAbandoned(ports, disk, at, before);
  let manifest = before;
  while (endOf(manifest) < end) {
    if (request.isWanted?.() === false)
      return refuse('stopped', `stopped at position ${endOf(manifest)}; what is written stays`);
    request.onProgress?.({ next: endOf(manifest), end });
    const next = await writeFile(ports, request, disk, at, manifest, end);
    if (!next.ok) return next;
    manifest = next.value;
  }
  request.onProgress?.({ next: end, end });
  return ok(archived(manifest, before));
};

const archived = (manifest: Manifest, before: Manifest): Archived => {
  const added = manifest.entries.slice(before.entries.length);
  return {
    log: manifest.identity.logId,
    topic: manifest.identity.topic,
    to: endOf(manifest),
    digest: digestOf(manifest),
    added: {
      from: endOf(before),
      records: endOf(manifest) - endOf(before),
      files: added.length,
      bytes: added.reduce((sum, { bytes }) => sum + bytes, 0),
    },
  };
};

/** The manifest that is there, or that of an archive which begins now. */
const findManifest = async (
  { tools, audience }: WritePorts,
  { log, logId }: ArchiveRequest,
  at: string,
): Promise<Result<Manifest, ArchiveProblem>> => {
  const { sha256Hex } = tools.crypto;
  const identity = { audience, logId, topic: log.name, partition: 0 };
  const manifest = await readManifest(sha256Hex, at);
  if (!manifest.ok) return manifest;
  if (manifest.value === undefined) return ok(newManifest(sha256Hex, identity));
  const { identity: known } = manifest.value;
  if (known.logId !== logId || known.audience !== audience || known.topic !== log.name)
    return refuse(
      'foreign-archive',
      `${at} holds the archive of the log ${known.logId} of ${known.audience}; this is the log ${logId} of ${audience}`,
    );
  return ok(manifest.value);
};

/** Whether the log goes on where the archive ends: nothing between them, nothing cut off, and the same last record. */
const fitsTogether = async (
  { tools, audience }: WritePorts,
  { log, logId, folder }: ArchiveRequest,
  manifest: Manifest,
  start: Position,
  end: Position,
): Promise<Result<void, ArchiveProblem>> => {
  const next = endOf(manifest);
  if (next > end)
    return refuse(
      'archive-ahead',
      `${log.name} ends at ${end}, its archive at ${next}: the log was shortened, or is another one`,
    );
  if (next < start)
    return refuse(
      'archive-gap',
      next === 0
        ? `${log.name} holds nothing before position ${start} any more, and an archive begins at 0`
        : `${log.name} holds nothing before position ${start} any more; the archive ends at ${next}, so ${start - next} records are in neither`,
    );
  if (next === 0) {
    const first = await log.read(0, 0, 1);
    if (!first.ok) return logFailed(first.problem);
    if (first.value[0] === undefined)
      return refuse('archive-gap', `${log.name} has no record 0 yet`);
    const opened = checkOpening(tools, audience, first.value[0]);
    return opened.ok && opened.value.log === logId
      ? ok(undefined)
      : refuse('foreign-archive', `record 0 of ${log.name} does not open the log ${logId}`);
  }
  if (next === start) return ok(undefined);
  const live = await log.read(0, next - 1, 1);
  if (!live.ok) return logFailed(live.problem);
  const reader = await openReader(tools.crypto.sha256Hex, folder, log.name);
  if (!reader.ok) return reader;
  const last = await reader.value.read(next - 1, 1);
  if (!last.ok) return refuse('archive-damaged', last.problem.message);
  return isSameRecord(live.value[0], last.value[0])
    ? ok(undefined)
    : refuse(
        'foreign-archive',
        `record ${next - 1} of ${log.name} is not the one that was archived: it is another log`,
      );
};

/** The records that earlier runs left on the log are no reason for another run. */
const isAnythingNew = async (
  { log, isTrace }: ArchiveRequest,
  from: Position,
  end: Position,
): Promise<Result<boolean, ArchiveProblem>> => {
  if (from === end) return ok(false);
  if (from === 0 || end - from > tracesMax) return ok(true);
  const rest = await log.read(0, from, end - from);
  return rest.ok ? ok(!rest.value.every(isTrace)) : logFailed(rest.problem);
};

/**
 * What runs that were killed left behind: temporary files, and files that the manifest does not name and whose records
 * it has, or will have in a moment. Only old ones: another run may be about to name a new one.
 */
const removeAbandoned = async (
  { nowMs }: WritePorts,
  disk: Disk,
  at: string,
  manifest: Manifest,
): Promise<void> => {
  const end = endOf(manifest);
  const named = new Set(manifest.entries.map(fileName));
  for (const { name, changedAtMs } of await filesIn(at)) {
    if (named.has(name) || nowMs() - changedAtMs <= abandonedAfterMs) continue;
    const [first, last] = positionsIn(name) ?? [];
    const isReplaced = first === end || (last !== undefined && last < end);
    if (isReplaced || name.endsWith('.tmp')) await disk.remove(join(at, name));
  }
};

/** The positions that a file's name says. */
const positionsIn = (name: string): readonly [first: Position, last: Position] | undefined => {
  const found = /^([0-9]{12})-([0-9]{12})\.avro$/.exec(name);
  return found === null ? undefined : [Number(found[1]), Number(found[2])];
};

const writeFile = async (
  ports: WritePorts,
  { log, signer }: ArchiveRequest,
  disk: Disk,
  at: string,
  manifest: Manifest,
  end: Position,
): Promise<Result<Manifest, ArchiveProblem>> => {
  const { tools } = ports;
  const { sha256Hex } = tools.crypto;
  const first = endOf(manifest);
  const builder = buildFile(manifest.identity);
  const recordsMax = Math.min(ports.fileRecordsMax ?? fileRecordsMax, end - first);
  while (builder.records() < recordsMax && builder.bytes() < fileBytesFull) {
    const wanted = Math.min(readRecordsMax, recordsMax - builder.records());
    const records = await log.read(0, first + builder.records(), wanted);
    if (!records.ok) return logFailed(records.problem);
    if (records.value.length === 0)
      return refuse('archive-ahead', `${log.name} ends before ${end}: it was shortened meanwhile`);
    for (const record of records.value) builder.add(inOrder(record, first + builder.records()));
  }
  const last = first + builder.records() - 1;
  const bytes = builder.finish();
  const path = join(at, fileName({ first, last }));
  // If we stop here, or before the manifest names the file, the next run writes it again.
  await putInPlace(disk, path, bytes);
  const changed = await readManifest(sha256Hex, at);
  if (!changed.ok) return changed;
  if (changed.value !== undefined && digestOf(changed.value) !== digestOf(manifest))
    return refuse('archive-busy', `another run wrote to ${at} meanwhile`);
  const next = await withFile({ sha256Hex, text: tools.text, signer }, manifest, {
    first,
    last,
    records: builder.records(),
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
  });
  await putInPlace(disk, manifestPath(at), manifestBytes(next));
  return ok(next);
};

const inOrder = (record: LogRecord, position: Position): LogRecord => {
  if (record.position !== position)
    throw new RangeError(`the log answered ${record.position}, asked for ${position}`);
  return record;
};

/** At `path` stands what was there before, or the new file whole, also after a power failure. */
const putInPlace = async (disk: Disk, path: string, bytes: Uint8Array): Promise<void> => {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await disk.writeSynced(temporary, bytes);
  await disk.moveSynced(temporary, path);
};

const logFailed = ({ code, message }: ReadProblem): Result<never, ArchiveProblem> => {
  switch (code) {
    case 'corrupt':
    case 'archive-damaged':
    case 'unreachable':
      return fail({ code, message });
    case 'closed':
      return fail({ code: 'unreachable', message });
    case 'before-start':
      return fail({ code: 'archive-gap', message });
    case 'beyond-end':
      return fail({ code: 'archive-ahead', message });
  }
};

const refuse = (code: ArchiveProblem['code'], message: string): Result<never, ArchiveProblem> =>
  fail({ code, message });
