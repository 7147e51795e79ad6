import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { serveHttp } from '../../services/adapters/http/server.ts';
import type { Gateway } from '../../services/gateway/start.ts';
import { startGateway } from '../../services/gateway/start.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { value } from '../support/records.ts';

const running: Gateway[] = [];
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop();
});

const start = async (host: string): Promise<Gateway> => {
  const house = await openGatewayHouse();
  const onError = (error: unknown): void => {
    throw error;
  };
  const ports = { ...house.ports, serve: serveHttp, host, port: 0, otlpPort: 0, onError };
  const gateway = value(await startGateway(ports));
  running.push(gateway);
  return gateway;
};

type Answer = { readonly status: number | undefined; readonly code: unknown };

const ask = (port: number, host: string, path = '/healthz'): Promise<Answer> =>
  new Promise((done, fail) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
      answer.resume();
      done({ status: answer.statusCode, code: answer.headers['plimsoll-code'] });
    });
    asked.on('error', fail).end();
  });

describe('a gateway on a loopback address', () => {
  test.each([
    'rebound.example',
    'rebound.example:7464',
    '127.0.0.1.rebound.example',
    'localhost.rebound.example',
    '10.0.0.7',
    'notlocalhost',
  ])('does not answer for %s', async (host) => {
    const { port, otlpPorts, status } = await start('127.0.0.1');
    for (const at of [port, ...otlpPorts])
      expect(await ask(at, host)).toEqual({ status: 421, code: 'host-unknown' });
    expect(status().answers['host-unknown']).toBe(3);
  });

  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:7464', '127.1.2.3', '[::1]:80', 'a.localhost'])(
    'answers for %s',
    async (host) => {
      const { port } = await start('localhost');
      expect((await ask(port, host)).status).toBe(200);
    },
  );
});

test('a gateway that the operator has put on the network answers by whatever name it has there', async () => {
  const { port } = await start('0.0.0.0');
  expect((await ask(port, 'plimsoll.example')).status).toBe(200);
});
