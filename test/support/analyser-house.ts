import {
  otlpContentTypeOf,
  openTelemetryReader,
} from '../../services/adapters/otlp/metrics-request.ts';
import { createMemoryClock } from '../../services/adapters/memory/clock.ts';
import type { MemoryClock } from '../../services/adapters/memory/clock.ts';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import type { AnalyserEvent, AnalyserPorts } from '../../services/analyser/ports.ts';
import { startAnalyser } from '../../services/analyser/start.ts';
import type { Analyser } from '../../services/analyser/start.ts';
import type { Policy } from '../../services/core/canary/policy/policy.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { fail } from '../../services/core/result.ts';
import type { FoldState } from '../../services/core/projection.ts';
import type { DecisionRow } from '../../services/core/read-models.ts';
import { orderedModels } from '../../services/core/read-models.ts';
import { readRow } from '../../services/core/row-text.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { RecordLog, Subscription } from '../../services/ports/record-log.ts';
import { applyBatch } from '../../services/projector/project.ts';
import { everywhere } from './canary/sample-streams.ts';
import { keyOf, openedAtMs, signed, tools } from './given.ts';
import type { Said } from './markers.ts';
import { added, audience, logged, opened, planned, started } from './markers.ts';
import { attributes, histogram, jsonOf, protobufOf, requestOf } from './otlp/requests.ts';
import { value } from './records.ts';

// A whole house on memory logs and a clock that a test moves: pipeline, projector, servers and analysers.

/** A server whose requests are counted, as the pipeline's markers see it. Requests and errors are those of one export. */
export type Server = {
  readonly name: string;
  readonly version: string;
  /** `checkout` unless told. */
  readonly component?: string;
  readonly deployment?: string;
  readonly requests: number;
  errors: number;
  /** How often it exports; every second unless told. */
  readonly everyMs?: number;
  /** How far its clock is ahead. */
  readonly aheadMs?: number;
  /** It sends nothing before this, milliseconds after the opening of the log. */
  readonly fromMs: number;
  untilMs?: number;
};

/** One way of an export to where it is read: a partition of `metrics`, and how long it is under way. */
export type Way = { readonly partition: number; readonly afterMs: number };

export type AnalyserHouse = {
  readonly ports: AnalyserPorts;
  readonly clock: MemoryClock;
  readonly log: RecordLog;
  readonly metrics: RecordLog;
  readonly samples: RecordLog;
  readonly store: ReadModelStore;
  readonly events: readonly AnalyserEvent[];
  readonly sinceOpeningMs: () => number;
  readonly servers: Server[];
  /** The ways that an export goes; several: it comes several times. One partition after the other unless told. */
  waysOf: (server: Server, exports: number) => readonly Way[];
  readonly say: (name: string, says: Said) => Promise<void>;
  /** The clock goes on in steps, servers export, everybody does what there is to do. */
  readonly pass: (ms: number, stepMs?: number) => Promise<void>;
  /** With other ports than those of the house where a test says so. */
  readonly start: (change?: Partial<AnalyserPorts>) => Analyser;
  /** An analyser that dies in the moment of its n-th append: before it, or after it and before the answer. */
  readonly startDoomed: (
    appends: number,
    moment: 'before' | 'after',
    counted?: 'all' | 'decisions',
    change?: Partial<AnalyserPorts>,
  ) => Doomed;
  /** Until the answer is called, nothing more is projected. */
  readonly pauseProjector: () => () => void;
  readonly decisions: () => Promise<readonly DecisionRow[]>;
  readonly deadLetters: () => Promise<readonly string[]>;
};

export type Doomed = { readonly isDead: () => boolean; readonly kill: () => Promise<void> };

const exportEveryMs = ({ everyMs = 1_000 }: Server): number => everyMs;

