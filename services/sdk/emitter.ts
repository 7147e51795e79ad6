import { randomBytes } from 'node:crypto';
import { openCodec } from '../adapters/avro/codec.ts';
import { openBodyFiller } from '../adapters/avro/fill-body.ts';
import { loadSchemas } from '../adapters/avro/schema-files.ts';
import { createCrypto } from '../adapters/ed25519/crypto.ts';
import { readKeyFile } from '../adapters/ed25519/key-file.ts';
import { createText } from '../adapters/ed25519/text.ts';
import { createHttpClient } from '../adapters/http/client.ts';
import { openSpool, spoolDestination } from '../adapters/spool/folder.ts';
import { bootTime } from '../adapters/system/boot-time.ts';
import { createSystemClock } from '../adapters/system/clock.ts';
import { createIds } from '../adapters/system/ids.ts';
import type { Marker } from '../core/markers/marker.ts';
import { markerTold, readTold } from '../core/markers/told-json.ts';
import { signMarker, traceParentOf } from '../core/markers/wire.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { maskBody, secretHint, secretsInBody } from '../core/secrets/screen-body.ts';
import { openDeadline } from './deadline.ts';
import { deliverByHttp } from './deliver-http.ts';
import type { Cause, Sent } from './send-or-keep.ts';
import { keepReserveMs, sendOrKeep } from './send-or-keep.ts';

export type EmitterOptions = {
  /** Of the gateway, as PLIMSOLL_URL. */
  readonly url: string;
  /** File of the key that signs, as PLIMSOLL_KEY. */
  readonly key: string;
  /** As PLIMSOLL_AUDIENCE; `local` unless told. */
  readonly audience?: string;
  /** Id of the log that is meant, as PLIMSOLL_LOG_ID: the gateway of another one refuses. Whichever it is unless told. */
  readonly logId?: string;
  /** Who says it, for readers: the name of the program. */
  readonly source?: string;
  /** By when a marker is delivered or kept, milliseconds; 2000 unless told. */
  readonly timeoutMs?: number;
  /** Where markers are kept that nobody took, as PLIMSOLL_SPOOL; the command's own folder unless told. */
  readonly spool?: string;
  /** W3C trace context that goes with each marker, as the command takes it from TRACEPARENT; what is none is left out. */
  readonly traceparent?: string | undefined;
};

/**
 * A marker as it is told: its kind, its place, and the fields of its schema (schemas/*.avsc); what is left out gets its
 * default. `run` names a deployment in place of its id, the same for its plan and its updates.
 */
export type MarkerToTell = {
  readonly kind: Marker['kind'];
  readonly environment?: string;
  readonly component?: string;
  readonly target?: string;
  readonly namespace?: string;
  readonly version?: string;
  readonly deployment?: string;
  readonly run?: string;
  readonly [field: string]: unknown;
};

/** What became of a marker. `spooled`: it is on this machine's disk, and whoever sends next sends it. */
export type Emitted = {
  readonly delivery: 'stored' | 'duplicate' | 'spooled' | 'refused' | 'lost';
  readonly marker: string;
  readonly deployment: string | null;
  readonly position: number | null;
  /** What there is to say about it. `lost`: nobody took it, and the disk would not either. */
  readonly code: string | null;
  readonly message: string | null;
  readonly hint: string | null;
};

export type Emitter = {
  /** Never rejects for an outage, and answers by its deadline. */
  readonly emit: (told: MarkerToTell) => Promise<Emitted>;
};

/** Why there is no emitter: its key cannot be read. */
export type EmitterProblem = Cause;

const timeoutMsDefault = 2000;
/** How long a slow disk is waited for, past the deadline if need be. */
const diskGraceMs = 3000;
const megabyte = 1_048_576;
const spoolBytesMax = 64 * megabyte;
const spoolAgeMaxMs = 30 * 86_400_000;

