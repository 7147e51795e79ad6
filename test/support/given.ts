import { openCodec } from '../../services/adapters/avro/codec.ts';
import { loadSchemas } from '../../services/adapters/avro/schema-files.ts';
import { createCrypto } from '../../services/adapters/ed25519/crypto.ts';
import { createText } from '../../services/adapters/ed25519/text.ts';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { createMemorySigner } from '../../services/adapters/memory/signer.ts';
import type { CheckTools } from '../../services/core/check/check-record.ts';
import type { Deployment } from '../../services/core/deployment.ts';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';
import type { Crypto } from '../../services/core/markers/crypto.ts';
import { kinds } from '../../services/core/markers/kinds.ts';
import type { Marker } from '../../services/core/markers/marker.ts';
import { parseMarker } from '../../services/core/markers/parse-marker.ts';
import { slotKey } from '../../services/core/markers/slot.ts';
import { signMarker, waitedHeader, waitedMessage } from '../../services/core/markers/wire.ts';
import type { DeadLetter } from '../../services/core/dead-letters.ts';
import type { Outcome } from '../../services/core/projection.ts';
import { address } from '../../services/core/projection.ts';
import { readRow } from '../../services/core/row-text.ts';
import { orderedModels } from '../../services/core/read-models.ts';
import type { AttemptLine, SlotState } from '../../services/core/slot-state.ts';
import type { Line } from '../../services/core/views.ts';
import { currentLines, presentOf, timelineLine } from '../../services/core/views.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { Signer } from '../../services/ports/signer.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import { applyBatch } from '../../services/projector/project.ts';
import type { Said, Scope } from './markers.ts';
import { added, audience, compromised, id, opened, place, retired, run } from './markers.ts';
import { value } from './records.ts';

// A log that tells its story in sentences: who said what, and what the read models make of it.

/** One step of a history. Names of people and machines are names of keys: whoever is new is trusted first. */
export type Step =
  | {
      readonly by: string;
      readonly says: Said;
      /** Name of the marker, where it is said again; else every marker has its own. */
      readonly marker?: string;
      /** When the log takes it, in seconds after the first record; else a second after the one before. */
      readonly at?: number;
      readonly waitedMs?: number;
      /** Who signs the waiting time; else whoever says it. */
      readonly deliveredBy?: string;
      /** What happens to the record on its way. */
      readonly spoilt?: (record: NewRecord) => NewRecord;
    }
  | { readonly trusts: string; readonly scope?: Scope }
  | { readonly retires: string }
  | { readonly finds: string; readonly compromisedSince: number }
  | { readonly again: number }
  | { readonly raw: NewRecord };

/** Somebody says something. */
export const by = (
  name: string,
  says: Said,
  more: Omit<Extract<Step, { by: string }>, 'by' | 'says'> = {},
): Step => ({ by: name, says, ...more });
/** The administrator trusts a key. */
export const trusts = (name: string, scope: Scope = {}): Step => ({ trusts: name, scope });
export const retires = (name: string): Step => ({ retires: name });
export const findsCompromised = (name: string, since: number): Step => ({
  finds: name,
  compromisedSince: since,
});
/** The record at that position is appended again, the same bytes. */
export const again = (position: number): Step => ({ again: position });
export const raw = (record: NewRecord): Step => ({ raw: record });

/** The same signatures are checked in every fold of a history: once is enough. */
const rememberingCrypto = (crypto: Crypto): Crypto => {
  const known = new Map<string, boolean>();
  return {
    ...crypto,
    verify: (algorithm, publicKey, message, signature) => {
      const asked = Buffer.concat([publicKey, signature, message]).toString('latin1');
      const good = known.get(asked) ?? crypto.verify(algorithm, publicKey, message, signature);
      known.set(asked, good);
      return good;
    },
  };
};

export const tools: CheckTools = {
  codec: openCodec(loadSchemas()),
  crypto: rememberingCrypto(createCrypto()),
  text: createText(),
};

/** 2026-11-21T10:00:00Z: when every log of the tests was opened. */
export const openedAtMs = 1_795_255_200_000;

