import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export type Address = { readonly host: string; readonly port: number };

/** `requests` flow from the client to the target, `answers` back. */
export type Direction = 'requests' | 'answers';

/**
 * What happens to the bytes of one direction:
 * - `pass`: they go on at once.
 * - `slow`: each piece waits `delayMs`, and no more than `bytesPerS` go on.
 * - `hold`: nothing is read; the bytes wait and go on later, as after a network partition that heals.
 * - `swallow`: bytes are taken and thrown away. A connection that lost some is cut when the flow changes, because
 *   what came after the gap would be nonsense.
 */
export type Flow =
  | { readonly flow: 'pass' }
  | { readonly flow: 'slow'; readonly bytesPerS: number; readonly delayMs: number }
  | { readonly flow: 'hold' }
  | { readonly flow: 'swallow' };

/** Whether these bytes of a request are of the kind whose answer is to be lost. */
export type RequestKind = (bytes: Buffer) => boolean;

/** A TCP proxy on loopback that does to connections what networks do. New ones are treated like those that stand. */
export type TcpProxy = {
  readonly port: number;
  /** Where new connections go from now on; those that stand stay where they are. */
  readonly aim: (target: Address) => void;
  readonly set: (direction: Direction, flow: Flow) => void;
  /** Both directions slow. */
  readonly slow: (bytesPerS: number, delayMs: number) => void;
  /** Both directions held: a partition that may heal without anybody's noticing. */
  readonly hold: () => void;
  /** Connections are accepted and lead nowhere; those that stand fall silent. */
  readonly halfOpen: () => void;
  /** Breaks every connection that stands with RST. New ones are welcome. */
  readonly cut: () => void;
  /** Breaks every connection, and each new one at once, until `heal`. */
  readonly refuse: () => void;
  /**
   * Passes on the next request (of that kind), and breaks its connection with RST when the first bytes of what
   * comes back are there: the target has done its work, and the client cannot know. Resolves when that happened;
   * `heal` or `close` call it off, and it resolves false.
   */
  readonly dropAnswer: (kind?: RequestKind) => Promise<boolean>;
  /** Both directions pass again, and new connections are taken. */
  readonly heal: () => void;
  /** Connections that stand now. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

/** The request of Kafka that appends records: API key 0, behind the four bytes of the size (Kafka protocol guide). */
export const isKafkaProduce: RequestKind = (bytes) =>
  bytes.length > 6 && bytes.readInt16BE(4) === 0;

const pass: Flow = { flow: 'pass' };
/** A slow flow sends what it may send in this long, piece by piece. */
const pieceMs = 100;

type Pair = {
  readonly client: Socket;
  /** None where the requests lead nowhere. */
  readonly server: Socket | undefined;
  readonly over: Promise<void>;
  /** Its stream has a gap. */
  lossy: boolean;
  /** Its next answer will be lost. */
  doomed: boolean;
};

type Drop = { readonly kind: RequestKind; readonly settle: (happened: boolean) => void };

/** Listens on `port` of loopback (0: any free one) and passes everything on to `target`. */
export async function startTcpProxy(target: Address, port = 0): Promise<TcpProxy> {
  const flows: Record<Direction, Flow> = { requests: pass, answers: pass };
  const pairs = new Set<Pair>();
  let aim = target;
  let refusing = false;
  let changed = Promise.withResolvers<void>();
  let drop: Drop | undefined;

  const reset = (pair: Pair): void => {
    pair.client.resetAndDestroy();
    pair.server?.resetAndDestroy();
  };
  const change = (): void => {
    for (const pair of pairs) if (pair.lossy) reset(pair);
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const set = (direction: Direction, flow: Flow): void => {
    flows[direction] = flow;
    change();
  };
  const setBoth = (flow: Flow): void => {
    flows.requests = flow;
    flows.answers = flow;
    change();
  };
  const settleDrop = (happened: boolean): void => {
    drop?.settle(happened);
    drop = undefined;
    for (const pair of pairs) pair.doomed = false;
  };

  /** Waits, unless the flow changes or the connection ends before. */
  const wait = async (pair: Pair, ms: number): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([late, changed.promise, pair.over]);
    clearTimeout(timer);
  };

  const forward = async (pair: Pair, direction: Direction, bytes: Buffer): Promise<void> => {
    const sink = direction === 'requests' ? pair.server : pair.client;
    let rest = bytes;
    while (rest.length > 0 && !pair.client.destroyed) {
      const flow = flows[direction];
      switch (flow.flow) {
        case 'pass':
          await write(sink, rest);
          return;
        case 'slow': {
          const piece = rest.subarray(
            0,
            Math.max(1, Math.floor((flow.bytesPerS * pieceMs) / 1000)),
          );
          await wait(pair, flow.delayMs + (piece.length / flow.bytesPerS) * 1000);
          if (flows[direction] !== flow) break;
          await write(sink, piece);
          rest = rest.subarray(piece.length);
          break;
        }
        case 'hold':
          await Promise.race([changed.promise, pair.over]);
          break;
        case 'swallow':
          pair.lossy = true;
          return;
      }
    }
  };

  const pump = async (pair: Pair, direction: Direction): Promise<void> => {
    const source = direction === 'requests' ? pair.client : pair.server;
    const sink = direction === 'requests' ? pair.server : pair.client;
    if (source === undefined) return;
    for await (const bytes of source as AsyncIterable<Buffer>) {
      if (direction === 'requests' && drop?.kind(bytes) === true) pair.doomed = true;
      if (direction === 'answers' && pair.doomed) {
        settleDrop(true);
        reset(pair);
        return;
      }
      await forward(pair, direction, bytes);
    }
    sink?.end();
  };

  const accept = (client: Socket): void => {
    client.on('error', () => undefined);
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = flows.requests.flow === 'swallow' ? undefined : connect(aim.port, aim.host);
    const over = Promise.withResolvers<void>();
    const pair: Pair = { client, server, over: over.promise, lossy: false, doomed: false };
    pairs.add(pair);
    client.setNoDelay(true);
    // When the target ends first, its last bytes are still to be passed on: the client's end decides.
    client.on('close', () => {
      over.resolve();
      pairs.delete(pair);
      server?.destroy();
    });
    if (server === undefined) {
      pair.lossy = true;
      client.resume();
      return;
    }
    server.setNoDelay(true);
    // A target that is not there is a broken connection, as it would be without us.
    server.on('error', () => client.resetAndDestroy());
    for (const direction of ['requests', 'answers'] as const)
      pump(pair, direction).catch(() => reset(pair));
  };

  const listener = createServer(accept);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', resolve);
  });

  return {
    port: (listener.address() as AddressInfo).port,
    aim: (to) => {
      aim = to;
    },
    set,
    slow: (bytesPerS, delayMs) => setBoth({ flow: 'slow', bytesPerS, delayMs }),
    hold: () => setBoth({ flow: 'hold' }),
    halfOpen: () => setBoth({ flow: 'swallow' }),
    cut: () => pairs.forEach(reset),
    refuse: () => {
      refusing = true;
      pairs.forEach(reset);
    },
    dropAnswer: (kind = () => true) => {
      settleDrop(false);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      drop = { kind, settle: resolve };
      return promise;
    },
    heal: () => {
      refusing = false;
      settleDrop(false);
      setBoth(pass);
    },
    connections: () => pairs.size,
    close: async () => {
      settleDrop(false);
      pairs.forEach(reset);
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}

/** Resolves when the sink has room again, or is gone. */
function write(sink: Socket | undefined, bytes: Buffer): Promise<void> {
  if (sink === undefined || sink.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    sink.write(bytes, () => resolve());
  });
}
