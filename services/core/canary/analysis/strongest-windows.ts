import type { WindowMark } from '../windows/window.ts';

/** A window by how much it moved the rollback evidence. */
export type LoudWindow = WindowMark & { readonly gainNats: number };

// Three of them at most, as the first numbers of a metric's list (`settled`): index, startMs, gainNats (thousandths; 0: there
// is none), the loudest first. Every window is held against the last one, so it stands where every window looks anyway.

const size = 3;
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
  const next = settled.slice();
  next.copyWithin(at + size, at, loudLength - size);
  next[at] = index;
  next[at + 1] = startMs;
  next[at + gainAt] = gain;
  return next;
};

export const loudWindows = (settled: readonly number[]): readonly LoudWindow[] => {
  const windows: LoudWindow[] = [];
  for (let at = 0; at < loudLength; at += size) {
    const gainNats = settled[at + gainAt] ?? 0;
    if (gainNats > 0)
      windows.push({ index: settled[at] ?? 0, startMs: settled[at + 1] ?? 0, gainNats });
  }
  return windows;
};