/** An emitter with the guarantees of the command: signed here, delivered by the deadline or kept on the disk. */
export const createEmitter = async (
  options: EmitterOptions,
): Promise<Result<Emitter, EmitterProblem>> => {
  const { url, key, audience = 'local', source = 'plimsoll/sdk', logId = null } = options;
  const { timeoutMs = timeoutMsDefault, spool: root = './plimsoll-data/spool' } = options;
  const signer = await readKeyFile(key);
  if (!signer.ok) return signer;
  const base = url.replace(/\/+$/, '');
  const text = createText();
  const crypto = createCrypto();
  const clock = createSystemClock();
  const ids = createIds({ nowMs: clock.nowMs, randomBytes: (count) => randomBytes(count) });
  const schemas = loadSchemas();
  const codec = openCodec(schemas);
  const fill = openBodyFiller(schemas);
  const sending = {
    tools: { text, crypto },
    audience,
    signer: signer.value,
    graceMs: diskGraceMs,
    deliver: deliverByHttp(createHttpClient(base), text, logId),
    spool: openSpool({
      root,
      destination: spoolDestination(audience, base),
      tools: { text, crypto },
      now: () => ({ wallMs: Date.now(), boot: bootTime() }),
      bytesMax: spoolBytesMax,
      ageMaxMs: spoolAgeMaxMs,
    }),
  };
  const traceParent = traceParentOf(options.traceparent);
  const sinceStartMs = (): number => process.uptime() * 1000;

  const make = (json: MarkerToTell, marker: string): Result<Marker, Cause> => {
    const told = readTold(json, audience);
    if (!told.ok) return causeOf(told.problem);
    const { run, occurredAt } = told.value;
    const named = run === null ? marker : crypto.sha256HexOfText(`${audience} ${source} ${run}`);
    const added = {
      marker,
      audience,
      source,
      occurredAt: occurredAt ?? clock.nowMs(),
      deployment: run === null ? named : uuidV8Of(named),
    };
    // Addresses of people are cut short here; a secret is refused below.
    const made = markerTold(told.value, added, fill, (body) => maskBody(body, () => false));
    if (!made.ok) return causeOf(made.problem);
    const [secret] = secretsInBody(made.value);
    return secret === undefined
      ? made
      : fail({
          code: 'secret-found',
          message: `${secret.path} holds what looks like a secret (${secret.kind}): ${secret.masked}`,
          hint: `${secretHint(secret)}say it without the secret; nothing was sent`,
        });
  };

  return ok({
    emit: async (json) => {
      const marker = ids.uuidV7();
      const made = make(json, marker);
      if (!made.ok) return refused(marker, null, made.problem);
      const deployment = 'deployment' in made.value ? made.value.deployment : null;
      const record = await signMarker(codec, text, made.value, signer.value, traceParent);
      const deadline = openDeadline({ clock, sinceStartMs }, sinceStartMs() + timeoutMs);
      const toSend = { record, deployment };
      const sent = await sendOrKeep(sending, deadline, toSend, keepReserveMs(timeoutMs));
      return emittedOf(sent, marker, deployment);
    },
  });
};

/** A UUID version 8 (RFC 9562, 5.8) of the first bytes of a digest. */
const uuidV8Of = (hex: string): string => {
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return [
    ...[hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`],
    ...[`${variant}${hex.slice(18, 20)}`, hex.slice(20, 32)],
  ].join('-');
};

const causeOf = (problem: Omit<Cause, 'hint'> & { readonly hint?: string }): Result<never, Cause> =>
  fail({ code: problem.code, message: problem.message, hint: problem.hint ?? '' });

const refused = (marker: string, deployment: string | null, cause: Cause): Emitted => ({
  ...{ delivery: 'refused', marker, deployment, position: null },
  ...{ code: cause.code, message: cause.message, hint: cause.hint },
});

const emittedOf = (sent: Sent, marker: string, deployment: string | null): Emitted => {
  switch (sent.outcome) {
    case 'taken': {
      const { delivery, position, code } = sent.receipt;
      return {
        ...{ delivery: delivery === 'duplicate' ? 'duplicate' : 'stored', marker, deployment },
        ...{ position, code, message: sent.warning, hint: null },
      };
    }
    case 'refused':
      return refused(marker, deployment, sent.refusal);
    case 'spooled':
      return { ...refused(marker, deployment, sent.cause), delivery: 'spooled' };
    case 'unkept':
      return {
        ...refused(marker, deployment, sent.cause),
        delivery: 'lost',
        hint: `${sent.problem.message}; ${sent.cause.hint}`,
      };
  }
};
