import { describe, expect, test } from 'vitest';
import { serveHttp } from '../../../services/adapters/http/server.ts';
import { metricsApp } from '../../../services/cli/main/metrics-server.ts';
import { askRarely, openOwnMetrics } from '../../../services/cli/main/own-metrics.ts';
import { gauge, pointOf } from '../../../services/core/own-metrics/family.ts';
import { lagRecords } from '../../../services/core/own-metrics/shared-names.ts';
import { readExposition } from '../../support/exposition.ts';
import { value } from '../../support/records.ts';

const lagOf = (service: string, lag: number): ReturnType<typeof gauge> =>
  gauge(lagRecords, pointOf({ service }, lag));

test('the services of a process are told together, with the process itself', async () => {
  const metrics = openOwnMetrics();
  await metrics.add(() => [lagOf('projector', 1)]);
  await metrics.add(() => [lagOf('analyser', 2)]);
  metrics.addAsked(async () => [lagOf('asked', 3)]);
  const { contentType, body } = await metrics.write('application/openmetrics-text');
  expect(contentType).toContain('openmetrics');
  const read = readExposition(body, 'openmetrics');
  expect(
    read.find(({ name }) => name === lagRecords.name)?.samples.map((each) => each.value),
  ).toEqual([1, 2, 3]);
  expect(read.map(({ name }) => name)).toContain('process_cpu_seconds');
  readExposition((await metrics.write(undefined)).body, 'prometheus');
});

describe('numbers that have to be asked for', () => {
  test('are asked once for many collectors', async () => {
    let asks = 0;
    const ask = askRarely(async () => {
      asks += 1;
      return [lagOf('log', asks)];
    });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(asks).toBe(1);
  });

  test('are none where the answer is a fault, or does not come', async () => {
    expect(await askRarely(() => Promise.reject(new Error('no')))()).toEqual([]);
    const hanging = askRarely(() => new Promise(() => undefined));
    expect(await Promise.all([hanging(), hanging()])).toEqual([[], []]);
  });
});

describe('the port for numbers', () => {
  const ask = async (
    path: string,
    init: { readonly method?: string; readonly host?: string; readonly listensOn?: string } = {},
  ): Promise<{ readonly status: number; readonly body: string }> => {
    const write = async (): Promise<{ contentType: string; body: string }> => ({
      contentType: 'text/plain',
      body: 'lag 1\n',
    });
    const app = metricsApp(write, init.listensOn ?? '127.0.0.1');
    const server = value(
      await serveHttp(
        (request) =>
          app({
            ...request,
            header: (name) => (name === 'host' && init.host ? init.host : request.header(name)),
          }),
        { host: '127.0.0.1', port: 0, onError: () => undefined },
      ),
    );
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: init.method ?? 'GET',
    });
    const answered = { status: answer.status, body: await answer.text() };
    await server.close(0);
    return answered;
  };

  test('has /metrics and /healthz, to be read alone', async () => {
    expect(await ask('/metrics')).toEqual({ status: 200, body: 'lag 1\n' });
    expect(await ask('/healthz')).toEqual({ status: 200, body: 'alive\n' });
    expect(await ask('/')).toMatchObject({ status: 404 });
    expect(await ask('/metrics', { method: 'POST' })).toMatchObject({ status: 405 });
  });

  test('answers no web page that gives its own name this address', async () => {
    expect(await ask('/metrics', { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(await ask('/metrics', { host: 'evil.example', listensOn: '0.0.0.0' })).toMatchObject({
      status: 200,
    });
  });
});
