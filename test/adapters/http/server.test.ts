import { afterEach, describe, expect, test } from 'vitest';
import { createHttpClient } from '../../../services/adapters/http/client.ts';
import type { ServeOptions } from '../../../services/adapters/http/server.ts';
import { serveHttp } from '../../../services/adapters/http/server.ts';
import type { HttpHandler, HttpRequest, HttpServer } from '../../../services/ports/http.ts';
import { eventually } from '../../support/eventually.ts';
import type { RawConnection } from '../../support/raw-http.ts';
import { openRaw, statusesIn } from '../../support/raw-http.ts';
import { value } from '../../support/records.ts';

const servers: HttpServer[] = [];
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close(100);
});

const serve = async (
  handler: HttpHandler,
  over: Partial<ServeOptions> = {},
): Promise<HttpServer> => {
  const server = value(
    await serveHttp(handler, {
      host: '127.0.0.1',
      port: 0,
      onError: (error) => {
        throw error;
      },
      ...over,
    }),
  );
  servers.push(server);
  return server;
};

const open = async ({ port }: HttpServer): Promise<RawConnection> => {
  const connection = await openRaw(port);
  connections.push(connection);
  return connection;
};

const bytesMax = 100;

/** Answers with what it was asked and with what became of the body. */
const echo =
  (heard: string[] = []): HttpHandler =>
  async (request: HttpRequest) => {
    const body = await request.body(bytesMax);
    const said = body.ok ? `body of ${body.value.length}` : body.problem;
    heard.push(`${request.method} ${request.path} ${said}`);
    return {
      status: body.ok ? 200 : 413,
      headers: { 'content-type': 'text/plain' },
      body: `${request.path} ${said}`,
    };
  };

const request = (head: string, body = ''): string => `${head}\r\nhost: x\r\n\r\n${body}`;
const post = (body: string, more = ''): string =>
  request(`POST /p HTTP/1.1\r\ncontent-length: ${body.length}${more}`, body);

describe('a request', () => {
  test('reaches the handler as it was sent', async () => {
    const seen: HttpRequest[] = [];
    const server = await serve(async (asked) => {
      seen.push(asked);
      return { status: 204, headers: {}, body: '' };
    });
    const connection = await open(server);
    connection.send(
      'GET /a%2Fb/../c?x=1&x=2&y=%20z&__proto__=p HTTP/1.1\r\nhost: x\r\nX-Twice: a\r\nx-twice: b\r\nconnection: close\r\n\r\n',
    );
    await connection.received();
    const [asked] = seen;
    expect(asked?.path).toBe('/a%2Fb/../c');
    expect([...(asked?.query ?? [])]).toEqual([
      ['x', '1'],
      ['y', ' z'],
      ['__proto__', 'p'],
    ]);
    expect(asked?.header('x-twice')).toBe('a, b');
    expect(asked?.header('__proto__')).toBeUndefined();
    expect(asked?.header('constructor')).toBeUndefined();
  });

  test('with the whole address in its first line means the same path', async () => {
    const heard: string[] = [];
    const server = await serve(echo(heard));
    for (const target of ['http://elsewhere:1/v1/x', 'HTTP://elsewhere', '//v1/x', '/http://a/b']) {
      const connection = await open(server);
      connection.send(request(`GET ${target} HTTP/1.1\r\nconnection: close`));
      await connection.received();
    }
    expect(heard.map((line) => line.split(' ')[1])).toEqual([
      '/v1/x',
      '/',
      '//v1/x',
      '/http://a/b',
    ]);
  });

  test('of method HEAD gets the headers and no body', async () => {
    const server = await serve(echo());
    const connection = await open(server);
    connection.send(request('HEAD /p HTTP/1.1\r\nconnection: close'));
    const received = await connection.received();
    expect(statusesIn(received)).toEqual([200]);
    expect(received).toContain('content-length: 12');
    expect(received.endsWith('\r\n\r\n')).toBe(true);
  });

  test('in several pieces, or several in one piece, are what they are', async () => {
    const heard: string[] = [];
    const server = await serve(echo(heard));
    const connection = await open(server);
    const all = post('one') + post('') + post('three');
    for (const byte of all) connection.send(byte);
    connection.send(request('GET /last HTTP/1.1\r\nconnection: close'));
    expect(statusesIn(await connection.received())).toEqual([200, 200, 200, 200]);
    expect(heard).toEqual([
      'POST /p body of 3',
      'POST /p body of 0',
      'POST /p body of 5',
      'GET /last body of 0',
    ]);
  });
});

