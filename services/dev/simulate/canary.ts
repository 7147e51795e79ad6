import { openTelemetryReader, otlpContentTypeOf } from '../../adapters/otlp/metrics-request.ts';
import { startAnalyser } from '../../analyser/start.ts';
import type { PolicyDocument } from '../../core/canary/policy/placed-policy.ts';
import { anyName } from '../../core/canary/policy/placed-policy.ts';
import { presets } from '../../core/canary/policy/presets.ts';
import type { NewRecord } from '../../core/log/record.ts';
import { headerNames } from '../../core/markers/wire.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Life, Scheduler } from './scheduler.ts';
import { openSimulatedLog } from './simulated-log.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { Fact, Place } from './told.ts';
import { signerOf, tools } from './tools.ts';
import { audience, idOf, write } from './write.ts';

// A canary that fails half of its requests, two servers that export what they count, and the product's analysers,
// which must roll it back: once, whoever of them dies when.

/** A place that no other pipeline uses. */
const place: Place = { environment: 'production', component: 'shop' };
const baselineVersion = '1.9.4';
const canaryVersion = '2.0.0';

/** In their order: what ran before, the plan of the canary, its start. */
export const makeCanary = async (): Promise<readonly Fact[]> => {
  const of = { by: 'wide', deployment: 'canary', token: 'canary run' };
  return [
    await write({
      by: 'wide',
      kind: 'logged',
      marker: 'baseline',
      place,
      version: baselineVersion,
    }),
    await write({
      ...of,
      kind: 'planned',
      marker: 'canary planned',
      place,
      version: canaryVersion,
      canaryShare: 0.5,
    }),
    await write({ ...of, kind: 'started', marker: 'canary started' }),
  ];
};

/** As in production, with times that pass sooner. */
const policyFile: PolicyDocument = {
  policies: [
    {
      component: anyName,
      environment: anyName,
      preset: 'standard',
      policy: {
        ...presets.standard,
        windowMs: 1_000,
        warmUpMs: 2_000,
        soakMs: 6_000,
        blockMs: 3_000,
        noDataMs: 8_000,
      },
    },
  ],
};

/** Deployment id of the canary. */
export const canaryDeployment: string = idOf('deployment canary', 8);

export type CanaryHouse = {
  /** Beside the log of the installation: what servers say, and what analysers make of it. */
  readonly logs: readonly SimulatedLog[];
  readonly startAnalyser: (life: Life) => void;
  /** Until `isOver`, the servers export what they count. */
  readonly startServers: (life: Life, isStarted: () => boolean, isOver: () => boolean) => void;
};

export const openCanaryHouse = (parts: {
  readonly scheduler: Scheduler;
  readonly broker: Life;
  readonly log: SimulatedLog;
  readonly openStore: (life: Life) => ReadModelStore;
  readonly trace: ((line: string) => void) | undefined;
}): CanaryHouse => {
  const { scheduler, broker, trace } = parts;
  const logOf = (name: string, partitions: number): SimulatedLog =>
    openSimulatedLog({
      name,
      partitions,
      scheduler,
      broker,
      brokerMs: scheduler.nowMs,
      batchRecordsMax: 200,
      copied: (record) => record,
    });
  const metrics = logOf('metrics', 1);
  const samples = logOf('samples', 2);
  return {
    logs: [metrics, samples],
    startAnalyser: (life) => {
      startAnalyser({
        log: parts.log.open(life),
        metrics: metrics.open(life),
        samples: samples.open(life),
        audience,
        store: parts.openStore(life),
        clock: scheduler.clockOf(life),
        signer: signerOf('analyser'),
        tools,
        readTelemetry,
        otlpContentTypeOf,
        policyFile,
        tell: (event) => trace?.(`  ..  ${life.name} says ${JSON.stringify(event)}`),
      });
    },
    startServers: (life, isStarted, isOver) => {
      const startMs = scheduler.nowMs();
      let canarySinceMs: number | null = null;
      const since = (): number | null => {
        if (canarySinceMs === null && isStarted()) canarySinceMs = scheduler.nowMs();
        return canarySinceMs;
      };
      void serve(metrics.open(life), scheduler.clockOf(life), startMs, since, isOver);
    },
  };
};

const readTelemetry = openTelemetryReader();

const exportEveryMs = 1_000;
const requestsPerExport = 200;

/** Both servers export every second, until nobody needs it; what was not acknowledged is sent again. */
const serve = async (
  metrics: RecordLog,
  clock: Clock,
  startMs: number,
  canarySinceMs: () => number | null,
  isOver: () => boolean,
): Promise<void> => {
  while (!isOver()) {
    await clock.sleep(exportEveryMs);
    const sinceMs = canarySinceMs();
    const record = exportOf(clock.nowMs(), [
      { version: baselineVersion, sinceMs: startMs, failing: 0 },
      ...(sinceMs === null ? [] : [{ version: canaryVersion, sinceMs, failing: 0.5 }]),
    ]);
    for (;;) {
      const appended = await metrics.append(0, [record]);
      if (appended.ok) break;
      await clock.sleep(exportEveryMs / 4);
    }
  }
};

type Server = { readonly version: string; readonly sinceMs: number; readonly failing: number };

/** OTLP/JSON: counters that run since the server began. */
const exportOf = (nowMs: number, servers: readonly Server[]): NewRecord => {
  const body = {
    resourceMetrics: servers.map(({ version, sinceMs, failing }) => {
      const requests = Math.floor(((nowMs - sinceMs) / exportEveryMs) * requestsPerExport);
      const failed = Math.floor(requests * failing);
      const point = (status: number, count: number): object => ({
        startTimeUnixNano: `${sinceMs}000000`,
        timeUnixNano: `${nowMs}000000`,
        count: String(count),
        sum: 1.5,
        bucketCounts: [String(count)],
        explicitBounds: [],
        attributes: [{ key: 'http.response.status_code', value: { intValue: String(status) } }],
      });
      const resource = {
        'service.name': place.component,
        'service.version': version,
        'deployment.environment.name': place.environment,
      };
      return {
        resource: {
          attributes: Object.entries(resource).map(([key, stringValue]) => ({
            key,
            value: { stringValue },
          })),
        },
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'http.server.request.duration',
                unit: 's',
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [point(200, requests - failed), point(500, failed)],
                },
              },
            ],
          },
        ],
      };
    }),
  };
  return {
    key: new Uint8Array(),
    headers: [{ name: headerNames.contentType, value: tools.text.encodeUtf8('application/json') }],
    value: tools.text.encodeUtf8(JSON.stringify(body)),
  };
};
