import type { WindowMark } from './window.ts';

/** A window by how much it moved the rollback evidence. */
export type LoudWindow = WindowMark & { readonly gainNats: number };

const windowsMax = 3;

/** The loudest windows with this one among them, if it is one; the loudest first. */
export const withWindow = (
  loudest: readonly LoudWindow[],
  { index, startMs }: WindowMark,
  gainNats: number,
): readonly LoudWindow[] => {
  if (!(gainNats > 0)) return loudest;
  if (loudest.length === windowsMax && gainNats <= (loudest.at(-1)?.gainNats ?? 0)) return loudest;
  return [...loudest, { index, startMs, gainNats }]
    .toSorted((left, right) => right.gainNats - left.gainNats)
    .slice(0, windowsMax);
};
