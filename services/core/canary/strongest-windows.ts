import type { WindowMark } from './window.ts';

/** A window by how much it moved the rollback evidence. */
export type LoudWindow = WindowMark & { readonly gainNats: number };

/** Up to three of them as a list of numbers: index, startMs, gainNats (thousandths), the loudest first. */
export type LoudWindows = readonly number[];

const windowsMax = 3;
const size = 3;
const gainAt = 2;

/** With this window among them, if it is one. */
export const withWindow = (
  loudest: LoudWindows,
  { index, startMs }: WindowMark,
  gainNats: number,
): LoudWindows => {
  const gain = Math.round(gainNats * 1e3) / 1e3;
  if (!(gain > 0)) return loudest;
  const isFull = loudest.length === windowsMax * size;
  if (isFull && gain <= (loudest[loudest.length - size + gainAt] ?? 0)) return loudest;
  let at = 0;
  while (at < loudest.length && (loudest[at + gainAt] ?? 0) >= gain) at += size;
  const next = [...loudest.slice(0, at), index, startMs, gain, ...loudest.slice(at)];
  return next.slice(0, windowsMax * size);
};

export const loudWindows = (loudest: LoudWindows): readonly LoudWindow[] => {
  const windows: LoudWindow[] = [];
  for (let at = 0; at < loudest.length; at += size)
    windows.push({
      index: loudest[at] ?? 0,
      startMs: loudest[at + 1] ?? 0,
      gainNats: loudest[at + gainAt] ?? 0,
    });
  return windows;
};
