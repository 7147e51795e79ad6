/**
 * A zero of a function between two places where its signs differ, by Brent's method (R. P. Brent,
 * Algorithms for Minimization without Derivatives, 1973, chapter 4): interpolation where it converges,
 * halving where it does not. The functions of the Mann-Whitney test are staircases, so where exactly the
 * search stops depends on its steps and its tolerance; both are part of the published method.
 */
export const zeroOf = (
  valueAt: (place: number) => number,
  from: number,
  to: number,
  tolerance: number,
): number => {
  let best: Point = { at: to, value: valueAt(to) };
  let before: Point = { at: from, value: valueAt(from) };
  if (before.value === 0) return before.at;
  if (best.value === 0) return best.at;
  // Always on the other side of the zero than `best`.
  let opposite = before;
  for (let step = 0; step <= STEPS_MAX; step += 1) {
    const lastStep = best.at - before.at;
    if (Math.abs(opposite.value) < Math.abs(best.value)) {
      before = best;
      best = opposite;
      opposite = before;
    }
    const near = 2 * Number.EPSILON * Math.abs(best.at) + tolerance / 2;
    const half = (opposite.at - best.at) / 2;
    if (Math.abs(half) <= near || best.value === 0) return best.at;
    const mayInterpolate =
      Math.abs(lastStep) >= near && Math.abs(before.value) > Math.abs(best.value);
    const wanted =
      (mayInterpolate ? interpolated(before, best, opposite, lastStep, near) : null) ?? half;
    const at = best.at + (Math.abs(wanted) < near ? (wanted > 0 ? near : -near) : wanted);
    before = best;
    best = { at, value: valueAt(at) };
    if (best.value > 0 === opposite.value > 0) opposite = before;
  }
  return best.at;
};

type Point = { readonly at: number; readonly value: number };

const STEPS_MAX = 1_000;

/** The step to where a curve through the points is zero; null where it would lead astray. */
const interpolated = (
  before: Point,
  best: Point,
  opposite: Point,
  lastStep: number,
  near: number,
): number | null => {
  const gap = opposite.at - best.at;
  const ratio = best.value / before.value;
  let up = gap * ratio;
  let down = 1 - ratio;
  if (before.at !== opposite.at) {
    const q = before.value / opposite.value;
    const r = best.value / opposite.value;
    up = ratio * (gap * q * (q - r) - (best.at - before.at) * (r - 1));
    down = (q - 1) * (r - 1) * (ratio - 1);
  }
  if (up > 0) down = -down;
  else up = -up;
  const isInside = up < 0.75 * gap * down - Math.abs(near * down) / 2;
  const isShrinking = up < Math.abs((lastStep * down) / 2);
  return isInside && isShrinking ? up / down : null;
};
