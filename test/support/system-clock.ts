import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../services/ports/clock.ts';

/** The clock of this machine, for tests with real files and processes. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    // Waits forever would keep a test process alive; a stop is no fault.
    await wait(ms, undefined, signal === undefined ? {} : { signal: signal as AbortSignal }).catch(
      () => undefined,
    );
  },
};
