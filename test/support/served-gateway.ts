import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { HttpLimits } from '../../services/adapters/http/server.ts';
import { serveHttp } from '../../services/adapters/http/server.ts';
import type { GatewayHouse } from './gateway.ts';
import { value } from './records.ts';

/** A gateway of a test's house at a real port, behind a wire that can be cut. */
export type ServedGateway = {
  readonly url: string;
  /** Cuts every connection that is open now; new ones are taken. */
  readonly cut: () => void;
  /** How many there were so far. */
  readonly connections: () => number;
  /** Stops it as the service does, with so much patience that a test would not end by it. */
  readonly stop: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export const serveGateway = async (
  house: Pick<GatewayHouse, 'app'>,
  limits: Partial<HttpLimits> = {},
  /** The wire breaks behind so many bytes of an answer. */
  bytesPerConnection: number = Infinity,
): Promise<ServedGateway> => {
  const server = value(
    await serveHttp(house.app.api, {
      host: '127.0.0.1',
      port: 0,
      limits,
      onError: (error) => {
        throw error;
      },
    }),
  );
  const open = new Set<Socket>();
  let connections = 0;
  const wire = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    connections += 1;
    near.pipe(far);
    let left = bytesPerConnection;
    far.on('data', (chunk: Buffer) => {
      const whole = near.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
      left -= chunk.length;
      if (left <= 0) near.end(() => near.destroy());
      else if (!whole) far.pause();
    });
    near.on('drain', () => far.resume());
  });
  await new Promise<void>((up) => wire.listen(0, '127.0.0.1', up));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(wire.address() as AddressInfo).port}`,
    cut,
    connections: () => connections,
    stop: () => server.close(600_000),
    close: async () => {
      cut();
      wire.close();
      await server.close(0);
    },
  };
};
