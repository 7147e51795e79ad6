import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Header, LogRecord } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { ByteCursor, ByteFault, longBytes } from './bytes.ts';

/**
 * Records as an Avro object container file (Avro 1.12, "Object Container Files"), so that any Avro reader opens it.
 * The codec is deflate: with `null` the only one that every implementation must have. zstandard would be a twentieth
 * smaller and faster to read, and some readers of today, avsc among them, cannot open it without more code.
 * The file is built and read here and not by avsc, whose block streams cost several times the CPU.
 */
export const archiveSchema: string = JSON.stringify({
  type: 'record',
  name: 'ArchivedRecord',
  namespace: 'plimsoll',
  doc: 'One record of a log as it lay there: the value is the bare Avro body that was signed, and a header names its schema.',
  fields: [
    { name: 'position', type: 'long' },
    { name: 'appendedAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'key', type: 'bytes' },
    {
      name: 'headers',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'ArchivedHeader',
          fields: [
            { name: 'name', type: 'string' },
            { name: 'value', type: 'bytes' },
          ],
        },
      },
    },
    { name: 'value', type: 'bytes' },
  ],
});

const magic: Buffer = Buffer.from([0x4f, 0x62, 0x6a, 0x01]);
const syncBytes = 16;
/** A block is closed when it holds so much before compression: about what one read of a disk brings. */
const blockBytes = 64 * 1024;
/** The most that a block may unpack into: a full one, and one more record of the largest size that a log takes. */
const blockBytesMax = 4 * 1024 * 1024;
const metadataEntriesMax = 32;

/** What a file is part of, in its metadata: a file that went astray can still be told. */
export type FileOrigin = {
  readonly logId: string;
  readonly topic: string;
  readonly partition: number;
};

/** A file that is being built, in memory: it is written in one go. */
export type FileBuilder = {
  readonly add: (record: LogRecord) => void;
  readonly records: () => number;
  /** Bytes so far, after compression. */
  readonly bytes: () => number;
  readonly finish: () => Uint8Array;
};

export const buildFile = (origin: FileOrigin): FileBuilder => {
  const blocks: { readonly count: number; readonly packed: Uint8Array }[] = [];
  const content = createHash('sha256');
  let pieces: Uint8Array[] = [];
  let piecesBytes = 0;
  let piecesCount = 0;
  let packedBytes = 0;
  let records = 0;

  const closeBlock = (): void => {
    if (piecesCount === 0) return;
    const raw = Buffer.concat(pieces);
    content.update(raw);
    const packed = deflateRawSync(raw);
    blocks.push({ count: piecesCount, packed });
    packedBytes += packed.length;
    pieces = [];
    piecesBytes = 0;
    piecesCount = 0;
  };

  return {
    add: (record) => {
      const encoded = encodeRecord(record);
      pieces.push(encoded);
      piecesBytes += encoded.length;
      piecesCount += 1;
      records += 1;
      if (piecesBytes >= blockBytes) closeBlock();
    },
    records: () => records,
    bytes: () => packedBytes + piecesBytes,
    finish: () => {
      closeBlock();
      // From the content, so that the same records are the same file; nobody can put it into a record beforehand.
      const sync = content.digest().subarray(0, syncBytes);
      return Buffer.concat([
        magic,
        encodeMetadata(origin),
        sync,
        ...blocks.flatMap(({ count, packed }) => [
          longBytes(count),
          longBytes(packed.length),
          packed,
          sync,
        ]),
      ]);
    },
  };
};

const encodeMetadata = ({ logId, topic, partition }: FileOrigin): Buffer => {
  const entries: readonly (readonly [string, string])[] = [
    ['avro.schema', archiveSchema],
    ['avro.codec', 'deflate'],
    ['plimsoll.log', logId],
    ['plimsoll.topic', topic],
    ['plimsoll.partition', String(partition)],
  ];
  return Buffer.concat([
    longBytes(entries.length),
    ...entries.flatMap(([name, value]) => [sized(Buffer.from(name)), sized(Buffer.from(value))]),
    longBytes(0),
  ]);
};

