import { expect, test } from 'vitest';
import type { Ids } from '../../services/ports/ids.ts';

/** What every maker of ids promises. `open` gives one whose clock is the given function. */
export const idsContract = (name: string, open: (nowMs: () => number) => Ids): void => {
  const noon = Date.UTC(2026, 10, 21, 12);
  const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const timeOf = (id: string): number => Number.parseInt(id.replace('-', '').slice(0, 12), 16);
  const take = (count: number, ids: Ids): readonly string[] =>
    Array.from({ length: count }, () => ids.uuidV7());

  test(`${name}: an id is a UUIDv7 of its time`, () => {
    const ids = open(() => noon);
    for (const id of take(50, ids)) {
      expect(id).toMatch(uuidV7);
      expect(timeOf(id)).toBe(noon);
    }
  });

  test(`${name}: ids rise and differ while the clock stands still`, () => {
    const made = take(
      20_000,
      open(() => noon),
    );
    expect(new Set(made).size).toBe(made.length);
    expect(made.toSorted()).toEqual(made);
  });

  test(`${name}: ids rise when the clock steps back, and follow it again later`, () => {
    let nowMs = noon;
    const ids = open(() => nowMs);
    const before = take(3, ids);
    nowMs = noon - 3_600_000;
    const during = take(3, ids);
    nowMs = noon + 1;
    const after = take(3, ids);
    const made = [...before, ...during, ...after];
    expect(made.toSorted()).toEqual(made);
    expect(after.map(timeOf)).toEqual([noon + 1, noon + 1, noon + 1]);
  });
};
