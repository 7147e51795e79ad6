import type { Clock, Stop } from '../../ports/clock.ts';

export type MemoryClock = Clock & {
  /** Moves the time on and wakes whoever slept that long, in the order of their times. */
  readonly advance: (ms: number) => Promise<void>;
};

type Sleeper = { readonly untilMs: number; readonly wake: () => void };

/** A clock that stands still until it is moved. */
export function createMemoryClock(startMs: number): MemoryClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();

  const nextUntil = (untilMs: number): Sleeper | undefined =>
    [...sleepers]
      .filter((sleeper) => sleeper.untilMs <= untilMs)
      .toSorted((a, b) => a.untilMs - b.untilMs)[0];

  return {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      ms <= 0 || signal?.aborted === true
        ? Promise.resolve()
        : sleepUntil(nowMs + ms, sleepers, signal),
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      for (let next = nextUntil(untilMs); next !== undefined; next = nextUntil(untilMs)) {
        nowMs = Math.max(nowMs, next.untilMs);
        next.wake();
        await settled(); // who woke may sleep again within the same advance
      }
      nowMs = untilMs;
    },
  };
}

function sleepUntil(
  untilMs: number,
  sleepers: Set<Sleeper>,
  signal: Stop | undefined,
): Promise<void> {
  return new Promise((done) => {
    const wake = (): void => {
      sleepers.delete(sleeper);
      signal?.removeEventListener('abort', wake);
      done();
    };
    const sleeper: Sleeper = { untilMs, wake };
    sleepers.add(sleeper);
    signal?.addEventListener('abort', wake);
  });
}

const settled = (): Promise<void> => new Promise((done) => void setImmediate(done));
