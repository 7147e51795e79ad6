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
import { signMarker, traceParentOf } from '../core/markers/wire.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { markerLine } from '../core/spool/marker-line.ts';
import type { Deadline } from './deadline.ts';
import { openDeadline } from './deadline.ts';
import { deliverByHttp } from './deliver-http.ts';
import type { EmitterOptions } from './emitter-options.ts';
import { readEmitterOptions } from './emitter-options.ts';
import { openEmitterTelemetry } from './emitter-telemetry.ts';
import { flushSpool } from './flush-spool.ts';
import { openMaker } from './make-marker.ts';
import type { MarkerToTell } from './marker-to-tell.ts';
import type { Cause, SendPorts, Sent } from './send-or-keep.ts';
import { keepReserveMs, lateCause, sendOrKeep } from './send-or-keep.ts';
import { openTurns } from './turns.ts';

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

/** What became of what lay in the spool. */
export type FlushedSpool = {
  readonly delivered: number;
  /** By a rule: laid aside, `plimsoll spool list` says why. */
  readonly refused: number;
  /** Too old to be sent without being asked for: `plimsoll flush --expired`. */
  readonly expired: number;
  readonly waiting: number;
  /** Why the last one still waits, or null. */
  readonly code: string | null;
  readonly message: string | null;
  readonly hint: string | null;
};

export type Emitter = {
  /**
   * Never rejects, and answers by its deadline; a disk that hangs it waits for a little longer. What is said of one
   * deployment is sent in the order of the calls, also of calls that nobody awaits.
   */
  readonly emit: (told: MarkerToTell) => Promise<Emitted>;
  /** Sends what lies in the spool, its own and what commands left there; 10 s unless told. Never rejects. */
  readonly flush: (withinMs?: number) => Promise<FlushedSpool>;
  /** Resolves when all that is being emitted is delivered or kept. What is told afterwards is refused. */
  readonly close: () => Promise<void>;
};

/** Why there is no emitter: a setting is wrong or missing, or its key cannot be read. */
export type EmitterProblem = Cause;

/** How long a slow disk is waited for, past the deadline if need be. In a CI the log of the job holds the marker, too. */
const graceMs = 3000;
const graceMsInCi = 500;
const flushWithinMsDefault = 10_000;
const eachWithinMs = 10_000;

/** An emitter with the guarantees of the command: signed here, delivered by the deadline or kept on the disk. */
export const createEmitter = async (
  options: EmitterOptions,
): Promise<Result<Emitter, EmitterProblem>> => {
  const read = readEmitterOptions(options);
  if (!read.ok) return read;
  const settings = read.value;
  const { audience, url, emitWithinMs, isCi } = settings;
  const signer = await readKeyFile(settings.keyFile);
  if (!signer.ok) return signer;
  const text = createText();
  const crypto = createCrypto();
  const clock = createSystemClock();
  const ids = createIds({ nowMs: clock.nowMs, randomBytes: (count) => randomBytes(count) });
  const schemas = loadSchemas();
  const codec = openCodec(schemas);
  const gateway = createHttpClient(url);
  const sending: SendPorts = {
    tools: { text, crypto },
    audience,
    signer: signer.value,
    graceMs: isCi ? graceMsInCi : graceMs,
    deliver: deliverByHttp(gateway, text, settings.logId),
    spool: openSpool({
      ...settings.spool,
      root: settings.spool.folder,
      destination: spoolDestination(audience, url),
      tools: { text, crypto },
      now: () => ({ wallMs: Date.now(), boot: bootTime() }),
    }),
  };
  const make = openMaker({
    settings,
    isRedacting: options.redact === true,
    fill: openBodyFiller(schemas),
    nowMs: clock.nowMs,
    digest: (told) => crypto.sha256Hex(text.encodeUtf8(told)),
  });
  const traceParent = traceParentOf(settings.traceparent);
  const tellTelemetry = openEmitterTelemetry({
    ...{ env: options.env ?? {}, job: settings.job, traceParent },
    ...{ text, crypto, gateway, httpTo: createHttpClient, nowMs: clock.nowMs },
    onNote: options.onNote ?? (() => undefined),
  });
  const sinceStartMs = (): number => process.uptime() * 1000;
  const withinMs = (ms: number): Deadline =>
    openDeadline({ clock, sinceStartMs }, sinceStartMs() + ms);
  const tellLine = options.onMarkerLine ?? ((line): void => void process.stderr.write(`${line}\n`));
  const inTurn = openTurns();
  const running = new Set<Promise<unknown>>();
  let isClosed = false;

  const emit = async (json: MarkerToTell): Promise<Emitted> => {
    const deadline = withinMs(emitWithinMs);
    const marker = ids.uuidV7();
    if (isClosed) return refused(marker, null, closedCause);
    const made = make(json, marker);
    if (!made.ok) return refused(marker, null, made.problem);
    const { told, note } = made.value;
    const deployment = 'deployment' in told ? told.deployment : null;
    const record = await signMarker(codec, text, told, signer.value, traceParent);
    // What was said before of the same goes before it.
    const sent = await inTurn(sending.spool.keyHashOf(record), () =>
      sendOrKeep(sending, deadline, { record, deployment }, keepReserveMs(emitWithinMs)),
    );
    // It is stored or kept: what goes wrong in telling of it must not say otherwise, or it is told a second time.
    try {
      if (sent.outcome === 'unkept' || (sent.outcome === 'spooled' && isCi))
        tellLine(markerLine(text, sent.bytes));
      await tellTelemetry(deadline, told, sent);
    } catch {
      // A callback's fault is the caller's.
    }
    return emittedOf(sent, marker, deployment, note);
  };

  return ok({
    emit: async (json) => {
      const emitting = emit(json).catch((fault: unknown) => broken(fault));
      running.add(emitting);
      try {
        return await emitting;
      } finally {
        running.delete(emitting);
      }
    },
    flush: (ms = flushWithinMsDefault) => flushAll(sending, withinMs(ms)),
    close: async () => {
      isClosed = true;
      await Promise.all(running);
    },
  });
};

