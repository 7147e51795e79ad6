import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A TCP proxy on loopback that can break the one connection that matters at the one moment that matters. */
export type AnswerCutter = {
  readonly port: number;
  /** Breaks the connection instead of passing on the next answer: the server has done its work by then. */
  readonly loseNextAnswer: () => void;
  /** Passes on this many bytes of the next request and breaks the connection. */
  readonly loseNextRequestAfter: (bytes: number) => void;
  readonly close: () => Promise<void>;
};

export async function startAnswerCutter(
  serverHost: string,
  serverPort: number,
): Promise<AnswerCutter> {
  let losesAnswer = false;
  let requestBytes: number | undefined;
  const sockets = new Set<Socket>();

  const proxy = createServer((client) => {
    const server = connect(serverPort, serverHost);
    const breakBoth = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', breakBoth);
      socket.on('close', () => {
        sockets.delete(socket);
        breakBoth();
      });
    }
    client.on('data', (bytes) => {
      if (requestBytes === undefined) {
        server.write(bytes);
        return;
      }
      const passed = bytes.subarray(0, requestBytes);
      requestBytes = undefined;
      server.write(passed, breakBoth);
    });
    server.on('data', (bytes) => {
      if (!losesAnswer) {
        client.write(bytes);
        return;
      }
      losesAnswer = false;
      breakBoth();
    });
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });

  return {
    port: (proxy.address() as AddressInfo).port,
    loseNextAnswer: () => {
      losesAnswer = true;
    },
    loseNextRequestAfter: (bytes) => {
      requestBytes = bytes;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        proxy.close(() => resolve());
      }),
  };
}
