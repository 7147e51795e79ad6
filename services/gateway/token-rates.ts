import type { Clock } from '../ports/clock.ts';

/** Markers that one token may send in a second; a loop in one pipeline must not be everybody's outage. */
export const markersPerSecondMax = 50;

/** Whether one more of a name is too many. Each second begins anew. */
export const openTokenRates = ({ nowMs }: Pick<Clock, 'nowMs'>): ((name: string) => boolean) => {
  const taken = new Map<string, number>();
  let second = 0;
  return (name) => {
    const now = Math.floor(nowMs() / 1000);
    if (now !== second) taken.clear();
    second = now;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count > markersPerSecondMax;
  };
};
