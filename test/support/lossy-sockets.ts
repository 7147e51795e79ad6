import { connect } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

const produceApiKey = 0;

export type LossySockets = {
  readonly factory: ISocketFactory;
  /** How many answers to a produce request were lost so far. The broker had written the records each time. */
  readonly lost: () => number;
};

/** Connections for kafkajs that break instead of bringing the answer to a produce request, when `lose` says so. */
export const lossySockets = (lose: (produceRequest: number) => boolean): LossySockets => {
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
        losesNext = lose(produced);
      }
      return write(...args);
    };
    const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
    socket.emit = (...args: unknown[]): boolean => {
      if (args[0] !== 'data' || !losesNext) return emit(...args);
      losesNext = false;
      lost += 1;
      socket.destroy(new Error('read ECONNRESET'));
      return true;
    };
    return socket;
  };
  return { factory, lost: () => lost };
};