/** `spread`: how a log is shared out among its readers; unless told, one of them has all of it. */
export const buildAnalyserHouse = async (
  policy: Policy,
  spread: (log: RecordLog) => RecordLog = (log) => log,
): Promise<AnalyserHouse> => {
  const clock = createMemoryClock(openedAtMs);
  const memoryLog = (name: string, partitions: number): RecordLog =>
    createMemoryRecordLog({ name, partitions, nowMs: clock.nowMs });
  const log = memoryLog('log', 1);
  const metrics = spread(memoryLog('otlp_metrics', 2));
  const samples = spread(memoryLog('samples', 12));
  const store = createMemoryReadModelStore({ orderedModels });
  const events: AnalyserEvent[] = [];
  const servers: Server[] = [];
  let said = 0;
  let exports = 0;
  let underWay: (Way & { readonly record: NewRecord })[] = [];

  const ports: AnalyserPorts = {
    audience,
    log,
    metrics,
    samples,
    store,
    signer: keyOf('analyser'),
    tools,
    clock,
    readTelemetry: openTelemetryReader(),
    otlpContentTypeOf,
    policyFile: { policies: [everywhere(policy)] },
    tell: (event) => events.push(event),
  };

  const say = async (name: string, says: Said): Promise<void> => {
    value(await log.append(0, [await signed(name, says, `marker ${said++}`, clock.nowMs())]));
    await settled();
  };

  const pass = async (ms: number, stepMs: number = 100): Promise<void> => {
    const untilMs = clock.nowMs() + ms;
    while (clock.nowMs() < untilMs) {
      // Ends on whole steps since the opening: there the servers export.
      const toWholeMs = stepMs - ((clock.nowMs() - openedAtMs) % stepMs);
      const passedMs = Math.min(toWholeMs, untilMs - clock.nowMs());
      await clock.advance(passedMs);
      for (const server of servers) {
        const sinceMs = clock.nowMs() - openedAtMs - server.fromMs;
        const isOver = server.untilMs !== undefined && clock.nowMs() >= openedAtMs + server.untilMs;
        if (sinceMs <= 0 || sinceMs % exportEveryMs(server) !== 0 || isOver) continue;
        const record = exportOf(server, sinceMs / exportEveryMs(server), clock.nowMs(), exports);
        for (const way of house.waysOf(server, exports)) underWay.push({ ...way, record });
        exports += 1;
      }
      const due = underWay.filter(({ afterMs }) => afterMs <= 0);
      underWay = underWay.flatMap((way) =>
        way.afterMs <= 0 ? [] : [{ ...way, afterMs: way.afterMs - passedMs }],
      );
      for (const { partition, record } of due) value(await metrics.append(partition, [record]));
      await settled();
    }
  };

  const projector: Projector = { pause: Promise.resolve() };
  await project(log, store, projector);
  await say('admin', opened(keyOf('admin')));
  await say('admin', added(keyOf('ci'), { roles: ['emitter'] }));

  const row = async <Row>(model: string): Promise<readonly Row[]> =>
    value(await store.scan('g', model, { rowsMax: 10_000 })).rows.map(({ value: json }) =>
      readRow<Row>(model, json),
    );

  const house: AnalyserHouse = {
    ports,
    clock,
    log,
    metrics,
    samples,
    store,
    events,
    sinceOpeningMs: () => clock.nowMs() - openedAtMs,
    servers,
    waysOf: (_server, count) => [{ partition: count % metrics.partitions, afterMs: 0 }],
    say,
    pass,
    start: (change = {}) => startAnalyser({ ...ports, ...change }),
    startDoomed: (appends, moment, counted = 'all', change = {}) =>
      doom({ ...ports, ...change }, appends, moment, counted),
    pauseProjector: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      projector.pause = promise;
      return resolve;
    },
    decisions: () => row<DecisionRow>('decision'),
    deadLetters: async () =>
      (await row<{ readonly code: string }>('dead-letter')).map(({ code }) => code),
  };
  return house;
};

/** A house in which a canary takes half of the traffic of one component; nobody serves yet. */
export const buildCanaryHouse = async (policy: Policy): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(policy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  await house.say('ci', planned('2.0.0', { canaryShare: 0.5, attempt: 'run-1' }));
  await house.say('ci', started({ attempt: 'run-1' }));
  return house;
};

/**
 * Analysers start, and two seconds later a canary that fails so often a second, of 500 requests; answers from when on it
 * serves, milliseconds since the opening.
 */
export const startCanary = async (
  house: AnalyserHouse,
  errors: number,
): Promise<{ readonly fromMs: number }> => {
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4'));
  const server = { name: 'baseline', version: '1.9.4', requests: 500, errors: 0, fromMs: 0 };
  house.servers.push({ ...server });
  house.start();
  await house.pass(2000);
  await house.say('ci', planned('2.0.0', { canaryShare: 0.1 }));
  await house.say('ci', started());
  const fromMs = house.sinceOpeningMs() + 300;
  house.servers.push({ ...server, name: 'canary', version: '2.0.0', errors, fromMs });
  return { fromMs };
};

