import type { Clock, Stop } from '../../ports/clock.ts';

/** Node fires at once for a longer timer. */
const timerMsMax = 2 ** 31 - 1;

/** The wall clock and the timers of this machine. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    sleep: async (ms, signal) => {
      let leftMs = ms;
      while (leftMs > timerMsMax && signal?.aborted !== true) {
        await sleepOnce(timerMsMax, signal);
        leftMs -= timerMsMax;
      }
      await sleepOnce(leftMs, signal);
    },
  };
}

function sleepOnce(ms: number, signal: Stop | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((done) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      done();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', wake);
  });
}
