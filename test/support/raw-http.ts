import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A connection that sends what a test says, byte for byte. */
export type RawConnection = {
  readonly socket: Socket;
  readonly send: (bytes: string | Uint8Array) => void;
  /** Everything that came, once the other side has closed or `until` has come. */
  readonly received: (until?: string) => Promise<string>;
};

export const openRaw = async (port: number): Promise<RawConnection> => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  let isOver = false;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    tell();
  });
  // A reset is an end like any other: what came before it counts.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOver = true;
    tell();
  });
  return {
    socket,
    send: (bytes) => {
      socket.write(bytes);
    },
    received: (until) =>
      new Promise((settle) => {
        const look = (): void => {
          if (!isOver && (until === undefined || !text.includes(until))) return;
          listeners.delete(look);
          settle(text);
        };
        listeners.add(look);
        look();
      }),
  };
};

/** The status codes of the answers on a connection, in order. */
export const statusesIn = (received: string): readonly number[] =>
  [...received.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map(([, status]) => Number(status));