const principalOf = (name: string): string => name.split('#')[0] ?? name;

const signers = new Map<string, Signer>();
/** The key of that name, the same in every test. `ci#2` is another key of the principal `ci`. */
export const keyOf = (name: string): Signer => {
  const signer = signers.get(name) ?? createMemorySigner(principalOf(name), name);
  signers.set(name, signer);
  return signer;
};

export type House = {
  readonly records: readonly LogRecord[];
  readonly store: ReadModelStore;
  readonly outcomes: readonly Outcome[];
  /** What became of each record that is no opening or change of trust, for instance `applied`, `conflict`. */
  readonly notes: () => readonly string[];
  readonly deployment: (name?: string) => Promise<Deployment>;
  /** `1 2.0.0 succeeded`, one attempt each. */
  readonly attempts: (name?: string) => Promise<readonly string[]>;
  /** `2.0.0`, `2.0.0 uncertain`; then `beside 3.0.0 running`. */
  readonly current: (environment?: string, component?: string) => Promise<readonly string[]>;
  readonly timeline: () => Promise<readonly string[]>;
  /** The lines of the same names, as programs read them. */
  readonly lines: () => Promise<{
    readonly timeline: readonly Line[];
    readonly current: readonly Line[];
  }>;
  readonly deadLetters: () => Promise<readonly DeadLetter[]>;
  readonly row: <Row>(model: string, key: string) => Promise<Row | undefined>;
  readonly dump: () => Promise<readonly string[]>;
};

/** The history on a log with one administrator, folded. */
export const given = async (...steps: readonly Step[]): Promise<House> =>
  fold(await recordsOf(...steps));

/** The history as records. A scope that nobody names is everything. */
export const recordsOf = async (...steps: readonly Step[]): Promise<readonly LogRecord[]> => {
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => nowMs });
  const known = new Set(['admin']);
  const records: LogRecord[] = [];
  const append = async (record: NewRecord, atMs = nowMs): Promise<void> => {
    nowMs = atMs;
    value(await log.append(0, [record]));
    records.push(...value(await log.read(0, records.length, 1)));
    nowMs += 1000;
  };
  const say = (name: string, says: Said, marker = `marker ${records.length}`): Promise<NewRecord> =>
    signed(name, says, marker, nowMs);
  const trust = async (name: string, scope: Scope): Promise<void> => {
    if (!known.has(name)) await append(await say('admin', added(keyOf(name), scope)));
    known.add(name);
  };
  await append(await say('admin', opened(keyOf('admin'))));
  for (const step of steps) {
    if ('by' in step) {
      await trust(step.by, {});
      if (step.deliveredBy !== undefined) await trust(step.deliveredBy, {});
      const atMs = step.at === undefined ? nowMs : openedAtMs + step.at * 1000;
      const record = await signed(
        step.by,
        step.says,
        step.marker ?? `marker ${records.length}`,
        atMs - (step.waitedMs ?? 0),
      );
      const sent =
        step.waitedMs === undefined
          ? record
          : await delivered(record, step.waitedMs, step.deliveredBy ?? step.by);
      await append(step.spoilt === undefined ? sent : step.spoilt(sent), atMs);
    } else if ('trusts' in step) {
      await trust(step.trusts, step.scope ?? {});
    } else if ('retires' in step) {
      await append(await say('admin', retired(keyOf(step.retires))));
    } else if ('finds' in step) {
      await append(await say('admin', compromised(keyOf(step.finds), step.compromisedSince)));
    } else if ('again' in step) {
      const record = records[step.again];
      if (record === undefined) throw new RangeError(`there is no record ${step.again} yet`);
      await append(record);
    } else {
      await append(step.raw);
    }
  }
  return records;
};

/** A marker as its record, signed. */
export const signed = async (
  name: string,
  says: Said,
  marker: string,
  occurredAt: number = openedAtMs,
): Promise<NewRecord> =>
  signMarker(tools.codec, tools.text, markerOf(name, says, marker, occurredAt), keyOf(name));

