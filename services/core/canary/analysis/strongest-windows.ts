import type { WindowMark } from '../windows/window.ts';
import { thousandths } from '../statistics/rounding.ts';

/** A window by how much it moved the rollback evidence. */
export type LoudWindow = WindowMark & { readonly gainNats: number };
/** The same as its metric knows it: when it began follows from its index. */
export type LoudIndex = Omit<LoudWindow, 'startMs'>;

// Three of them at most, as the first numbers of a metric's list (`settled`): index, gainNats (thousandths; 0: there is
// none), the loudest first. Every window is held against the last one, so it stands where every window looks anyway.

const size = 2;
const gainAt = 1;

/** How many numbers they are. */
export const loudLength = 6;
const lastGainAt: number = loudLength - size + gainAt;

export const noLoudWindows: readonly number[] = [0, 0, 0, 0, 0, 0];

/** The list with this window among them, if it is one. */
export const withWindow = (
  settled: readonly number[],
  { index }: Pick<WindowMark, 'index'>,
  gainNats: number,
): readonly number[] => {
  const gain = thousandths(gainNats);
  if (!(gain > 0) || gain <= (settled[lastGainAt] ?? 0)) return settled;
  let at = 0;
  while ((settled[at + gainAt] ?? 0) >= gain) at += size;
  const next = settled.slice();
  next.copyWithin(at + size, at, loudLength - size);
  next[at] = index;
  next[at + gainAt] = gain;
  return next;
};

export const loudWindows = (settled: readonly number[]): readonly LoudIndex[] => {
  const windows: LoudIndex[] = [];
  for (let at = 0; at < loudLength; at += size) {
    const gainNats = settled[at + gainAt] ?? 0;
    if (gainNats > 0) windows.push({ index: settled[at] ?? 0, gainNats });
  }
  return windows;
};
