import type { Checked } from '../../core/check/check-batch.ts';
import { checkBatch } from '../../core/check/check-batch.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import { checkOpening } from '../../core/check/check-record.ts';
import type { LogRecord } from '../../core/log/record.ts';
import { isKind, kinds } from '../../core/markers/kinds.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Trust } from '../../core/trust/trust.ts';
import { openTrust } from '../../core/trust/trust.ts';
import type {
  ArchiveProblem,
  UnprovenRecord,
  Verified,
  VerifyRequest,
} from '../../ports/archive.ts';
import { filesIn } from './disk.ts';
import type { Witness } from './entry-trust.ts';
import { untrustedEntry, witnessIn } from './entry-trust.ts';
import type { Identity, Manifest } from './manifest.ts';
import {
  digestOf,
  endOf,
  fileName,
  manifestPath,
  partitionFolder,
  readManifest,
} from './manifest.ts';
import { blocksOf, openEntry } from './reader.ts';

export type VerifyPorts = { readonly tools: CheckTools; readonly audience: string };

/**
 * Checks an archive from its own files alone: the chain of the manifest, each file's digest, every position, and that
 * each entry was signed by an operator whom the archived log itself trusts (see `untrustedEntry`). Only who pins the
 * log id knows that it is the log that was meant, and only the newest digest that the log itself tells
 * (`log-archived`) proves that the end of the archive is there. Changes nothing.
 */
export const verifyArchive = async (
  ports: VerifyPorts,
  request: VerifyRequest,
): Promise<Result<Verified, ArchiveProblem>> => {
  const { sha256Hex } = ports.tools.crypto;
  const at = partitionFolder(request.folder, request.topic);
  const read = await readManifest(sha256Hex, at);
  if (!read.ok) return read;
  const manifest = read.value;
  if (manifest === undefined || manifest.entries.length === 0)
    return refuse('archive-missing', `${request.folder} holds no archive of ${request.topic}`);
  const { identity } = manifest;
  if (identity.topic !== request.topic || identity.audience !== ports.audience)
    return refuse('foreign-archive', `${at} is the archive of ${identity.topic}`);
  if (request.pinnedLogId !== null && request.pinnedLogId !== identity.logId)
    return refuse(
      'foreign-archive',
      `${at} is the archive of the log ${identity.logId}; PLIMSOLL_LOG_ID asks for ${request.pinnedLogId}`,
    );
  const walked = await walk(ports, request, at, manifest);
  if (!walked.ok) return walked;
  const { trust, good, bad, unproven, witnesses } = walked.value;
  const fault = untrustedEntry(ports.tools, trust, manifest, witnesses);
  if (fault !== undefined)
    return refuse(
      'archive-untrusted',
      `${manifestPath(at)}: line ${fault.index + 2} ${fault.message}`,
    );
  return ok({
    log: identity.logId,
    topic: identity.topic,
    to: endOf(manifest),
    files: manifest.entries.length,
    records: endOf(manifest),
    bytes: manifest.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    digest: digestOf(manifest),
    signatures: request.signatures
      ? {
          good,
          bad: Object.fromEntries(bad),
          unproven: unproven.slice(0, unprovenListedMax),
          isCut: unproven.length > unprovenListedMax,
        }
      : null,
    strangers: await strangersIn(at, manifest),
  });
};

type Walked = {
  readonly trust: Trust;
  readonly good: number;
  readonly bad: ReadonlyMap<string, number>;
  /** One more than are listed, at most. */
  readonly unproven: readonly UnprovenRecord[];
  readonly witnesses: readonly Witness[];
};

/** Records without proof that are named one by one; more are counted. */
const unprovenListedMax = 1000;

/** Their bytes are those that somebody trusted has signed (or lie after the seal, where none counts). */
const provenThough: ReadonlySet<Rejection> = new Set<Rejection>([
  ...(['schema-unknown', 'kind-unknown', 'kind-wrong-shape', 'field-invalid'] as const),
  ...(['body-malformed', 'body-too-deep', 'body-not-canonical'] as const),
  ...(['key-weak', 'audience-wrong', 'role-missing', 'kind-not-allowed', 'conflict'] as const),
  ...(['log-already-open', 'wrong-log', 'key-exists', 'key-ended', 'log-sealed'] as const),
]);

type Rejection = Extract<Checked, { readonly outcome: 'rejected' }>['code'];

/** Every file, block and record once, in order. */
const walk = async (
  { tools, audience }: VerifyPorts,
  { signatures, onProgress }: VerifyRequest,
  at: string,
  { identity, entries }: Manifest,
): Promise<Result<Walked, ArchiveProblem>> => {
  let trust: Trust | undefined;
  let good = 0;
  const bad = new Map<string, number>();
  const unproven: UnprovenRecord[] = [];
  const witnesses: Witness[] = [];
  const end = (entries.at(-1)?.last ?? -1) + 1;
  for (const entry of entries) {
    onProgress?.({ next: entry.first, end });
    const opened = await openEntry(tools.crypto.sha256Hex, at, identity, entry);
    if (!opened.ok) return opened;
    for (const block of blocksOf(at, opened.value)) {
      if (!block.ok) return block;
      let records = block.value;
      if (trust === undefined) {
        const opening = open(tools, audience, identity, records[0]);
        if (!opening.ok) return opening;
        trust = opening.value;
        good += 1;
        records = records.slice(1);
      }
      const looked = signatures ? records : records.filter((record) => bearsOnTrust(tools, record));
      const checks = checkBatch(tools, audience, trust, looked);
      trust = checks.trust;
      for (const checked of checks.checked) {
        const witness = witnessIn(checked);
        if (witness !== undefined) witnesses.push(witness);
        if (checked.outcome !== 'rejected') {
          good += 1;
          continue;
        }
        const { code, record } = checked;
        bad.set(code, (bad.get(code) ?? 0) + 1);
        if (!provenThough.has(code) && unproven.length <= unprovenListedMax)
          unproven.push({ position: record.position, code });
      }
      await turn();
    }
  }
  if (trust === undefined) return refuse('archive-damaged', `${at} has no record 0`);
  return ok({ trust, good, bad, unproven, witnesses });
};

const open = (
  tools: CheckTools,
  audience: string,
  { logId }: Identity,
  record: LogRecord | undefined,
): Result<Trust, ArchiveProblem> => {
  const opened = record === undefined ? undefined : checkOpening(tools, audience, record);
  if (record === undefined || !opened?.ok || opened.value.log !== logId)
    return refuse('archive-untrusted', `record 0 of the archive does not open the log ${logId}`);
  return ok(openTrust(opened.value, tools.crypto.sha256Hex(record.value)));
};

/** By what the body says of itself: the check that follows believes none of it. */
const bearsOnTrust = ({ codec }: CheckTools, record: LogRecord): boolean => {
  const kind = codec.prefix(record.value)?.kind;
  return (
    kind !== undefined &&
    isKind(kind) &&
    (kinds[kind].shape === 'trust' || kind === 'log-sealed' || kind === 'log-archived')
  );
};

const strangersIn = async (at: string, { entries }: Manifest): Promise<readonly string[]> => {
  const known = new Set(['manifest.jsonl', ...entries.map(fileName)]);
  return (await filesIn(at)).map(({ name }) => name).filter((name) => !known.has(name));
};

/** Lets others of this process have their turn: a block is a few milliseconds of work. */
const turn = (): Promise<void> => new Promise((done) => void setImmediate(done));

const refuse = (code: ArchiveProblem['code'], message: string): Result<never, ArchiveProblem> =>
  fail({ code, message });