/** All that waits, for as long as there is time. */
const flushAll = async (sending: SendPorts, deadline: Deadline): Promise<FlushedSpool> => {
  const { deliver, spool } = sending;
  const waiting = await deadline.before(0, spool.waiting());
  const nothing = { delivered: 0, refused: 0, expired: 0, waiting: 0 };
  const over = (cause: Cause | null, left: number): FlushedSpool => ({
    ...{ ...nothing, waiting: left },
    ...{ code: cause?.code ?? null, message: cause?.message ?? null, hint: cause?.hint ?? null },
  });
  if (waiting === undefined) return over(lateCause, 0);
  if (!waiting.ok) return over({ ...waiting.problem, hint: 'see PLIMSOLL_SPOOL' }, 0);
  if (typeof deliver !== 'function') return over(deliver, waiting.value.length);
  const work = flushSpool({ ...sending, deliver }, waiting.value, {
    from: 'waiting',
    markersMax: Number.POSITIVE_INFINITY,
    withinMs: () => Math.min(eachWithinMs, deadline.leftMs()),
    withExpired: false,
  }).catch(() => undefined);
  const flushed = await deadline.before(-sending.graceMs, work);
  if (flushed === undefined) return over(lateCause, waiting.value.length);
  const { delivered, refused: no, expired, cause } = flushed;
  return { ...over(cause, flushed.waiting), delivered, refused: no, expired };
};

const closedCause: Cause = {
  code: 'emitter-closed',
  message: 'the emitter was closed before',
  hint: 'close it when all is told',
};

/** Nothing that was foreseen: the program goes on all the same. */
const broken = (fault: unknown): Emitted => ({
  ...refused('', null, {
    code: 'internal',
    message: fault instanceof Error ? fault.message : String(fault),
    hint: 'this is a fault of Plimsoll; please report it',
  }),
  delivery: 'lost',
});

const refused = (marker: string, deployment: string | null, cause: Cause): Emitted => ({
  ...{ delivery: 'refused', marker, deployment, position: null },
  ...{ code: cause.code, message: cause.message, hint: cause.hint },
});

const emittedOf = (
  sent: Sent,
  marker: string,
  deployment: string | null,
  note: string | null,
): Emitted => {
  switch (sent.outcome) {
    case 'taken': {
      const { delivery, position, code } = sent.receipt;
      return {
        ...{ delivery: delivery === 'duplicate' ? 'duplicate' : 'stored', marker, deployment },
        ...{ position, code, message: sent.warning ?? note, hint: null },
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
