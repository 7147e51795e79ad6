import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { fail } from '../../../services/core/result.ts';
import { ciEnvironment } from '../../support/ci-environments.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import type { Receiver } from '../../support/otlp/receiver.ts';
import type { Plain } from '../../support/otlp/receiver.ts';
import { logsOf, spansOf, startReceiver } from '../../support/otlp/receiver.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const receiving = async (...answer: Parameters<typeof startReceiver>): Promise<Receiver> => {
  const receiver = await startReceiver(...answer);
  closing.push(receiver.close);
  return receiver;
};

const desk = (options: DeskOptions = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), isRemote: true, ...options });

const place = ['--environment-name=production', '--component-name=checkout'];
const plan = ['release', 'plan', ...place, '--target-version=2.0.0'];
const update = (status: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'update', `--status=${status}`],
  ...more,
];

const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('golden: what an OpenTelemetry receiver gets of a deployment', () => {
  const rewrites = process.env['WRITE_GOLDEN'] === 'otlp';
  const endings: { readonly [name: string]: readonly (readonly string[])[] } = {
    succeeded: [
      [...plan, '--digest=sha256:' + 'ab'.repeat(32)],
      update('RUNNING'),
      update('SUCCESS'),
    ],
    'timed-out': [
      plan,
      update('RUNNING'),
      update('TIMED_OUT', '--failure-reason=no pod got ready'),
    ],
    canceled: [plan, update('CANCELED', '--failure-reason=superseded')],
    'rolled-back': [[...plan, '--rollback'], update('RUNNING'), update('SUCCESS')],
    logged: [['release', 'log', ...place, '--target-version=2.0.0']],
  };
  const scenes = ['circleci-push', 'github-push'].flatMap((ci) =>
    Object.keys(endings).flatMap((ending) =>
      (['http/protobuf', 'http/json'] as const).map((protocol) => ({ ci, ending, protocol })),
    ),
  );
  test.each(scenes)('$ending on $ci by $protocol', async ({ ci, ending, protocol }) => {
    const receiver = await receiving();
    const env = {
      ...ciEnvironment(ci),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    };
    const at = await desk({ env });
    for (const command of endings[ending] ?? []) {
      // Each from a job of its own, that knows nothing but the run.
      const job = at.elsewhere({ folder: join(scratch, randomUUID()) });
      const { exit, err } = await job.plimsoll(...command);
      expect([exit, err]).toEqual([0, []]);
    }
    expect(receiver.received.map(({ encoding }) => `http/${encoding}`)).toEqual(
      receiver.received.map(() => protocol),
    );
    const told = { spans: spansOf(receiver), logs: logsOf(receiver) };
    const file = resolve(import.meta.dirname, `../../golden/otlp/${ci}-${ending}.json`);
    if (rewrites && protocol === 'http/json')
      writeFileSync(file, `${JSON.stringify(told, null, 2)}\n`);
    expect(existsSync(file)).toBe(true);
    expect(told).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });
});

const told = async (
  env: { readonly [name: string]: string },
  ...commands: readonly (readonly string[])[]
): Promise<Receiver & { readonly err: readonly string[] }> => {
  const receiver = await receiving();
  const err: string[] = [];
  const at = await desk({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env } });
  for (const command of commands) {
    const said = await at.plimsoll(...command);
    expect(said.exit).toBe(0);
    err.push(...said.err);
  }
  return { ...receiver, err };
};

const ofDeployment = [plan, update('RUNNING'), update('SUCCESS')];

