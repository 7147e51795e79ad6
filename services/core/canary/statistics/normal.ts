// The standard normal distribution.

export const normalDensity = (at: number): number =>
  Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI);

/**
 * The share below `at`: 1/2 + density * (x + x^3/3 + x^5/(3*5) + …), a sum of terms of one sign
 * (Marsaglia 2004, Evaluating the Normal Distribution). Absolute error about 1e-15.
 */
export const normalShareBelow = (at: number): number => {
  if (at < -BEYOND) return 0;
  if (at > BEYOND) return 1;
  let sum = at;
  let term = at;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= (at * at) / odd;
    sum += term;
  }
  return 0.5 + sum * normalDensity(at);
};

/** The value with so large a share below it (between 0 and 1, neither included). */
export const normalQuantile = (shareBelow: number): number => {
  if (!(shareBelow > 0 && shareBelow < 1)) throw new RangeError(`no quantile at ${shareBelow}`);
  let low = -BEYOND;
  let high = BEYOND;
  for (let step = 0; step < BISECTIONS; step += 1) {
    const middle = (low + high) / 2;
    if (normalShareBelow(middle) < shareBelow) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** Less than 1e-23 of the distribution lies beyond it. */
const BEYOND = 10;
const BISECTIONS = 64;
