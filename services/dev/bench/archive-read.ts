import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc from 'avsc';
import { archiveSchema } from '../../adapters/archive/container-file.ts';
import { fileName, partitionFolder } from '../../adapters/archive/manifest.ts';
import { openReader } from '../../adapters/archive/reader.ts';
import { writeArchive } from '../../adapters/archive/write.ts';
import { openTools } from '../../adapters/foundation/basis.ts';
import { createMemoryRecordLog } from '../../adapters/memory/record-log.ts';
import { createMemorySigner } from '../../adapters/memory/signer.ts';
import { openingRecord } from '../../adapters/foundation/opening.ts';
import type { LogRecord } from '../../core/log/record.ts';
import { signMarker } from '../../core/markers/wire.ts';
import type { ArchiveReader } from '../../ports/archive.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Bench } from './bench.ts';
import { deploymentMarkers, markersPerDeployment } from './markers.ts';

const audience = 'bench';
const topic = 'plimsoll.bench.log';
const records = 12_000;
const recordsPerRead = 500;
const nowMs = 1_795_000_000_000;
const tools = openTools();

const bare = 'bare decode loop (avsc, from memory)';
const ours = 'our reader, from the file';
const stream = 'avsc stream (BlockDecoder), from the file';
const writing = 'write, synced and signed';

type Open = {
  readonly folder: string;
  readonly log: RecordLog;
  readonly logId: string;
  readonly encoded: readonly Buffer[];
};
let open: Open | undefined;
const opened = (): Open => {
  if (open === undefined) throw new Error('the bench is not open');
  return open;
};

const type = avsc.Type.forSchema(JSON.parse(archiveSchema) as avsc.Schema);

/**
 * Reading an archive back, against a loop that only decodes the same records from memory: no file, no digest, nothing
 * to unpack. Ours reads, proves (SHA-256 of the file, every position), unpacks and decodes. Operations are records.
 */
export const archiveRead: Bench = {
  name: 'archive',
  unit: 'record',
  alternatives: [
    { name: bare, run: () => decodeAll(opened()) },
    { name: ours, run: () => readAll(opened()) },
    { name: stream, run: () => streamAll(opened()) },
    { name: writing, run: () => writeAll(opened()) },
  ],
  // Below the line stands the slower one: the ratio is the share of the bare rate that is left.
  ratios: [
    { name: 'archive: rate of our reader / rate of a bare decode loop', of: bare, over: ours },
    { name: "archive: rate of avsc's stream / rate of a bare decode loop", of: bare, over: stream },
    { name: "archive: CPU of avsc's stream / CPU of our reader", of: stream, over: ours },
  ],
  open: async () => {
    const { log, logId } = await makeLog();
    const folder = await mkdtemp(join(tmpdir(), 'plimsoll-bench-'));
    open = { folder, log, logId, encoded: [] };
    await writeAll(open, folder);
    const all = await log.read(0, 0, records);
    open = { ...open, encoded: all.ok ? all.value.map(encode) : [] };
  },
  close: async () => {
    if (open !== undefined) await rm(open.folder, { recursive: true, force: true });
    open = undefined;
  },
};

const makeLog = async (): Promise<{ readonly log: RecordLog; readonly logId: string }> => {
  const signer = createMemorySigner('bench', 'bench');
  const log = createMemoryRecordLog({ name: topic, partitions: 1, nowMs: () => nowMs });
  const logId = randomUUID();
  const opening = { audience, logId, nowMs, ids: { uuidV7: randomUUID }, admin: signer };
  await log.append(0, [await openingRecord(tools, opening)]);
  for (let index = 0; index * markersPerDeployment + 1 < records; index++) {
    const markers = deploymentMarkers({ audience, index, uuid: randomUUID, atMs: nowMs });
    for (const marker of markers)
      await log.append(0, [await signMarker(tools.codec, tools.text, marker, signer)]);
  }
  return { log, logId };
};

const encode = ({ position, appendedAtMs, key, headers, value }: LogRecord): Buffer =>
  type.toBuffer({
    position,
    appendedAt: appendedAtMs,
    key: Buffer.from(key),
    headers: headers.map((header) => ({ name: header.name, value: Buffer.from(header.value) })),
    value: Buffer.from(value),
  });

const decodeAll = ({ encoded }: Open): number => {
  let bytes = 0;
  for (const one of encoded) bytes += (type.fromBuffer(one) as { value: Buffer }).value.length;
  return bytes > 0 ? encoded.length : 0;
};

const readAll = async ({ folder }: Open): Promise<number> => {
  const reader = await openReader(tools.crypto.sha256Hex, folder, topic);
  if (!reader.ok) throw new Error(reader.problem.message);
  return readThrough(reader.value);
};

const readThrough = async (reader: ArchiveReader): Promise<number> => {
  let next = 0;
  while (next < reader.end) {
    const read = await reader.read(next, recordsPerRead);
    if (!read.ok) throw new Error(read.problem.message);
    next += read.value.length;
  }
  return next;
};

const streamAll = ({ folder }: Open): Promise<number> =>
  new Promise((done, failed) => {
    let count = 0;
    const name = fileName({ first: 0, last: records });
    avsc
      .createFileDecoder(join(partitionFolder(folder, topic), name))
      .on('data', () => void (count += 1))
      .on('error', failed)
      .on('end', () => done(count));
  });

const writeAll = async ({ log, logId }: Open, into?: string): Promise<number> => {
  const folder = into ?? (await mkdtemp(join(tmpdir(), 'plimsoll-bench-')));
  const signer = createMemorySigner('bench', 'bench');
  const written = await writeArchive(
    { tools, audience, nowMs: () => nowMs },
    { folder, log, logId, signer, isTrace: () => false },
  );
  if (!written.ok) throw new Error(written.problem.message);
  if (into === undefined) await rm(folder, { recursive: true, force: true });
  return written.value.to;
};