const encodeRecord = ({ position, appendedAtMs, key, headers, value }: LogRecord): Buffer =>
  Buffer.concat([
    longBytes(position),
    longBytes(appendedAtMs),
    sized(key),
    ...(headers.length === 0 ? [] : [longBytes(headers.length)]),
    ...headers.flatMap((header) => [sized(Buffer.from(header.name)), sized(header.value)]),
    longBytes(0),
    sized(value),
  ]);

const sized = (bytes: Uint8Array): Buffer => Buffer.concat([longBytes(bytes.length), bytes]);

/** A whole file that was read, its blocks still packed. */
export type ArchiveFile = {
  readonly origin: { readonly [name: string]: string };
  readonly blocks: readonly ArchiveBlock[];
};
export type ArchiveBlock = { readonly count: number; readonly packed: Uint8Array };

export type FileProblem = { readonly code: 'archive-damaged'; readonly message: string };

/** Finds the blocks of a file; nothing is unpacked yet. Bounded by the bytes at hand, whatever they claim. */
export const openFile = (bytes: Uint8Array): Result<ArchiveFile, FileProblem> =>
  tryReading(() => {
    const cursor = new ByteCursor(bytes);
    if (!cursor.take(magic.length).equals(magic)) throw new ByteFault('it is no Avro file');
    const metadata = readMetadata(cursor);
    if (metadata['avro.codec'] !== 'deflate') throw new ByteFault('its codec is not deflate');
    if (metadata['avro.schema'] !== archiveSchema)
      throw new ByteFault('its schema is not the one of archived records');
    const sync = cursor.take(syncBytes);
    const blocks: ArchiveBlock[] = [];
    while (!cursor.isAtEnd()) {
      const count = cursor.long();
      if (count < 1) throw new ByteFault(`a block says that it has ${count} records`);
      blocks.push({ count, packed: cursor.sized() });
      if (!cursor.take(syncBytes).equals(sync))
        throw new ByteFault('a block does not end as it must');
    }
    return { origin: metadata, blocks };
  });

const readMetadata = (cursor: ByteCursor): { readonly [name: string]: string } => {
  const entries: [string, string][] = [];
  for (;;) {
    const count = cursor.long();
    if (count === 0) return Object.fromEntries(entries);
    if (count < 0 || entries.length + count > metadataEntriesMax)
      throw new ByteFault('its metadata is not ours');
    for (let index = 0; index < count; index++)
      entries.push([cursor.sized().toString(), cursor.sized().toString()]);
  }
};

/** The records of a block, in order. Their bytes are the block's own: whoever keeps one keeps the block. */
export const readBlock = ({
  count,
  packed,
}: ArchiveBlock): Result<readonly LogRecord[], FileProblem> =>
  tryReading(() => {
    const cursor = new ByteCursor(unpack(packed));
    const records: LogRecord[] = [];
    for (let index = 0; index < count; index++) records.push(readRecord(cursor));
    if (!cursor.isAtEnd()) throw new ByteFault('a block has more bytes than its records');
    return records;
  });

const unpack = (packed: Uint8Array): Uint8Array => {
  try {
    return inflateRawSync(packed, { maxOutputLength: blockBytesMax });
  } catch (cause) {
    throw new ByteFault(`a block cannot be unpacked: ${String(cause)}`);
  }
};

const readRecord = (cursor: ByteCursor): LogRecord => ({
  position: cursor.long(),
  appendedAtMs: cursor.long(),
  key: plain(cursor.sized()),
  headers: readHeaders(cursor),
  value: plain(cursor.sized()),
});

const plain = (bytes: Buffer): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const readHeaders = (cursor: ByteCursor): readonly Header[] => {
  const headers: Header[] = [];
  for (;;) {
    const count = cursor.long();
    if (count === 0) return headers;
    // Two bytes at least a header, so that no number alone can make us fill memory.
    if (count < 0 || count * 2 > cursor.left()) throw new ByteFault('a record has no such headers');
    for (let index = 0; index < count; index++)
      headers.push({ name: cursor.sized().toString(), value: plain(cursor.sized()) });
  }
};

const tryReading = <Value>(read: () => Value): Result<Value, FileProblem> => {
  try {
    return ok(read());
  } catch (cause) {
    if (!(cause instanceof ByteFault)) throw cause;
    return fail({ code: 'archive-damaged', message: cause.message });
  }
};
