import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { kcat } from '../support/kcat.ts';
import {
  attributes,
  DELTA,
  goodPoint,
  histogram,
  jsonOf,
  protobufOf,
} from '../support/otlp/requests.ts';
import type { OtlpRequest, OtlpResourceMetrics } from '../support/otlp/requests.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// Telemetry that the OpenTelemetry Collector's Kafka exporter wrote, in both of its encodings, leads to a decision.

const { kafkaBrokers, redisUrl } = sharedStack();
const folder = scratchFolder();
const audience = freshAudience();
const topic = `plimsoll.${audience}.otlp_metrics`;
const partitions = 4;
const setupMs = 120_000;
const decisionMs = 120_000;
const env = {
  PLIMSOLL_LOG: `kafka://${kafkaBrokers.join(',')}`,
  PLIMSOLL_STORE: redisUrl,
  PLIMSOLL_AUDIENCE: audience,
  PLIMSOLL_POLICY: 'policy.json',
  PLIMSOLL_PORT: '0',
  PLIMSOLL_OTLP_PORT: '0',
};
/** Short times; no cap, so that few windows suffice. */
const judging = { window: '1s', block: '1s', 'block-cap': 20, 'no-data': '10s' };
const policy = {
  version: 2,
  policies: [{ component: '*', environment: '*', preset: 'standard', 'warm-up': '1s', judging }],
};

const kafka = new Kafka({ brokers: [...kafkaBrokers], logLevel: logLevel.NOTHING });
let producer: Producer;
let up: ReturnType<typeof startPlimsoll>;

const release = async (...args: readonly string[]): Promise<void> => {
  const { exit, err } = await plimsoll(folder, ['release', ...args, '--timeout=60s'], env);
  expect([exit, exit === 0 ? '' : err]).toEqual([0, '']);
};

beforeAll(async () => {
  // As an operator makes it for a Collector: with as many partitions as they like.
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic,
        numPartitions: partitions,
        configEntries: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
      },
    ],
  });
  await admin.disconnect();
  producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  writeFileSync(join(folder, 'policy.json'), JSON.stringify(policy));
  up = startPlimsoll(folder, ['up'], env);
  await eventually('everything is ready', () => up.out().includes('ready'), setupMs);
}, setupMs);
afterAll(async () => {
  up.signal('SIGTERM');
  await Promise.all([up.ended, producer.disconnect()]);
});

/** What one server answered since it exported last. */
const exported = (
  version: string,
  instance: string,
  [startMs, timeMs]: readonly [number, number],
  counts: { readonly ok: number; readonly failed: number },
): OtlpResourceMetrics => {
  const point = (count: number, status: number): object => ({
    ...goodPoint,
    startTimeUnixNano: `${startMs}000000`,
    timeUnixNano: `${timeMs}000000`,
    count: String(count),
    sum: count / 100,
    bucketCounts: [String(count), '0', '0'],
    attributes: attributes({
      'http.request.method': 'GET',
      'http.response.status_code': status,
    }),
  });
  const points = [
    point(counts.ok, 200),
    ...(counts.failed === 0 ? [] : [point(counts.failed, 500)]),
  ];
  return {
    resource: {
      attributes: attributes({
        'service.name': 'checkout',
        'service.version': version,
        'service.instance.id': instance,
        'deployment.environment.name': 'production',
      }),
    },
    scopeMetrics: [
      { scope: { name: 'http' }, metrics: [histogram(points, { temporality: DELTA })] },
    ],
  };
};

/**
 * One interval of four servers. Half of each version comes in protobuf, without a key and with both versions in one
 * record; the other half in JSON, keyed, in other partitions. Only the canary's half in JSON fails.
 */
const sendInterval = async (interval: readonly [number, number]): Promise<void> => {
  const good = { ok: 50, failed: 0 };
  const request = (...resourceMetrics: OtlpResourceMetrics[]): OtlpRequest => ({ resourceMetrics });
  const both = request(
    exported('1.0.0', 'a', interval, good),
    exported('2.0.0', 'b', interval, good),
  );
  const baseline = request(exported('1.0.0', 'c', interval, good));
  const canary = request(exported('2.0.0', 'd', interval, { ok: 25, failed: 25 }));
  const key = 'a-trace-or-resource-key';
  await producer.send({
    topic,
    messages: [
      { partition: 0, value: Buffer.from(protobufOf(both)) },
      { partition: 1, key, value: Buffer.from(jsonOf(baseline)) },
      {
        partition: 3,
        key,
        headers: { 'content-type': 'application/json' },
        value: Buffer.from(jsonOf(canary)),
      },
    ],
  });
};