describe('a body that is too large', () => {
  const large = 'x'.repeat(bytesMax + 1);

  test('by its declared length is not read, and its rest is no request', async () => {
    const heard: string[] = [];
    const server = await serve(echo(heard), { limits: { discardBytesMax: 10 } });
    const connection = await open(server);
    const hidden = request('GET /hidden HTTP/1.1');
    connection.send(post(hidden + large));
    const received = await connection.received();
    expect(statusesIn(received)).toEqual([413]);
    expect(received).toContain('connection: close');
    expect(heard).toEqual(['POST /p too-large']);
  });

  test('in chunks is cut at the limit, and the answer arrives', async () => {
    const heard: string[] = [];
    const server = await serve(echo(heard));
    const connection = await open(server);
    const chunk = `${large.length.toString(16)}\r\n${large}\r\n`;
    connection.send(request('POST /p HTTP/1.1\r\ntransfer-encoding: chunked', chunk));
    connection.send(`${chunk}0\r\n\r\n`);
    const received = await connection.received('too-large');
    expect(statusesIn(received)).toEqual([413]);
    expect(heard).toEqual(['POST /p too-large']);
  });

  test('is thrown away where it is not much, and the next request is answered', async () => {
    const heard: string[] = [];
    const server = await serve(echo(heard));
    const connection = await open(server);
    connection.send(post(large) + request('GET /next HTTP/1.1\r\nconnection: close'));
    expect(statusesIn(await connection.received())).toEqual([413, 200]);
    expect(heard).toEqual(['POST /p too-large', 'GET /next body of 0']);
  });

  test('without end ends the connection', async () => {
    const server = await serve(echo(), {
      limits: { discardBytesMax: 10_000, discardWithinMs: 600_000 },
    });
    const connection = await open(server);
    connection.send(request('POST /p HTTP/1.1\r\ntransfer-encoding: chunked'));
    const chunk = `${(1000).toString(16)}\r\n${'y'.repeat(1000)}\r\n`;
    for (let times = 0; times < 50; times++) connection.send(chunk);
    const received = await connection.received();
    expect(statusesIn(received)).toEqual([413]);
    expect(received).toContain('connection: close');
  });

  test('that never comes ends the connection too', async () => {
    const server = await serve(echo(), { limits: { discardWithinMs: 20 } });
    const connection = await open(server);
    connection.send(request('POST /p HTTP/1.1\r\ncontent-length: 5000'));
    expect(statusesIn(await connection.received())).toEqual([413]);
  });

  test('reaches a client that sends it all before it listens', async () => {
    const server = await serve(echo());
    const client = createHttpClient(`http://127.0.0.1:${server.port}`);
    const body = new Uint8Array(3 * 1024 * 1024);
    const answer = value(await client({ method: 'POST', path: '/p', headers: {}, body }, 10_000));
    expect(answer.status).toBe(413);
  });
});

describe('a body that nobody asked for', () => {
  test('is no request', async () => {
    const heard: string[] = [];
    const server = await serve(async (asked) => {
      heard.push(asked.path);
      return { status: 404, headers: {}, body: '' };
    });
    const connection = await open(server);
    const hidden = request('GET /hidden HTTP/1.1');
    connection.send(post(hidden) + request('GET /next HTTP/1.1\r\nconnection: close'));
    expect(statusesIn(await connection.received())).toEqual([404, 404]);
    expect(heard).toEqual(['/p', '/next']);
  });
});

test('bodies that are read at once have room together, and get it back', async () => {
  const heard: string[] = [];
  const server = await serve(echo(heard), { limits: { bodiesBytesMax: 150 } });
  const slow = await open(server);
  const full = 'a'.repeat(100);
  slow.send(post(full).slice(0, -1));
  const isBusy = async (): Promise<boolean> => {
    const next = await open(server);
    next.send(post(full, '\r\nconnection: close'));
    await next.received();
    return heard.at(-1) === 'POST /p busy';
  };
  await eventually('there is no room beside it', isBusy);
  slow.send('a');
  expect(await slow.received('body of 100')).toContain('200');
  expect(await isBusy()).toBe(false);
});

test('who asks and does not listen to the answer holds no connection for ever', async () => {
  const body = 'a'.repeat(64 * 1024 * 1024);
  const server = await serve(async () => ({ status: 200, headers: {}, body }), {
    limits: { answerWithinMs: 50, connectionsMax: 1 },
  });
  const deaf = await open(server);
  deaf.socket.pause();
  deaf.send(request('GET /p HTTP/1.1'));
  await eventually('another one is answered', async () => {
    const next = await openRaw(server.port);
    next.send(request('HEAD /p HTTP/1.1\r\nconnection: close'));
    return (await next.received()).startsWith('HTTP/1.1 200');
  });
});

