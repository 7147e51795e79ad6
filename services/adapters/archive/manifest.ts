import { join } from 'node:path';
import type { Json } from '../../core/canonical.ts';
import { canonicalJson } from '../../core/canonical.ts';
import type { Position } from '../../core/log/record.ts';
import type { Crypto, Text } from '../../core/markers/crypto.ts';
import { preAuthenticationEncoding } from '../../core/markers/wire.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { ArchiveProblem } from '../../ports/archive.ts';
import type { Signer } from '../../ports/signer.ts';
import { readCapped } from './disk.ts';

// The manifest of an archive, `<folder>/<topic>/<partition>/manifest.jsonl`: what its files must be.
//
// One JSON value a line, names sorted, no white space (so each value is the same bytes), UTF-8, each line ended by a
// line feed. The first line names the archive:
//
//   {"audience":…,"codec":"deflate","format":"plimsoll-archive","log":<log id>,"partition":0,"topic":…,"version":1}
//
// Each further line is a file, in the order of positions, without gaps, from position 0 on:
//
//   {"bytes":…,"first":…,"key":<key id>,"last":…,"previous":…,"records":…,"sha256":…,"signature":…}
//
// `sha256` is that of the file (hex), `previous` that of the line before without its line feed: a chain, so that the
// digest of the last line stands for the whole archive. `signature` (base64) is an Ed25519 signature by an operator's
// key over the DSSE 1.0.2 pre-authentication encoding of the same value without `signature`, with the type
// `application/vnd.plimsoll.archive-entry.v1+json;audience=<audience>;log=<log id>`.
//
// The file is replaced whole (written beside, synced, renamed, folder synced): it is there as before or as after.

export type Identity = {
  readonly audience: string;
  readonly logId: string;
  readonly topic: string;
  readonly partition: number;
};

/** One file of the archive. `first` and `last` are positions, both held. */
export type Entry = {
  readonly first: Position;
  readonly last: Position;
  readonly records: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly previous: string;
  readonly key: string;
  readonly signature: string;
};

export type Manifest = {
  readonly identity: Identity;
  readonly entries: readonly Entry[];
  /** Digest (hex) of each line: of the first, then of each entry. */
  readonly digests: readonly string[];
};

/** The position after the last archived one. */
export const endOf = ({ entries }: Manifest): Position => (entries.at(-1)?.last ?? -1) + 1;
export const digestOf = ({ digests }: Manifest): string => digests.at(-1) ?? '';

/** Files larger than this are not ours: one is closed when it has 16 MB, and a record has 2 MB at most. */
export const fileBytesMax = 64_000_000;
const manifestBytesMax = 256_000_000;

export const partitionFolder = (folder: string, topic: string, partition = 0): string =>
  join(folder, topic, String(partition));
export const manifestPath = (partitionAt: string): string => join(partitionAt, 'manifest.jsonl');

const positionDigits = 12;
/** `<first>-<last>.avro`, in digits that sort as the positions do. */
export const fileName = ({ first, last }: Pick<Entry, 'first' | 'last'>): string =>
  `${padded(first)}-${padded(last)}.avro`;
const padded = (position: Position): string => String(position).padStart(positionDigits, '0');

const identityLine = ({ audience, logId, topic, partition }: Identity): string =>
  canonicalJson({
    format: 'plimsoll-archive',
    version: 1,
    audience,
    log: logId,
    topic,
    partition,
    codec: 'deflate',
  });

const lineOf = (entry: Entry): string => canonicalJson({ ...entry });

export const newManifest = (sha256Hex: Digest, identity: Identity): Manifest => ({
  identity,
  entries: [],
  digests: [sha256Hex(Buffer.from(identityLine(identity)))],
});

type Digest = Crypto['sha256Hex'];

export const manifestBytes = ({ identity, entries }: Manifest): Uint8Array =>
  Buffer.from([identityLine(identity), ...entries.map(lineOf)].map((line) => `${line}\n`).join(''));

/** The manifest with one more file, signed. */
export const withFile = async (
  { sha256Hex, text, signer }: { sha256Hex: Digest; text: Text; signer: Signer },
  manifest: Manifest,
  file: Pick<Entry, 'first' | 'last' | 'records' | 'bytes' | 'sha256'>,
): Promise<Manifest> => {
  const said = { ...file, previous: digestOf(manifest), key: signer.keyId };
  const signature = await signer.sign(entryMessage(text, manifest.identity, said));
  const entry = { ...said, signature: text.encodeBase64(signature) };
  return {
    ...manifest,
    entries: [...manifest.entries, entry],
    digests: [...manifest.digests, sha256Hex(Buffer.from(lineOf(entry)))],
  };
};

