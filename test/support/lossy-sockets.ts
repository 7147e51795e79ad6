import { connect } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

const produceApiKey = 0;

export type LossySockets = {
  readonly factory: ISocketFactory;
  /** How many were lost so far. */
  readonly lost: () => number;
};

/**
 * Connections for kafkajs that break at a produce request when `lose` says so: before it is sent, or instead of
 * bringing its answer, when the broker has written the records.
 */
export const lossySockets = (
  what: 'request' | 'answer',
  lose: (produceRequest: number) => boolean,
): LossySockets => {
  let produced = 0;
  let lost = 0;
  const factory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    let losesNext = false;
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]): boolean => {
      const [request] = args;
      // Size (4 bytes), then the number of the request's kind (2 bytes).
      if (Buffer.isBuffer(request) && request.readInt16BE(4) === produceApiKey) {
        produced += 1;
        const loses = lose(produced);
        losesNext = loses && what === 'answer';
        if (loses && what === 'request') {
          lost += 1;
          socket.destroy(reset());
          return false;
        }
      }
      return write(...args);
    };
    const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
    socket.emit = (...args: unknown[]): boolean => {
      if (args[0] !== 'data' || !losesNext) return emit(...args);
      losesNext = false;
      lost += 1;
      socket.destroy(reset());
      return true;
    };
    return socket;
  };
  return { factory, lost: () => lost };
};

const reset = (): Error => new Error('read ECONNRESET');