describe('a command with an exporter', () => {
  test('outside CI ties all to one span, too', async () => {
    const receiver = await told({}, ...ofDeployment);
    const [span, ...more] = spansOf(receiver);
    expect(more).toEqual([]);
    expect(
      logsOf(receiver).map(({ eventName, spanId, traceId }) => [eventName, spanId, traceId]),
    ).toEqual(
      ['planned', 'started', 'succeeded'].map((word) => [
        `plimsoll.deployment.${word}`,
        span?.['spanId'],
        span?.['traceId'],
      ]),
    );
  });

  test('tells the same where the log is at hand', async () => {
    const receiver = await receiving();
    const at = await desk({
      isRemote: false,
      env: { ...ciEnvironment('github-push'), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    for (const command of ofDeployment) {
      const job = at.elsewhere({ folder: join(scratch, randomUUID()), isRemote: false });
      expect((await job.plimsoll(...command)).exit).toBe(0);
    }
    const file = resolve(import.meta.dirname, '../../golden/otlp/github-push-succeeded.json');
    const golden = JSON.parse(readFileSync(file, 'utf8')) as { readonly spans: readonly Plain[] };
    const withoutDigest = golden.spans.map((span) => ({
      ...span,
      attributes: Object.fromEntries(
        Object.entries(span['attributes'] as Plain).filter(([name]) => name !== 'artifact.hash'),
      ),
    }));
    expect(spansOf(receiver)).toEqual(withoutDigest);
  });

  test('makes the span a child of TRACEPARENT', async () => {
    const receiver = await told({ TRACEPARENT: parent }, ...ofDeployment);
    const [span] = spansOf(receiver);
    expect(span).toMatchObject({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      parentSpanId: '00f067aa0ba902b7',
      flags: 0x301,
    });
    expect(logsOf(receiver).map(({ spanId }) => spanId)).toEqual(
      ofDeployment.map(() => span?.['spanId']),
    );
  });

  test('sends no span in a trace that is not sampled, but what happened', async () => {
    const receiver = await told({ TRACEPARENT: parent.replace(/01$/, '00') }, ...ofDeployment);
    expect(spansOf(receiver)).toEqual([]);
    expect(logsOf(receiver)).toHaveLength(3);
  });

  test.each([
    ['00-00000000000000000000000000000000-00f067aa0ba902b7-01'],
    ['ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['no trace'],
  ])('takes %s for no parent', async (traceparent) => {
    const [span] = spansOf(await told({ TRACEPARENT: traceparent }, ...ofDeployment));
    expect(span?.['parentSpanId']).toBeUndefined();
  });

  test.each([
    [{ OTEL_SDK_DISABLED: 'true' }, [0, 0]],
    [{ OTEL_TRACES_EXPORTER: 'none' }, [0, 3]],
    [{ OTEL_LOGS_EXPORTER: 'none' }, [1, 0]],
    [{ OTEL_LOGS_EXPORTER: 'console' }, [1, 0]],
    [{ OTEL_LOGS_EXPORTER: 'console, otlp', OTEL_TRACES_EXPORTER: 'otlp' }, [1, 3]],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, [0, 0]],
  ] satisfies [{ [name: string]: string }, [number, number]][])(
    'obeys %j',
    async (env, [spans, logs]) => {
      const receiver = await told(env, ...ofDeployment);
      expect([spansOf(receiver).length, logsOf(receiver).length]).toEqual([spans, logs]);
      expect(receiver.err).toEqual([]);
    },
  );

  test.each([
    ['grpc', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'exporter-not-spoken'],
    ['no address', { OTEL_EXPORTER_OTLP_ENDPOINT: 'user:hunter2@collector' }, 'exporter-unread'],
  ])('says in one line that it does not speak to %s', async (_what, env, code) => {
    const receiver = await receiving();
    const at = await desk({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env } });
    const { exit, err } = await at.plimsoll(...plan, '--json');
    expect([exit, err.map((line) => JSON.parse(line) as unknown)]).toMatchObject([0, [{ code }]]);
    expect(err.join('')).not.toContain('hunter2');
    expect(receiver.received).toEqual([]);
  });

  test('sends the headers that it was given, and shows none of them', async () => {
    const receiver = await receiving(() => ({ status: 401, type: 'text/plain', body: 'who?' }));
    const at = await desk({
      env: {
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${receiver.url.replace('//', '//me:hunter2@')}/v1/logs?team=a`,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-team=shop%2Ca, api-key = old ,content-type=text/html,broken',
        OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'API-Key=hunter3',
      },
    });
    const { exit, err } = await at.plimsoll(...plan, '--json');
    expect([exit, err.map((line) => JSON.parse(line) as unknown)]).toMatchObject([
      0,
      [{ code: 'telemetry-not-sent', message: expect.stringContaining('401') }],
    ]);
    expect(err.join('')).not.toMatch(/hunter[23]/);
    expect(receiver.received[0]?.headers).toMatchObject({
      ...{ 'x-team': 'shop,a', 'api-key': 'hunter3', 'content-type': 'application/x-protobuf' },
      authorization: `Basic ${btoa('me:hunter2')}`,
    });
  });

  test('says where a receiver did not take it', async () => {
    const receiver = await receiving(() => ({
      ...{ status: 200, type: 'application/json' },
      body: JSON.stringify({ partialSuccess: { rejectedLogRecords: '1', errorMessage: 'old' } }),
    }));
    const at = await desk({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    const { err } = await at.plimsoll(...plan, '--json');
    expect(err.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { code: 'telemetry-not-sent' },
    ]);
  });

  test('tells nothing of what was refused, or stood there already', async () => {
    const receiver = await told({}, ...ofDeployment, update('SUCCESS'));
    expect(logsOf(receiver)).toHaveLength(3);
    const at = await desk({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    expect((await at.plimsoll(...plan, '--canary-share=7')).exit).toBe(2);
    expect(logsOf(receiver)).toHaveLength(3);
  });

  test('tells of what was only kept, with the start that is known here', async () => {
    const receiver = await receiving();
    const at = await desk({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    await at.plimsoll(...plan);
    const away = at.elsewhere({
      change: (ports) => ({
        ...ports,
        gateway: async () => fail({ code: 'no-connection', message: 'gone' }),
      }),
    });
    const { exit } = await away.plimsoll(...update('FAILED', '--failure-reason=no pod'));
    expect(exit).toBe(0);
    const [span] = spansOf(receiver);
    expect(span).toMatchObject({
      status: { code: 2, message: 'no pod' },
      attributes: { 'plimsoll.start.from': 'planned', 'error.type': 'failure' },
      resource: { 'service.name': 'checkout', 'service.version': '2.0.0' },
    });
    expect(span?.['startTimeUnixNano']).not.toBe(span?.['endTimeUnixNano']);
  });

  test('says that nobody knows when it began', async () => {
    const receiver = await receiving();
    const env = { ...ciEnvironment('github-push'), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const at = await desk({ env });
    expect((await at.plimsoll(...update('SUCCESS'))).exit).toBe(0);
    const [span] = spansOf(receiver);
    expect(span?.['attributes']).toMatchObject({ 'plimsoll.start.from': 'end' });
    expect(span?.['startTimeUnixNano']).toBe(span?.['endTimeUnixNano']);
  });

  test('writes over what the environment holds of secrets', async () => {
    const key = 'AKIAQ3EGRQWZTB7XKPLM';
    const env = { OTEL_RESOURCE_ATTRIBUTES: `team=shop,note=${key},service.name=ci` };
    const receiver = await told(env, ...ofDeployment);
    expect(JSON.stringify(receiver.received.map(({ request }) => request))).not.toContain(key);
    expect(spansOf(receiver)[0]).toMatchObject({
      resource: { team: 'shop', 'service.name': 'checkout' },
    });
  });

  test('tells facts of a place, in the trace of whoever tells them', async () => {
    const receiver = await told(
      { TRACEPARENT: parent },
      ['change', 'flag', 'new-basket', '--to-version=on', ...place],
      ['incident', 'open', 'INC-7', ...place],
    );
    expect(logsOf(receiver)).toMatchObject([
      { eventName: 'plimsoll.flag.changed', spanId: '00f067aa0ba902b7', severityText: 'INFO' },
      { eventName: 'plimsoll.incident.opened', severityText: 'WARN' },
    ]);
    expect(spansOf(receiver)).toEqual([]);
  });

  test('with --async leaves it to the process that delivers, whoever is faster', async () => {
    const receiver = await receiving();
    const env = { ...ciEnvironment('github-push'), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const at = await desk({ env });
    await at.plimsoll(...plan);
    const lines: string[] = [];
    const busy = at.elsewhere({
      change: (ports) => ({
        ...ports,
        flushApart: async (_key, line) => void lines.push(line ?? ''),
      }),
    });
    expect((await busy.plimsoll(...update('RUNNING'), '--async')).exit).toBe(0);
    expect((await busy.plimsoll(...update('SUCCESS'), '--async')).exit).toBe(0);
    expect(logsOf(receiver)).toHaveLength(1);
    const apart = at.elsewhere({ files: { started: lines[0] ?? '', succeeded: lines[1] ?? '' } });
    const first = await apart.plimsoll('flush', '--telemetry=started', '--no-fail');
    // It has delivered this one, too.
    const second = await apart.plimsoll('flush', '--telemetry=succeeded', '--no-fail');
    expect([first, second]).toMatchObject([
      { exit: 0, err: [] },
      { exit: 0, err: [] },
    ]);
    expect(logsOf(receiver).map(({ eventName }) => eventName)).toEqual(
      ['planned', 'started', 'succeeded'].map((word) => `plimsoll.deployment.${word}`),
    );
    expect(spansOf(receiver)).toMatchObject([
      {
        attributes: { 'plimsoll.start.from': 'running' },
        resource: { 'service.version': '2.0.0', 'deployment.name': 'default' },
      },
    ]);
  });

  test.each(['', 'plimsoll-marker:v1:', 'plimsoll-marker:v1:AAAA', 'no line'])(
    'flush takes %j for no marker, and delivers all the same',
    async (line) => {
      const receiver = await receiving();
      const at = await desk({
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
        files: { line },
      });
      expect(await at.plimsoll('flush', '--telemetry=line')).toMatchObject({ exit: 0, err: [] });
      expect(receiver.received).toEqual([]);
    },
  );

  test('run waits for no receiver between its markers, and says once that it hangs', async () => {
    let [open, mostOpen] = [0, 0];
    const hung = createServer((socket) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      // So that it sees the other end leave.
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', () => (open -= 1));
    });
    await new Promise<void>((done) => hung.listen(0, '127.0.0.1', done));
    closing.push(() => new Promise((done) => hung.close(done)));
    const { port } = hung.address() as AddressInfo;
    const clock = createSystemClock();
    const at = await desk({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, PLIMSOLL_TIMEOUT: '5s' },
      change: (ports) => ({
        ...ports,
        clock: { ...ports.clock, sleep: clock.sleep },
        sinceStartMs: () => performance.now(),
        wrapProgram: async () => ({
          ...{ exit: 4, signal: null, asked: null, tail: '', tailMissing: null, problem: null },
        }),
      }),
    });
    const { exit, err } = await at.plimsoll('run', ...place, '--target-version=1', '--', 'false');
    expect([exit, err]).toEqual([4, [expect.stringContaining('OpenTelemetry was not told')]]);
    // Three events and a span, at the same time.
    expect(mostOpen).toBe(4);
    const { json } = await at.house.get('/v1/timeline');
    expect(json.items).toMatchObject([{ status: 'failed' }]);
  });
});
