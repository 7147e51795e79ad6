import { setTimeout as sleep } from 'node:timers/promises';
import { uuidOfParts } from '../../core/uuid-v8.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { NewRecord } from '../../core/log/record.ts';
import type { Body } from '../../core/markers/upcast.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { Emitters } from './emitters.ts';
import type { Events } from './events.ts';
import { noDetails } from '../no-details.ts';
import { updateBody } from './pipelines.ts';
import type { Pipelines } from './pipelines.ts';

/** Canaries that fail, one after the other: the analysers have something to decide while they are killed. */
export type Canaries = { readonly stop: () => Promise<void> };

export type CanaryOptions = {
  readonly pipelines: Pipelines;
  readonly emitters: Emitters;
  /** The stream of OTLP metrics. */
  readonly metrics: RecordLog;
  readonly tools: CheckTools;
  readonly events: Events;
};

const exportEveryMs = 1_000;
/** A decision takes some 20 s after the opening, and an opening may wait for whoever takes over. */
const analysedForMs = 90_000;
/** Several are analysed at a time. */
const betweenMs = 18_000;

export type Server = {
  readonly component: string;
  readonly version: string;
  readonly deployment: string | null;
  readonly requests: number;
  readonly errors: number;
  /** A cumulative series is told by its start. */
  readonly startedAtMs: number;
  exports: number;
};

export const startCanaries = (options: CanaryOptions): Canaries => {
  const { pipelines, emitters, metrics, tools, events } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const wait = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal }).catch(() => undefined);
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));

  const exporting = async (servers: readonly Server[], untilMs: number): Promise<void> => {
    while (performance.now() < untilMs && !signal.aborted) {
      for (const server of servers) {
        server.exports += 1;
        // Telemetry may be lost; the analyser says what it lacks.
        await metrics.append(0, [exportOf(server, Date.now(), tools)]);
      }
      await wait(exportEveryMs);
    }
  };

  const runOne = async (number: number): Promise<void> => {
    const component = `shop-${number}`;
    const slot: Body = {
      namespace: 'default',
      environment: 'production',
      component,
      target: null,
    };
    const deployment = uuidOfParts(digest, ['canary', component, `${Date.now()}`]);
    const version = {
      version: '1.0.0',
      digest: null,
      rollback: false,
      reason: null,
      details: noDetails,
    };
    await emitters.deliver(await pipelines.say('logged', { ...version, slot }));
    const plan = { ...version, version: '2.0.0', deployment, slot, name: 'default' };
    await emitters.deliver(
      await pipelines.say('planned', { ...plan, strategy: null, canaryShare: 0.2 }),
    );
    await emitters.deliver(await pipelines.say('started', { ...updateBody, deployment }));
    const base = { component, exports: 0, startedAtMs: Date.now() };
    await exporting(
      [
        { ...base, version: '1.0.0', deployment: null, requests: 200, errors: 1 },
        { ...base, version: '2.0.0', deployment, requests: 60, errors: 25 },
      ],
      performance.now() + analysedForMs,
    );
    await emitters.deliver(await pipelines.say('failed', { ...updateBody, deployment }));
  };

  const going = async (): Promise<void> => {
    const under: Promise<void>[] = [];
    for (let number = 1; !signal.aborted; number += 1) {
      under.push(runOne(number).catch((error: unknown) => events.add('canaries', String(error))));
      await wait(betweenMs);
    }
    await Promise.all(under);
  };
  const over = going();
  return {
    stop: async () => {
      stopping.abort();
      await over;
    },
  };
};

/** Cumulative counters since the server began, as the OpenTelemetry SDK exports them (OTLP/JSON). */
export const exportOf = (server: Server, nowMs: number, tools: CheckTools): NewRecord => {
  const nanos = (ms: number): string => `${ms}000000`;
  const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
  const point = (status: number, perExport: number): object => ({
    startTimeUnixNano: nanos(server.startedAtMs),
    timeUnixNano: nanos(nowMs),
    count: String(perExport * server.exports),
    sum: 1.5,
    bucketCounts: [String(perExport * server.exports)],
    explicitBounds: [],
    attributes: [{ key: 'http.response.status_code', value: { intValue: String(status) } }],
  });
  const request = {
    resourceMetrics: [
      {
        resource: {
          attributes: [
            attribute('service.name', server.component),
            attribute('service.version', server.version),
            attribute('service.instance.id', `${server.component} ${server.version}`),
            attribute('deployment.environment.name', 'production'),
            ...(server.deployment === null ? [] : [attribute('deployment.id', server.deployment)]),
          ],
        },
        scopeMetrics: [
          {
            scope: { name: 'http', version: '1.0.0' },
            metrics: [
              {
                name: 'http.server.request.duration',
                unit: 's',
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    point(200, server.requests - server.errors),
                    point(500, server.errors),
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  };
  return {
    key: new Uint8Array(),
    headers: [{ name: 'content-type', value: tools.text.encodeUtf8('application/json') }],
    value: tools.text.encodeUtf8(JSON.stringify(request)),
  };
};
