import type { WindowMark } from '../windows/window.ts';

/** A window by how much it moved the rollback evidence. */
export type LoudWindow = WindowMark & { readonly gainNats: number };

// Three of them at most, as the first numbers of a metric's list (`settled`): index, startMs (after the first: less that
// of the first, which is shorter), gainNats (thousandths; 0: there is none), the loudest first. Every window is held
// against the last one, so it stands where every window looks anyway.

const size = 3;
const startAt = 1;
const gainAt = 2;

/** How many numbers they are. */
export const loudLength = 9;
const lastGainAt: number = loudLength - size + gainAt;

export const noLoudWindows: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0];

/** The list with this window among them, if it is one. */
export const withWindow = (
  settled: readonly number[],
  { index, startMs }: WindowMark,
  gainNats: number,
): readonly number[] => {
  const gain = Math.round(gainNats * 1e3) / 1e3;
  if (!(gain > 0) || gain <= (settled[lastGainAt] ?? 0)) return settled;
  let at = 0;
  while ((settled[at + gainAt] ?? 0) >= gain) at += size;
  const firstMs = settled[startAt] ?? 0;
  const next = settled.slice();
  next.copyWithin(at + size, at, loudLength - size);
  next[at] = index;
  next[at + startAt] = at === 0 ? startMs : startMs - firstMs;
  next[at + gainAt] = gain;
  if (at === 0)
    for (let other = size; other < loudLength && (next[other + gainAt] ?? 0) > 0; other += size) {
      const sinceFirst = other === size ? 0 : (next[other + startAt] ?? 0);
      next[other + startAt] = firstMs + sinceFirst - startMs;
    }
  return next;
};

export const loudWindows = (settled: readonly number[]): readonly LoudWindow[] => {
  const windows: LoudWindow[] = [];
  for (let at = 0; at < loudLength; at += size) {
    const gainNats = settled[at + gainAt] ?? 0;
    const startMs = (settled[startAt] ?? 0) + (at === 0 ? 0 : (settled[at + startAt] ?? 0));
    if (gainNats > 0) windows.push({ index: settled[at] ?? 0, startMs, gainNats });
  }
  return windows;
};
