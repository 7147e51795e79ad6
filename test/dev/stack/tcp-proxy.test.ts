import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { isKafkaProduce, startTcpProxy } from '../../../services/dev/stack/tcp-proxy.ts';
import type { Address, TcpProxy } from '../../../services/dev/stack/tcp-proxy.ts';
import { eventually } from '../../support/eventually.ts';

// Real sockets on loopback. The target answers each byte with the same byte in upper case.

const open: { readonly close: () => unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ close }) => close()));
});

type Target = {
  readonly address: Address;
  readonly heard: () => string;
  readonly clients: () => number;
};

const startTarget = async (prefix = ''): Promise<Target> => {
  let heard = '';
  let clients = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    clients += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard += bytes.toString();
      socket.write(prefix + bytes.toString().toUpperCase());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const { port } = server.address() as AddressInfo;
  return { address: { host: '127.0.0.1', port }, heard: () => heard, clients: () => clients };
};

const startProxy = async (target: Address): Promise<TcpProxy> => {
  const proxy = await startTcpProxy(target);
  open.push(proxy);
  return proxy;
};

type Client = {
  readonly say: (text: string) => void;
  readonly heard: () => string;
  /** How the connection broke; undefined while it stands. */
  readonly broken: () => string | undefined;
  readonly socket: Socket;
};

const startClient = async ({ port }: TcpProxy): Promise<Client> => {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  let broken: string | undefined;
  socket.on('data', (bytes) => {
    heard += bytes.toString();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    broken = error.code;
  });
  socket.on('close', () => {
    broken ??= 'closed';
  });
  open.push({ close: () => socket.destroy() });
  await new Promise((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', resolve);
  });
  return {
    socket,
    say: (text) => socket.write(text),
    heard: () => heard,
    broken: () => broken,
  };
};

const hears = (client: Client, text: string): Promise<void> =>
  eventually(`the client hears ${text}`, () => client.heard() === text);
const isReset = (client: Client): Promise<void> =>
  eventually('the connection is reset', () => client.broken() === 'ECONNRESET');

/** A second connection that has had its answer: what could have arrived on the first by then would have. */
const aRoundTripElsewhere = async (address: Address): Promise<void> => {
  const beside = await startProxy(address);
  const client = await startClient(beside);
  for (const text of ['x', 'xx', 'xxx']) client.say(text);
  await hears(client, 'XXXXXX');
};

test('bytes pass both ways, in order and whole, and an end is passed on behind the last of them', async () => {
  const target = await startTarget();
  const proxy = await startProxy(target.address);
  const client = await startClient(proxy);
  const long = 'abcdefgh'.repeat(100_000);
  client.say(long);
  await hears(client, long.toUpperCase());
  expect(proxy.connections()).toBe(1);
  client.socket.end();
  await eventually('the connection is over', () => proxy.connections() === 0);
  await eventually('the client heard of it', () => client.broken() !== undefined);
  expect(client.broken()).toBe('closed');
});

test('a new target gets the connections that come later; those that stand stay', async () => {
  const [first, second] = [await startTarget('1'), await startTarget('2')];
  const proxy = await startProxy(first.address);
  const [early] = [await startClient(proxy)];
  proxy.aim(second.address);
  const late = await startClient(proxy);
  early.say('a');
  late.say('a');
  await hears(early, '1A');
  await hears(late, '2A');
});

test('a target that is not there breaks the connection', async () => {
  const proxy = await startProxy({ host: '127.0.0.1', port: 1 });
  await isReset(await startClient(proxy));
});

test('a slow direction sends pieces, and the rest at once when it is healed', async () => {
  const target = await startTarget();
  const proxy = await startProxy(target.address);
  const client = await startClient(proxy);
  proxy.set('answers', { flow: 'slow', bytesPerS: 50, delayMs: 0 });
  client.say('a'.repeat(20_000));
  await eventually('a first piece is there', () => client.heard() !== '');
  expect(client.heard().length).toBeLessThan(1_000);
  expect(target.heard().length).toBe(20_000);
  proxy.heal();
  await hears(client, 'A'.repeat(20_000));
});