describe('a connection that breaks off', () => {
  test('in a body is told to the handler', async () => {
    const heard: string[] = [];
    const server = await serve(echo(heard));
    const connection = await open(server);
    connection.send(request('POST /p HTTP/1.1\r\ncontent-length: 50', 'half'));
    connection.socket.destroySoon();
    await eventually('the handler hears of it', () => heard.length > 0);
    expect(heard).toEqual(['POST /p cut-off']);
  });

  test('by a reset is told to the handler', async () => {
    const heard: string[] = [];
    let isAsked = false;
    const answer = echo(heard);
    const server = await serve(async (asked) => {
      isAsked = true;
      return answer(asked);
    });
    const connection = await open(server);
    connection.send(request('POST /p HTTP/1.1\r\ncontent-length: 50', 'half'));
    await eventually('the handler is asked', () => isAsked);
    connection.socket.resetAndDestroy();
    await eventually('the handler hears of it', () => heard.length > 0);
    expect(heard).toEqual(['POST /p cut-off']);
  });

  test('by being too slow gets 408', async () => {
    const server = await serve(echo(), {
      limits: { headersWithinMs: 50, requestWithinMs: 60, lookEveryMs: 10 },
    });
    const inHead = await open(server);
    inHead.send('GET /p HTTP/1.1\r\nhost: x\r\n');
    expect(statusesIn(await inHead.received())).toEqual([408]);
    const inBody = await open(server);
    inBody.send(request('POST /p HTTP/1.1\r\ncontent-length: 50', 'half'));
    expect(statusesIn(await inBody.received())).toEqual([408]);
  });
});

describe('what is not HTTP', () => {
  test.each([
    ['\x16\x03\x01\x02\x00\x01\x00', 400, 'request-malformed'],
    ['GET /p HTTP/1.1\r\n\r\n', 400, ''],
    ['GET  HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'request-malformed'],
    [
      'POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'request-malformed',
    ],
    [
      'POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n',
      400,
      'request-malformed',
    ],
    ['POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', 400, 'request-malformed'],
    ['GET /p HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n', 400, 'request-malformed'],
    [`GET /p HTTP/1.1\r\nhost: x\r\nbig: ${'b'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
    [`GET /${'p'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'headers-too-large'],
  ])('%j: %i %s', async (bytes, status, code) => {
    const heard: string[] = [];
    const server = await serve(echo(heard));
    const connection = await open(server);
    connection.send(bytes);
    const received = await connection.received();
    expect(statusesIn(received)).toEqual([status]);
    expect(received).toContain(code === '' ? 'HTTP/1.1' : `"code":"${code}"`);
    expect(heard).toEqual([]);
  });

  test('after a request leaves that request its answer', async () => {
    let goOn: (() => void) | undefined;
    const server = await serve(async () => {
      await new Promise<void>((go) => {
        goOn = go;
      });
      return { status: 200, headers: {}, body: 'whole' };
    });
    const connection = await open(server);
    connection.send(`${request('GET /p HTTP/1.1')}\x16\x03 rubbish\r\n\r\n`);
    await eventually('it is asked', () => goOn !== undefined);
    await new Promise((done) => setTimeout(done, 20));
    goOn?.();
    const received = await connection.received();
    expect(statusesIn(received)).toEqual([200]);
    expect(received).toContain('whole');
  });
});

describe('a handler that throws', () => {
  test('is a bare 500, and whoever runs the server is told', async () => {
    const errors: unknown[] = [];
    const server = await serve(
      async () => {
        throw new Error('the secret of the house');
      },
      { onError: (error) => errors.push(error) },
    );
    const connection = await open(server);
    connection.send(request('GET /p HTTP/1.1\r\nconnection: close'));
    const received = await connection.received();
    expect(statusesIn(received)).toEqual([500]);
    expect(received).toContain('"code":"internal"');
    expect(received).not.toContain('secret');
    expect(errors).toMatchObject([{ message: 'the secret of the house' }]);
  });

  test('or answers with what is no header, closes, and the server lives', async () => {
    const errors: unknown[] = [];
    const server = await serve(
      async ({ path }) => ({
        status: 200,
        headers: path === '/bad' ? { 'x-split': 'a\r\nb: c' } : {},
        body: 'ok',
      }),
      { onError: (error) => errors.push(error) },
    );
    const bad = await open(server);
    bad.send(request('GET /bad HTTP/1.1'));
    expect(await bad.received()).toBe('');
    expect(errors).toHaveLength(1);
    const good = await open(server);
    good.send(request('GET /good HTTP/1.1\r\nconnection: close'));
    expect(statusesIn(await good.received())).toEqual([200]);
  });
});

describe('closing', () => {
  test('lets a request finish that runs', async () => {
    let goOn = (): void => undefined;
    let isAsked = false;
    const server = await serve(async () => {
      isAsked = true;
      await new Promise<void>((go) => {
        goOn = go;
      });
      return { status: 200, headers: {}, body: 'finished' };
    });
    const connection = await open(server);
    connection.send(request('GET /p HTTP/1.1'));
    await eventually('the handler is asked', () => isAsked);
    const closed = server.close(10_000);
    goOn();
    // The connection is one that may be kept; the server ends it all the same.
    expect(await connection.received()).toContain('finished');
    await closed;
  });

  test('ends what does not finish', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const connection = await open(server);
    connection.send(request('GET /p HTTP/1.1'));
    await server.close(20);
    expect(await connection.received()).toBe('');
  });
});
