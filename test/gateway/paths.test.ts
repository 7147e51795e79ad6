import { beforeAll, describe, expect, test } from 'vitest';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by, trusts } from '../support/given.ts';
import { planned, run } from '../support/markers.ts';

let house: GatewayHouse;
beforeAll(async () => {
  house = await openGatewayHouse([trusts('ci'), by('ci', planned())]);
});

describe('a path that is none', () => {
  test.each([
    '/',
    '',
    '*',
    '//',
    '/v1',
    '/v1/',
    '/v1/current/',
    '/v1//current',
    '//v1/current',
    '/V1/current',
    '/v1/%63urrent',
    '/v1/current%00',
    '/v1/current;x=1',
    '/v1/./current',
    '/v1/x/../current',
    '/v1/deployments',
    '/v1/deployments/',
    '/v1/deployments/%ff',
    '/v1/deployments/..%2f..%2fhealthz',
    '/v1/deployments/__proto__',
    '/v1/deployments/constructor',
    `/v1/deployments/${run('7').toUpperCase()}`,
    `/v1/deployments/${run('7')}/attempts`,
    `/v1/deployments/%7b${run('7')}`,
    '/v1/deployments/{id}',
    '/v1/dead-letters/-1',
    '/v1/dead-letters/01',
    '/v1/dead-letters/1e3',
    '/v1/schemas/abc',
    `/v1/schemas/${'A'.repeat(64)}`,
    '/v1/schemas/../../package.json',
    '/__proto__',
    '/constructor',
  ])('%s', async (path) => {
    const answer = await house.get(path);
    expect([answer.status, answer.json.code]).toEqual([404, 'not-found']);
    expect(answer.text).not.toContain('%');
  });
});

describe('a method that a path has not', () => {
  test.each([
    ['GET', '/v1/markers', 'POST'],
    ['DELETE', '/v1/current', 'GET, HEAD'],
    ['PUT', `/v1/deployments/${run('7')}`, 'GET, HEAD'],
    ['OPTIONS', '/v1/markers', 'POST'],
    ['GET', '/v1/metrics', 'POST'],
    ['__proto__', '/healthz', 'GET, HEAD'],
  ])('%s %s', async (method, path, allow) => {
    const answer = await house.send(method, path);
    expect([answer.status, answer.json.code]).toEqual([405, 'method-not-allowed']);
    expect(answer.headers['allow']).toBe(allow);
  });
});

test('HEAD is answered as GET is', async () => {
  const head = await house.send('HEAD', '/v1/current');
  const get = await house.get('/v1/current');
  expect(head.status).toBe(200);
  expect(head.headers).toEqual(get.headers);
});

test.each([
  ['GET', '/v1/current'],
  ['GET', '/nothing'],
  ['GET', '/healthz'],
  ['GET', '/readyz'],
  ['POST', '/v1/markers'],
  ['POST', '/v1/metrics'],
  ['DELETE', '/v1/current'],
])('%s %s shows a browser nothing', async (method, path) => {
  const answer = await house.send(method, path);
  expect(answer.headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  });
  expect(Object.keys(answer.headers)).not.toContain('access-control-allow-origin');
});

test('the port of telemetry has telemetry and nothing else', async () => {
  const path = (target: string): Promise<number> =>
    house.sendTelemetry(target, {}).then(({ status }) => status);
  expect(await path('/v1/markers')).toBe(404);
  expect(await path('/v1/current')).toBe(404);
  expect(await path('/v1/metrics')).toBe(415);
  expect(await path('/healthz')).toBe(405);
});

test('answers are counted by status and by code', async () => {
  const own = await openGatewayHouse();
  await own.get('/healthz');
  await own.get('/nothing');
  await own.get('/v1/timeline?limit=0');
  await own.sendTelemetry('/v1/metrics', {});
  expect(own.app.status()).toEqual({
    queued: { markers: 0, telemetry: 0 },
    streams: 0,
    leftOut: {},
    answers: { '200': 1, 'not-found': 1, 'query-invalid': 1, 'content-type-unsupported': 1 },
  });
});