describe('what is held', () => {
  test('arrives when the flow is healed, on the same connection', async () => {
    const target = await startTarget();
    const proxy = await startProxy(target.address);
    const client = await startClient(proxy);
    proxy.hold();
    client.say('abc');
    await aRoundTripElsewhere(target.address);
    expect(target.heard()).not.toContain('abc');
    proxy.heal();
    await hears(client, 'ABC');
    expect(client.broken()).toBeUndefined();
  });

  test.each(['requests', 'answers'] as const)(
    'can be one direction alone: %s',
    async (direction) => {
      const target = await startTarget();
      const proxy = await startProxy(target.address);
      const client = await startClient(proxy);
      proxy.set(direction, { flow: 'hold' });
      client.say('one way');
      if (direction === 'answers')
        await eventually('the target hears', () => target.heard() === 'one way');
      else await aRoundTripElsewhere(target.address);
      expect(target.heard().includes('one way')).toBe(direction === 'answers');
      expect(client.heard()).toBe('');
      proxy.heal();
      await hears(client, 'ONE WAY');
    },
  );
});

describe('half-open', () => {
  test('takes new connections that lead nowhere, and breaks them when it is healed', async () => {
    const target = await startTarget();
    const proxy = await startProxy(target.address);
    proxy.halfOpen();
    const client = await startClient(proxy);
    client.say('hello?');
    await aRoundTripElsewhere(target.address);
    expect(target.heard()).not.toContain('hello?');
    expect(client.broken()).toBeUndefined();
    proxy.heal();
    await isReset(client);
    const next = await startClient(proxy);
    next.say('hello');
    await hears(next, 'HELLO');
  });

  test('takes them also where the target is gone', async () => {
    const proxy = await startProxy({ host: '127.0.0.1', port: 1 });
    proxy.halfOpen();
    const client = await startClient(proxy);
    client.say('hello?');
    await aRoundTripElsewhere((await startTarget()).address);
    expect(client.broken()).toBeUndefined();
  });

  test('makes a connection that stands fall silent; having lost bytes it cannot go on', async () => {
    const target = await startTarget();
    const proxy = await startProxy(target.address);
    const [talking, idle] = [await startClient(proxy), await startClient(proxy)];
    for (const client of [talking, idle]) {
      client.say('a');
      await hears(client, 'A');
    }
    proxy.halfOpen();
    talking.say('lost');
    await aRoundTripElsewhere(target.address);
    expect(target.heard()).not.toContain('lost');
    proxy.heal();
    await isReset(talking);
    idle.say('b');
    await hears(idle, 'AB');
  });
});

test('cut breaks what stands and welcomes what comes; refuse breaks both until it is healed', async () => {
  const target = await startTarget();
  const proxy = await startProxy(target.address);
  const first = await startClient(proxy);
  first.say('a');
  await hears(first, 'A');
  proxy.cut();
  await isReset(first);
  const second = await startClient(proxy);
  second.say('a');
  await hears(second, 'A');
  proxy.refuse();
  await isReset(second);
  const refused = await startClient(proxy);
  await eventually('it is broken', () => refused.broken() !== undefined);
  proxy.heal();
  const third = await startClient(proxy);
  third.say('a');
  await hears(third, 'A');
});

describe('a lost answer', () => {
  test('lets the request through and breaks the connection; the next one has its answer', async () => {
    const target = await startTarget();
    const proxy = await startProxy(target.address);
    const client = await startClient(proxy);
    client.say('a');
    await hears(client, 'A');
    const dropped = proxy.dropAnswer();
    client.say('b');
    expect(await dropped).toBe(true);
    await isReset(client);
    expect(target.heard()).toBe('ab');
    expect(client.heard()).toBe('A');
    const next = await startClient(proxy);
    next.say('b');
    await hears(next, 'B');
  });

  test('can be that of one kind of request alone', async () => {
    const target = await startTarget();
    const proxy = await startProxy(target.address);
    const [other, meant] = [await startClient(proxy), await startClient(proxy)];
    const dropped = proxy.dropAnswer((bytes) => bytes.toString().startsWith('write'));
    other.say('read');
    await hears(other, 'READ');
    meant.say('write');
    expect(await dropped).toBe(true);
    await isReset(meant);
    expect(other.broken()).toBeUndefined();
  });

  test('is called off by heal', async () => {
    const target = await startTarget();
    const proxy = await startProxy(target.address);
    const client = await startClient(proxy);
    const dropped = proxy.dropAnswer();
    proxy.heal();
    expect(await dropped).toBe(false);
    client.say('a');
    await hears(client, 'A');
  });
});

test.each([
  [0, true],
  [1, false],
  [3, false],
])('a request of Kafka with API key %i is an append: %s', (apiKey, is) => {
  const request = Buffer.alloc(12);
  request.writeInt32BE(8, 0);
  request.writeInt16BE(apiKey, 4);
  expect(isKafkaProduce(request)).toBe(is);
  expect(isKafkaProduce(request.subarray(0, 4))).toBe(false);
});
