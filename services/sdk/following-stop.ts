import type { Stop } from '../ports/clock.ts';

/** An AbortSignal that aborts when `stop` does, or by itself; `release` once nobody waits for it any more. */
export const followingStop = (
  stop: Stop | undefined,
): {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  readonly release: () => void;
} => {
  const own = new AbortController();
  const abort = (): void => own.abort();
  if (stop?.aborted === true) abort();
  stop?.addEventListener('abort', abort);
  return {
    signal: own.signal,
    abort,
    release: () => stop?.removeEventListener('abort', abort),
  };
};