/** The bytes that an entry's signature is over. */
export const entryMessage = (
  text: Text,
  { audience, logId }: Identity,
  { first, last, records, bytes, sha256, previous, key }: Omit<Entry, 'signature'>,
): Uint8Array =>
  preAuthenticationEncoding(
    text,
    `application/vnd.plimsoll.archive-entry.v1+json;audience=${audience};log=${logId}`,
    text.encodeUtf8(canonicalJson({ first, last, records, bytes, sha256, previous, key })),
  );

/** Reads a manifest and checks its form, its chain and its positions; undefined where there is none. */
export const readManifest = async (
  sha256Hex: Digest,
  partitionAt: string,
): Promise<Result<Manifest | undefined, ArchiveProblem>> => {
  const path = manifestPath(partitionAt);
  const bytes = await readCapped(path, manifestBytesMax);
  if (bytes === undefined) return ok(undefined);
  if (bytes === 'too-large') return damaged(path, 'it is larger than any manifest');
  const text = bytes.toString();
  if (!text.endsWith('\n')) return damaged(path, 'its last line is cut off');
  const [head = '', ...rest] = text.slice(0, -1).split('\n');
  const identity = parseIdentity(head);
  if (identity === undefined) return damaged(path, 'its first line names no archive');
  const entries: Entry[] = [];
  const digests = [sha256Hex(Buffer.from(head))];
  for (const [index, line] of rest.entries()) {
    const entry = parseEntry(line);
    const where = `line ${index + 2}`;
    if (entry === undefined) return damaged(path, `${where} is no entry`);
    if (entry.previous !== digests.at(-1))
      return damaged(path, `${where} does not continue the line before it`);
    if (entry.first !== (entries.at(-1)?.last ?? -1) + 1)
      return damaged(
        path,
        `${where} begins at position ${entry.first}, not where the one before ends`,
      );
    if (entry.records !== entry.last - entry.first + 1 || entry.records < 1)
      return damaged(path, `${where} counts its records wrong`);
    entries.push(entry);
    digests.push(sha256Hex(Buffer.from(line)));
  }
  return ok({ identity, entries, digests });
};

const parseIdentity = (line: string): Identity | undefined => {
  const value = parseLine(line);
  if (value === undefined) return undefined;
  const { format, version, audience, log, topic, partition } = value;
  if (format !== 'plimsoll-archive' || version !== 1) return undefined;
  if (typeof audience !== 'string' || typeof log !== 'string' || typeof topic !== 'string')
    return undefined;
  return isWhole(partition) ? { audience, logId: log, topic, partition } : undefined;
};

const digestPattern = /^[0-9a-f]{64}$/;

const parseEntry = (line: string): Entry | undefined => {
  const value = parseLine(line);
  if (value === undefined) return undefined;
  const { first, last, records, bytes, sha256, previous, key, signature } = value;
  if (!isWhole(first) || !isWhole(last) || !isWhole(records) || !isWhole(bytes)) return undefined;
  if (typeof sha256 !== 'string' || !digestPattern.test(sha256)) return undefined;
  if (typeof previous !== 'string' || !digestPattern.test(previous)) return undefined;
  if (typeof key !== 'string' || !/^[0-9a-f]{16}$/.test(key)) return undefined;
  if (typeof signature !== 'string' || signature.length > 128) return undefined;
  const entry = { first, last, records, bytes, sha256, previous, key, signature };
  // One way to write it, or the digest of a line would not stand for what the line says.
  return lineOf(entry) === line ? entry : undefined;
};

const lineCharactersMax = 4096;

const parseLine = (line: string): { readonly [name: string]: Json } | undefined => {
  if (line.length > lineCharactersMax) return undefined;
  try {
    const value = JSON.parse(line) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as { readonly [name: string]: Json })
      : undefined;
  } catch {
    return undefined;
  }
};

const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const damaged = (path: string, what: string): Result<never, ArchiveProblem> =>
  fail({ code: 'archive-damaged', message: `${path}: ${what}` });