export const markerOf = (
  name: string,
  says: Said,
  marker: string,
  occurredAt: number = openedAtMs,
): Marker => {
  const markerId = id(marker);
  const body = {
    marker: markerId,
    audience,
    source: `/pipelines/${principalOf(name)}`,
    occurredAt,
    ...(kinds[says.kind].shape === 'place' && !('deployment' in says)
      ? { deployment: markerId }
      : {}),
    ...says,
  };
  return value(parseMarker(kinds[says.kind].shape, body));
};

/** The record with a signed waiting time. */
export const delivered = async (
  record: NewRecord,
  waitedMs: number,
  name: string,
): Promise<NewRecord> => {
  const { keyId, sign } = keyOf(name);
  const digest = tools.crypto.sha256Hex(record.value);
  const signature = await sign(waitedMessage(tools.text, audience, waitedMs, digest));
  return {
    ...record,
    headers: [...record.headers, waitedHeader(tools.text, waitedMs, keyId, signature)],
  };
};

export const portsOf = (store: ReadModelStore, using: CheckTools = tools): ProjectionPorts => ({
  log: createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => openedAtMs }),
  store,
  tools: using,
  audience,
  pinnedLogId: null,
});

export const emptyStore = (): ReadModelStore => createMemoryReadModelStore({ orderedModels });

/** Everything in one batch. */
export const fold = async (records: readonly LogRecord[]): Promise<House> => {
  const store = emptyStore();
  const { outcomes } = value(await applyBatch(portsOf(store), 'g', undefined, records));
  return houseOf(records, store, outcomes);
};

const houseOf = (
  records: readonly LogRecord[],
  store: ReadModelStore,
  outcomes: readonly Outcome[],
): House => {
  const row = async <Row>(model: string, key: string): Promise<Row | undefined> => {
    const { rows } = value(await store.rows('g', [{ model, key }]));
    const json = rows.get(address(model, key));
    return json === undefined ? undefined : readRow<Row>(model, json);
  };
  const scanned = async <Row>(model: string): Promise<readonly Row[]> =>
    value(await store.scan('g', model, { rowsMax: 100_000 })).rows.map(({ value: json }) =>
      readRow<Row>(model, json),
    );
  const deployment = async (name = '7'): Promise<Deployment> => {
    const found = await row<Deployment>('deployment', run(name));
    if (found === undefined) throw new Error(`there is no deployment ${name}`);
    return found;
  };
  return {
    records,
    store,
    outcomes,
    notes: () => outcomes.filter(({ outcome }) => outcome !== 'trust').map(noteOf),
    deployment,
    attempts: async (name) =>
      (await deployment(name)).attempts.map(
        ({ number, plan, status }) => `${number} ${plan?.version ?? 'unplanned'} ${status}`,
      ),
    current: async (environment = 'production', component = 'checkout') => {
      const state = await row<SlotState>('slot', slotKey(place(environment, component)));
      if (state === undefined) return [];
      return [
        ...state.holders.map(({ version, uncertain }) =>
          uncertain === null ? `${version}` : `${version} uncertain`,
        ),
        ...state.beside.map(({ version, status }) => `beside ${version} ${status}`),
      ];
    },
    timeline: async () =>
      (await scanned<AttemptLine>('timeline')).map(
        ({ environment, version, status }) =>
          `${environment ?? 'nowhere'} ${version ?? 'unplanned'} ${status}`,
      ),
    lines: async () => ({
      timeline: (await scanned<AttemptLine>('timeline')).map((line) =>
        timelineLine(line, presentOf(openedAtMs, [])),
      ),
      current: (await scanned<SlotState>('slot')).flatMap((state) =>
        currentLines(state, presentOf(openedAtMs, [])),
      ),
    }),
    deadLetters: () => scanned<DeadLetter>('dead-letter'),
    row,
    dump: async () => value(await store.dump('g')),
  };
};

const noteOf = (outcome: Outcome): string => {
  switch (outcome.outcome) {
    case 'applied':
      return outcome.note;
    case 'dead-letter':
      return outcome.code;
    case 'trust':
    case 'operation':
    case 'circumstance':
    case 'left-out':
    case 'duplicate':
      return outcome.outcome;
  }
};
