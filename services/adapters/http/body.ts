import type { IncomingMessage } from 'node:http';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { HttpRequest } from '../../ports/http.ts';

type BodyResult = Result<Uint8Array, 'too-large' | 'cut-off' | 'busy'>;

/** What the bodies that are being read may still take together. */
export type BodyRoom = { bytesLeft: number };

/**
 * Reads the body of one request up to a size. It never closes the connection: whoever is told that the body is
 * too large still has an answer to write.
 */
export const bodyReader = (incoming: IncomingMessage, room: BodyRoom): HttpRequest['body'] => {
  // Without a listener a connection that breaks would be an error of nobody.
  incoming.on('error', () => undefined);
  return (bytesMax) => {
    if (Number(incoming.headers['content-length'] ?? 0) > bytesMax)
      return Promise.resolve(fail('too-large'));
    if (incoming.destroyed) return Promise.resolve(fail('cut-off'));
    return new Promise((settle) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = (result: BodyResult): void => {
        incoming.off('data', onData).off('end', onEnd).off('close', onClose).pause();
        room.bytesLeft += bytes;
        settle(result);
      };
      const onData = (chunk: Buffer): void => {
        bytes += chunk.length;
        room.bytesLeft -= chunk.length;
        if (bytes > bytesMax) finish(fail('too-large'));
        else if (room.bytesLeft < 0) finish(fail('busy'));
        else chunks.push(chunk);
      };
      const onEnd = (): void => finish(ok(Buffer.concat(chunks)));
      const onClose = (): void => finish(fail('cut-off'));
      incoming.on('data', onData).once('end', onEnd).once('close', onClose);
    });
  };
};

/** Reads what is left of a body and throws it away. Answers whether the request was read to its end. */
export const discardRest = (
  incoming: IncomingMessage,
  bytesMax: number,
  withinMs: number,
): Promise<boolean> => {
  if (incoming.complete || incoming.destroyed) return Promise.resolve(incoming.complete);
  if (Number(incoming.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(false);
  return new Promise((settle) => {
    let bytes = 0;
    const timer = setTimeout(() => finish(false), withinMs);
    const finish = (isRead: boolean): void => {
      clearTimeout(timer);
      incoming.off('data', onData).off('end', onEnd).off('close', onClose).pause();
      settle(isRead);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > bytesMax) finish(false);
    };
    const onEnd = (): void => finish(true);
    const onClose = (): void => finish(false);
    incoming.on('data', onData).once('end', onEnd).once('close', onClose).resume();
  });
};
