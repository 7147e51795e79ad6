import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { decodeMetricsRequest } from '../../../services/adapters/otlp/metrics-request.ts';
import type { RequestPoint } from '../../../services/core/telemetry/point.ts';
import { createCrew } from '../../../services/dev/demo/crew.ts';
import { openLoopbackClient } from '../../../services/dev/demo/load.ts';
import { shopName, startShop } from '../../../services/dev/demo/shop.ts';
import { startOwn } from '../../../services/dev/stack/own-process.ts';
import { eventually } from '../../support/eventually.ts';
import { bareEnv } from '../../support/bare-env.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const folder = scratchFolder();
const client = openLoopbackClient(1);
const exported: RequestPoint[] = [];
const receiver = createServer((request, response) => {
  const chunks: Uint8Array[] = [];
  request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  request.on('end', () => {
    const decoded = decodeMetricsRequest(Buffer.concat(chunks), 'application/x-protobuf');
    if (decoded.ok) exported.push(...decoded.value.points);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
});
const receiving = new Promise<number>((done) => {
  receiver.listen(0, '127.0.0.1', () => done((receiver.address() as AddressInfo).port));
});
afterAll(() => {
  client.close();
  receiver.close();
  receiver.closeAllConnections();
});

const workplace = {
  folder,
  env: bareEnv(),
  stop: new AbortController().signal,
};

test('the shop answers customers, and its last export tells of all of them', async () => {
  const crew = createCrew();
  const version = '2.0.0';
  const port = await startShop(workplace, crew, {
    build: '2.0.0',
    version,
    deployment: 'd-1',
    otlpPort: await receiving,
  });
  const cart = { cents: 1_299, percentOff: 0, bank: 'answers' };
  const post = (body: unknown, path = '/checkout'): Promise<number | 'lost'> =>
    client.post(port, path, JSON.stringify(body));

  expect(await post(cart)).toBe(200);
  expect(await post({ ...cart, percentOff: 15 })).toBe(500);
  expect(await post({ ...cart, bank: 'silent' })).toBe(503);
  expect(await post({ ...cart, cents: 'many' })).toBe(400);
  expect(await post(cart, '/elsewhere')).toBe(404);
  await crew.dismiss(shopName(version));

  const last = new Map(exported.map((point) => [point.series, point]));
  const total = (of: (point: RequestPoint) => number): number =>
    [...last.values()].reduce((sum, point) => sum + of(point), 0);
  expect(total(({ count }) => count)).toBe(5);
  expect(total(({ errors }) => errors)).toBe(2);
  expect([...last.values()][0]).toMatchObject({
    component: 'checkout',
    environment: 'production',
    version,
    deploymentId: 'd-1',
    instance: 'checkout-2.0.0',
    metric: 'http.server.request.duration',
    unit: 's',
  });
});

test('a process that ends by itself is noticed, with what it said last', async () => {
  const crew = createCrew();
  const script = 'console.log("out of money"); process.exitCode = 3';
  crew.add('the bank', startOwn(process.execPath, ['-e', script], folder));
  await expect(crew.lost).rejects.toThrow('the bank ended: exit code 3');
  await eventually('its words have arrived', () => crew.lastWords().includes('out of money'));
});

test('a process that was dismissed is not missed', async () => {
  const crew = createCrew();
  crew.add('the clerk', startOwn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], folder));
  await crew.dismissAll();
  const first = await Promise.race([crew.lost, new Promise((done) => setImmediate(done, 'calm'))]);
  expect(first).toBe('calm');
});
