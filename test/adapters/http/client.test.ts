import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createHttpClient } from '../../../services/adapters/http/client.ts';

const get = { method: 'GET', path: '/', headers: {} } as const;

test('who cannot be connected to was sent nothing; who hangs up may have done it', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const client = createHttpClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await client(get, 5000)).toMatchObject({ problem: { code: 'unreachable' } });
  await new Promise((done) => void server.close(done));
  expect(await client(get, 5000)).toMatchObject({
    problem: { code: 'no-connection', message: expect.stringContaining('ECONNREFUSED') },
  });
});

test.each(['hunter2', 'hunter@2'])(
  'whoever is told of an outage is not told a password: %s',
  async (password) => {
    const client = createHttpClient(`http://bob:${password}@127.0.0.1:9`);
    const answer = await client(get, 5000);
    expect(JSON.stringify(answer)).not.toMatch(/hunter|2@/);
    expect(answer).toMatchObject({
      problem: { message: expect.stringContaining('http://127.0.0.1:9:') },
    });
  },
);