/** Lets everything happen that waits for no time. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
};

type Projector = { pause: Promise<void> };

/** A projector without a clock: the real fold, batch by batch. */
const project = async (
  log: RecordLog,
  store: ReadModelStore,
  projector: Projector,
): Promise<void> => {
  let state: FoldState | undefined;
  const projection = { log, store, tools, audience, pinnedLogId: null };
  await log.subscribe('projector', {
    startFrom: async () => 0,
    onBatch: async ({ records }) => {
      await projector.pause;
      state = value(await applyBatch(projection, 'g', state, records)).state;
      await store.switchTo(undefined, 'g');
    },
  });
};

/** Cumulative counters since the server began, in the two encodings in turn. */
const exportOf = (server: Server, index: number, nowMs: number, exports: number): NewRecord => {
  const nanos = (ms: number): string => `${ms}000000`;
  const timeMs = nowMs + (server.aheadMs ?? 0);
  const startMs = timeMs - index * exportEveryMs(server);
  const point = (status: number, perExport: number): object => ({
    startTimeUnixNano: nanos(startMs),
    timeUnixNano: nanos(timeMs),
    count: String(perExport * index),
    sum: 1.5,
    bucketCounts: [String(perExport * index)],
    explicitBounds: [],
    attributes: attributes({ 'http.response.status_code': status }),
  });
  const request = requestOf(
    [histogram([point(200, server.requests - server.errors), point(500, server.errors)])],
    {
      'service.name': server.component ?? 'checkout',
      'service.version': server.version,
      'service.instance.id': server.name,
      'deployment.environment.name': 'production',
      ...(server.deployment === undefined ? {} : { 'deployment.id': server.deployment }),
    },
  );
  const isJson = exports % 2 === 0;
  return {
    key: new Uint8Array(),
    headers: [
      {
        name: 'content-type',
        value: tools.text.encodeUtf8(isJson ? 'application/json' : 'application/x-protobuf'),
      },
    ],
    value: isJson ? jsonOf(request) : protobufOf(request),
  };
};

/** A log whose first appends fail in these ways; `unknown` has appended all the same. */
export const faulty = (
  log: RecordLog,
  problems: readonly ('unreachable' | 'unknown' | 'refused')[],
): RecordLog => {
  const waiting = [...problems];
  return {
    ...log,
    append: async (partition, records) => {
      const code = waiting.shift();
      if (code === undefined) return log.append(partition, records);
      if (code === 'unknown') await log.append(partition, records);
      return fail({ code, message: `a planted fault: ${code}` });
    },
  };
};

/** An analyser in a process that ends in the middle: from then on nothing that it calls comes back to it. */
const doom = (
  ports: AnalyserPorts,
  appends: number,
  moment: 'before' | 'after',
  counted: 'all' | 'decisions',
): Doomed => {
  let left = appends;
  let dead = false;
  const subscriptions: Subscription[] = [];

  const die = async (): Promise<void> => {
    dead = true;
    // The log notices sooner or later that the member is gone.
    void Promise.all(subscriptions.map((subscription) => subscription.stop()));
  };
  const alive = (): void => {
    if (dead) throw new Error('killed');
  };
  const mortal = (log: RecordLog): RecordLog => ({
    ...log,
    append: async (partition, records) => {
      alive();
      if (counted === 'all' || log === ports.log) left -= 1;
      if (left > 0) return log.append(partition, records);
      if (moment === 'after') await log.append(partition, records);
      await die();
      throw new Error('killed');
    },
    read: async (...given) => {
      alive();
      return log.read(...given);
    },
    range: async (partition) => {
      alive();
      return log.range(partition);
    },
    subscribe: async (group, subscriber) => {
      alive();
      const subscription = await log.subscribe(group, subscriber);
      subscriptions.push(subscription);
      return {
        ...subscription,
        hint: async (partition, position) => {
          if (!dead) await subscription.hint(partition, position);
        },
      };
    },
  });
  startAnalyser({
    ...ports,
    log: mortal(ports.log),
    metrics: mortal(ports.metrics),
    samples: mortal(ports.samples),
    clock: {
      nowMs: ports.clock.nowMs,
      sleep: (ms, stop) => (dead ? new Promise(() => undefined) : ports.clock.sleep(ms, stop)),
    },
  });
  return {
    isDead: () => dead,
    kill: async () => {
      if (!dead) await die();
    },
  };
};
