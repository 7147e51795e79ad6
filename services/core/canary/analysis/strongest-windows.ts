import type { WindowMark } from '../windows/window.ts';
import type { OpenNumbers } from '../judge/metric-judge.ts';
import { settledOf } from '../judge/metric-judge.ts';
import { thousandths } from '../statistics/rounding.ts';

/** A window by how much it moved the rollback evidence. */
export type LoudWindow = WindowMark & { readonly gainNats: number };
/** The same as its metric knows it: when it began follows from its index. */
export type LoudIndex = Omit<LoudWindow, 'startMs'>;

// Three of them at most, as the first of a metric's settled numbers: index, gainNats (thousandths; 0: there is
// none), the loudest first. Every window is held against the last one, so it stands where every window looks anyway.

const size = 2;
const gainAt = 1;

/** How many numbers they are. */
export const loudLength = 6;
const lastGainAt: number = loudLength - size + gainAt;

export const noLoudWindows: readonly number[] = [0, 0, 0, 0, 0, 0];

/** Puts this window among them, if it is one. */
export const addLoudWindow = (
  open: OpenNumbers,
  { index }: Pick<WindowMark, 'index'>,
  gainNats: number,
): void => {
  const gain = thousandths(gainNats);
  const { at: first, settled } = open;
  if (!(gain > 0) || gain <= (settled[first + lastGainAt] ?? 0)) return;
  let at = first;
  while ((settled[at + gainAt] ?? 0) >= gain) at += size;
  const written = settledOf(open);
  written.copyWithin(at + size, at, first + loudLength - size);
  written[at] = index;
  written[at + gainAt] = gain;
};

export const loudWindows = (settled: readonly number[], first: number): readonly LoudIndex[] => {
  const windows: LoudIndex[] = [];
  for (let at = first; at < first + loudLength; at += size) {
    const gainNats = settled[at + gainAt] ?? 0;
    if (gainNats > 0) windows.push({ index: settled[at] ?? 0, gainNats });
  }
  return windows;
};