test(
  'OTLP in Kafka, in protobuf and JSON, keyed and not, from several partitions, rolls a canary back',
  {
    timeout: setupMs + decisionMs,
  },
  async () => {
    await release(
      'log',
      '--component-name=checkout',
      '--environment-name=production',
      '--target-version=1.0.0',
    );
    await release(
      'plan',
      '--component-name=checkout',
      '--environment-name=production',
      '--target-version=2.0.0',
      '--strategy=canary',
      '--canary-share=0.5',
    );
    await release('update', '--status=RUNNING');
    await eventually(
      'the analysis is open',
      () => up.err().includes('compares deployment'),
      setupMs,
    );
    // What nobody can read stands in the way of nothing.
    await producer.send({
      topic,
      messages: [
        { partition: 0, value: Buffer.from('no telemetry') },
        { partition: 1, value: Buffer.from('{"resourceMetrics":') },
        { partition: 2, value: null },
      ],
    });

    let sentAtMs = Date.now();
    await eventually(
      'the analyser has decided',
      async () => {
        await sleep(1_000);
        const nowMs = Date.now();
        await sendInterval([sentAtMs, nowMs]);
        sentAtMs = nowMs;
        return up.err().includes('roll-back for deployment');
      },
      decisionMs,
    );

    const { out } = await plimsoll(folder, ['decisions', '--json'], env);
    const [decision] = out.split('\n').map((line) => JSON.parse(line || 'null') as unknown);
    expect(decision).toMatchObject({
      decision: 'roll-back',
      verdict: 'fail',
      signer: 'analyser',
      fromVersion: '2.0.0',
      toVersion: '1.0.0',
      note: 'applied',
    });
    // Either half alone would say that none of the canary's requests failed, or that half of them did.
    const { canary, baseline } = decision as Record<
      'canary' | 'baseline',
      { readonly requests: number; readonly errors: number }
    >;
    expect(canary.errors / canary.requests).toBeGreaterThan(0.2);
    expect(canary.errors / canary.requests).toBeLessThan(0.3);
    expect(baseline.requests).toBeGreaterThan(0);
    expect(baseline.errors).toBe(0);

    const onLog = (await kcat(kafkaBrokers, `plimsoll.${audience}.log`)).at(-1);
    const type = expect.stringMatching(/^plimsoll\.roll-back\.v[0-9]+$/) as string;
    expect(onLog?.headers).toContainEqual(['ce_type', type]);
  },
);

test('what the gateway is sent goes on as it came: metrics, and where Kafka is traces and logs too', async () => {
  const otlp = /OTLP\/HTTP at (http:\S+) and/.exec(up.out())?.[1] ?? '';
  const post = (path: string, contentType: string, body: Uint8Array): Promise<Response> =>
    fetch(`${otlp}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: Buffer.from(body),
    });
  const protobuf = 'application/x-protobuf';
  // Field 1 of each request: one empty resource.
  const nothing = Uint8Array.of(0x0a, 0x00);
  const json = Buffer.from('{"resourceLogs":[]}');
  expect((await post('/v1/traces', protobuf, nothing)).status).toBe(200);
  expect((await post('/v1/logs', 'application/json', json)).status).toBe(200);
  expect((await post('/v1/metrics', protobuf, nothing)).status).toBe(200);

  const seen = async (name: string): Promise<readonly unknown[] | undefined> => {
    const record = (await kcat(kafkaBrokers, `plimsoll.${audience}.${name}`)).findLast(
      ({ headers }) => headers.length > 0,
    );
    return record && [record.key, record.headers, record.value];
  };
  const declared = (contentType: string): unknown => [['content-type', contentType]];
  expect(await seen('otlp_spans')).toEqual(['', declared(protobuf), Buffer.from(nothing)]);
  expect(await seen('otlp_logs')).toEqual(['', declared('application/json'), json]);
  // kcat alone may take a second, and the metrics come after the answer.
  await expect
    .poll(async () => (await kcat(kafkaBrokers, topic)).map(({ value }) => value), {
      timeout: 10_000,
    })
    .toContainEqual(Buffer.from(nothing));
});

test('the gateway is ready, and says how far the read models are behind the log', async () => {
  const url = /gateway: (http:\S+)\n/.exec(up.out())?.[1] ?? '';
  const answer = await fetch(`${url}/readyz`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    status: 'ready',
    log: { name: `plimsoll.${audience}.log`, end: expect.any(Number) as number },
    checkpoint: { next: expect.any(Number) as number },
    lagRecords: expect.any(Number) as number,
  });
});
