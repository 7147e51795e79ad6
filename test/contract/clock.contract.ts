import { expect, test } from 'vitest';
import type { Clock, Stop } from '../../services/ports/clock.ts';

export type OpenedClock = {
  readonly clock: Clock;
  /** Lets so many milliseconds pass. */
  readonly pass: (ms: number) => Promise<void>;
};

/** What every clock promises. No test here waits long or measures time. */
export const clockContract = (name: string, open: () => OpenedClock): void => {
  const dayMs = 86_400_000;

  test(`${name}: the time is a whole number of milliseconds and does not stand before 2020`, () => {
    const { clock } = open();
    expect(Number.isSafeInteger(clock.nowMs())).toBe(true);
    expect(clock.nowMs()).toBeGreaterThan(Date.UTC(2020));
  });

  test(`${name}: who sleeps wakes when the time has passed, the shorter sleep first`, async () => {
    const { clock, pass } = open();
    const woken: string[] = [];
    const sleeps = [
      clock.sleep(60).then(() => woken.push('long')),
      clock.sleep(2).then(() => woken.push('short')),
    ];
    await pass(60);
    await Promise.all(sleeps);
    expect(woken).toEqual(['short', 'long']);
  });

  test(`${name}: a sleep longer than a timer can hold does not end at once`, async () => {
    const { clock, pass } = open();
    const stop = countingStop();
    let woken = false;
    const sleep = clock.sleep(100 * dayMs, stop).then(() => (woken = true));
    await pass(20);
    expect(woken).toBe(false);
    stop.abort();
    await sleep;
  });

  test(`${name}: no time is no sleep`, async () => {
    const { clock } = open();
    await clock.sleep(0);
    await clock.sleep(-5);
  });

  test(`${name}: an abort wakes the sleeper at once and leaves no listener`, async () => {
    const { clock } = open();
    const stop = countingStop();
    const sleep = clock.sleep(100 * dayMs, stop);
    expect(stop.listeners()).toBe(1);
    stop.abort();
    await sleep;
    expect(stop.listeners()).toBe(0);
  });

  test(`${name}: a signal that was aborted before lets nobody sleep`, async () => {
    const { clock } = open();
    const stop = countingStop();
    stop.abort();
    await clock.sleep(dayMs, stop);
    expect(stop.listeners()).toBe(0);
  });

  test(`${name}: a sleep that ends by itself leaves no listener`, async () => {
    const { clock, pass } = open();
    const stop = countingStop();
    const sleep = clock.sleep(3, stop);
    await pass(3);
    await sleep;
    expect(stop.listeners()).toBe(0);
  });
};

type CountingStop = Stop & { readonly abort: () => void; readonly listeners: () => number };

function countingStop(): CountingStop {
  const listeners = new Set<() => void>();
  let aborted = false;
  return {
    get aborted() {
      return aborted;
    },
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
    abort: () => {
      aborted = true;
      for (const listener of listeners) listener();
    },
    listeners: () => listeners.size,
  };
}
