import { schemaDigest } from '../../services/adapters/avro/canonical-form.ts';
import { loadSchemas } from '../../services/adapters/avro/schema-files.ts';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { gunzipCapped } from '../../services/adapters/otlp/gunzip.ts';
import { keepServices } from '../../services/adapters/otlp/keep-services.ts';
import { openMetricsReader } from '../../services/adapters/otlp/metrics-request.ts';
import { encodeMetricsResponse } from '../../services/adapters/otlp/metrics-response.ts';
import { splitOtlp } from '../../services/adapters/otlp/split-request.ts';
import { encodeStatus } from '../../services/adapters/otlp/status-response.ts';
import { orderedInstanceModels } from '../../services/core/instances/fold.ts';
import { instancePartitions } from '../../services/core/instances/instance.ts';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';
import { toHttp } from '../../services/core/markers/http-wire.ts';
import type { FoldState } from '../../services/core/projection.ts';
import { fail, ok } from '../../services/core/result.ts';
import type { GatewayApp } from '../../services/gateway/app.ts';
import { createApp } from '../../services/gateway/app.ts';
import type { GatewayPorts } from '../../services/gateway/ports.ts';
import type { HttpHandler, HttpRequest } from '../../services/ports/http.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { foldInstancesToEnd } from '../../services/projector/instances.ts';
import { readProblems } from '../../services/projector/problems.ts';
import { applyBatch } from '../../services/projector/project.ts';
import type { Step } from './given.ts';
import { emptyStore, openedAtMs, recordsOf, tools } from './given.ts';
import { audience } from './markers.ts';
import { value } from './records.ts';

// A gateway over a log in memory, and a projector that works when it is told to.

export type Asked = {
  /** Undefined takes a header away. */
  readonly headers?: { readonly [name: string]: string | undefined };
  readonly body?: Uint8Array | string;
  /** Bytes that came before the connection broke. */
  readonly cutOff?: true;
};

export type Answered = {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly text: string;
  readonly bytes: Uint8Array;
  /** The body as JSON. */
  readonly json: Json;
};

// What an answer says is looked at freely in tests.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

export type GatewayHouse = {
  readonly app: GatewayApp;
  readonly ports: GatewayPorts;
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly metrics: RecordLog;
  readonly instances: RecordLog;
  readonly samples: RecordLog;
  readonly get: (target: string, asked?: Asked) => Promise<Answered>;
  readonly send: (method: string, target: string, asked?: Asked) => Promise<Answered>;
  readonly post: (record: NewRecord, asked?: Asked) => Promise<Answered>;
  readonly sendTelemetry: (target: string, asked: Asked) => Promise<Answered>;
  /** Everything that lies on the log. */
  readonly records: () => Promise<readonly LogRecord[]>;
  /** Folds what is on the log and not yet in the read models. */
  readonly project: () => Promise<void>;
  /** While somebody sleeps, the projector works, or does not. */
  readonly projectorRuns: (runs: boolean) => void;
  readonly sleptMs: () => number;
};

const samplesPartitions = 12;

export const openGatewayHouse = async (
  steps: readonly Step[] = [],
  change: (whole: GatewayPorts) => Partial<GatewayPorts> = () => ({}),
): Promise<GatewayHouse> => {
  let nowMs = openedAtMs;
  const memoryLog = (name: string, partitions = 1): RecordLog =>
    createMemoryRecordLog({ name, partitions, nowMs: () => nowMs });
  const log = memoryLog('log');
  const metrics = memoryLog('otlp_metrics');
  const instances = memoryLog('instances', instancePartitions);
  const samples = memoryLog('samples', samplesPartitions);
  const store = emptyStore();
  for (const record of await recordsOf(...steps)) value(await log.append(0, [record]));

  let state: FoldState | undefined;
  const project = async (): Promise<void> => {
    const ports = { log, store, tools, audience, pinnedLogId: null };
    const records = value(await log.read(0, state?.next ?? 0, 10_000));
    if (records.length === 0) return;
    const isFirst = state === undefined;
    ({ state } = value(await applyBatch(ports, 'g1', state, records)));
    if (isFirst) value(await store.switchTo(undefined, 'g1'));
  };
  await project();

  let runs = false;
  let sleptMs = 0;
  const whole: GatewayPorts = {
    audience,
    log,
    store,
    tools,
    clock: {
      nowMs: () => nowMs,
      sleep: async (ms) => {
        sleptMs += ms;
        nowMs += ms;
        if (runs) await project();
        await new Promise((done) => setImmediate(done));
      },
    },
    schemas: loadSchemas().map((file) => ({ ...file, digest: schemaDigest(file.text) })),
    instances: async () => ok(instances),
    problems: async (question) => {
      const instanceStore = createMemoryReadModelStore({ orderedModels: orderedInstanceModels });
      const projection = { log, store, tools, audience };
      value(await foldInstancesToEnd({ instances, instanceStore, projection }));
      return readProblems(tools)({ store, generation: 'g1', instanceStore }, question);
    },
    telemetry: { metrics, traces: null, logs: null },
    otlp: {
      readMetrics: openMetricsReader(),
      split: splitOtlp,
      keepServices,
      gunzip: gunzipCapped,
      writeMetricsResponse: encodeMetricsResponse,
      writeStatus: encodeStatus,
    },
  };
  const ports = { ...whole, ...change(whole) };
  const app = createApp(ports);
  const send = (method: string, target: string, asked: Asked = {}): Promise<Answered> =>
    ask(app.api, method, target, asked);

  return {
    app,
    ports,
    log,
    store,
    metrics,
    instances,
    samples,
    send,
    get: (target, asked) => send('GET', target, asked),
    post: (record, asked = {}) => {
      const { headers, body } = toHttp(tools.text, record);
      return send('POST', '/v1/markers', {
        body,
        ...asked,
        headers: { ...headers, ...asked.headers },
      });
    },
    sendTelemetry: (target, asked) => ask(app.telemetry, 'POST', target, asked),
    records: async () => value(await log.read(0, 0, 100_000)),
    project,
    projectorRuns: (does) => {
      runs = does;
    },
    sleptMs: () => sleptMs,
  };
};

const ask = async (
  handler: HttpHandler,
  method: string,
  target: string,
  asked: Asked,
): Promise<Answered> => {
  const response = await handler(requestOf(method, target, asked));
  const bytes = Buffer.from(response.body as Uint8Array);
  return {
    status: response.status,
    headers: response.headers,
    text: bytes.toString('utf8'),
    bytes,
    get json(): Json {
      return JSON.parse(bytes.toString('utf8'));
    },
  };
};

const requestOf = (method: string, target: string, asked: Asked): HttpRequest => {
  const [path = '', ...search] = target.split('?');
  const bytes = Buffer.from((asked.body ?? '') as Uint8Array);
  const headers = new Map(
    Object.entries(asked.headers ?? {}).map(([name, content]) => [name.toLowerCase(), content]),
  );
  const query = new Map<string, string>();
  for (const [name, content] of new URLSearchParams(search.join('?')))
    if (!query.has(name)) query.set(name, content);
  return {
    method,
    path,
    query,
    header: (name) => headers.get(name),
    body: async (bytesMax) => {
      if (asked.cutOff === true) return fail('cut-off');
      return bytes.length > bytesMax ? fail('too-large') : ok(bytes);
    },
  };
};
