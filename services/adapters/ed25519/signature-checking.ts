import { Worker } from 'node:worker_threads';
import type { Crypto } from '../../core/markers/crypto.ts';
import type { SignedMessage, SignatureChecking } from '../../ports/signature-checking.ts';
import { publicKeyBytes, signatureBytes } from './encodings.ts';
import { packSigned } from './packed.ts';

/** Checks of one piece of work: about 2 ms, so that the asking thread is free again soon. */
const pieceMax = 16;
/** Pieces that a thread has waiting, so that it is never without work. */
const piecesAheadMax = 2;
/** A thread takes some 50 ms to start: few checks are not worth it. */
const startAfterDefault = 1_000;

export type SignatureCheckingOptions = {
  readonly crypto: Crypto;
  /** Threads beside the asking one. 0: it checks everything itself, piece by piece. */
  readonly threads: number;
  /** The threads are started when so many checks were asked for in all. */
  readonly startAfter?: number;
  /** What each thread runs; it answers each packed piece with one byte a signature. */
  readonly workerFile?: URL;
};

type Thread = { readonly worker: Worker; readonly pieces: Piece[] };
type Piece = { readonly signed: readonly Numbered[]; readonly of: Call };
type Numbered = { readonly number: number; readonly message: SignedMessage };
type Call = { readonly answers: boolean[]; open: number; readonly done: () => void };

/**
 * Signature checks spread over worker threads. The asking thread takes its share, a piece at a time. A thread that
 * fails is not used again, and what it had is checked by the others: a worker can be slow or gone, never wrong.
 */
export function createSignatureChecking(options: SignatureCheckingOptions): SignatureChecking {
  const { crypto, threads: threadsMax, startAfter = startAfterDefault } = options;
  const workerFile = options.workerFile ?? new URL('verify-worker.ts', import.meta.url);
  let threads: Thread[] = [];
  let waiting: Piece[] = [];
  let askedFor = 0;
  let isStarted = false;
  let isClosed = false;

  const answer = ({ signed, of }: Piece, isGood: (at: number) => boolean): void => {
    for (const [at, { number }] of signed.entries()) of.answers[number] = isGood(at);
    of.open -= 1;
    if (of.open === 0) of.done();
  };

  const feed = (thread: Thread): void => {
    while (thread.pieces.length < piecesAheadMax) {
      const piece = waiting.shift();
      if (piece === undefined) break;
      thread.pieces.push(piece);
      const packed = packSigned(piece.signed.map(({ message }) => message));
      thread.worker.postMessage(packed, [packed.buffer]);
    }
    // Only while it owes an answer it keeps the process alive.
    if (thread.pieces.length > 0) thread.worker.ref();
    else thread.worker.unref();
  };

  const retire = (thread: Thread): void => {
    if (!threads.includes(thread)) return;
    threads = threads.filter((other) => other !== thread);
    waiting = [...thread.pieces.splice(0), ...waiting];
    void thread.worker.terminate();
    // Those who wait for it are served here.
    void work();
  };

  const start = (): void => {
    isStarted = true;
    for (let count = 0; count < threadsMax; count += 1) {
      const worker = new Worker(workerFile);
      const thread: Thread = { worker, pieces: [] };
      worker.unref();
      worker.on('message', (answers: Uint8Array) => {
        const piece = thread.pieces.shift();
        if (piece === undefined || answers.length !== piece.signed.length) {
          if (piece !== undefined) thread.pieces.unshift(piece);
          retire(thread);
          return;
        }
        answer(piece, (at) => answers[at] === 1);
        feed(thread);
      });
      worker.on('error', () => retire(thread));
      worker.on('exit', () => retire(thread));
      threads.push(thread);
    }
  };

  /** The asking thread's share: a piece, then everybody else's turn. */
  const work = async (): Promise<void> => {
    for (;;) {
      const piece = waiting.shift();
      if (piece === undefined) return;
      const good = piece.signed.map(({ message: { publicKey, message, signature } }) =>
        crypto.verify('ed25519', publicKey, message, signature),
      );
      answer(piece, (at) => good[at] === true);
      await new Promise((turn) => void setImmediate(turn));
    }
  };

  return {
    verifyAll: (signed) =>
      new Promise((resolve) => {
        const answers = signed.map(() => false);
        const able = signed.flatMap((message, number) =>
          isPackable(message) ? [{ number, message }] : [],
        );
        if (able.length === 0) {
          resolve(answers);
          return;
        }
        askedFor += signed.length;
        if (!isStarted && !isClosed && askedFor >= startAfter) start();
        const call: Call = {
          answers,
          open: Math.ceil(able.length / pieceMax),
          done: () => resolve(answers),
        };
        for (let from = 0; from < able.length; from += pieceMax)
          waiting.push({ signed: able.slice(from, from + pieceMax), of: call });
        for (const thread of threads) feed(thread);
        void work();
      }),
    close: async () => {
      isClosed = true;
      const ending = threads;
      for (const thread of ending) retire(thread);
      await Promise.all(ending.map(async ({ worker }) => worker.terminate()));
    },
  };
}

/** What has other lengths is no good signature. */
const isPackable = ({ publicKey, signature }: SignedMessage): boolean =>
  publicKey.length === publicKeyBytes && signature.length === signatureBytes;
