/**
 * Adds up (to a list, from some place on) the log-increments of one difference with so large a variance, one for each
 * alternative mean t, which is `unit` times what is listed: t D / v - t^2 / (2 v), the likelihood ratio of a normal
 * mean t against 0.
 */
export const addNormalIncrements = (
  into: number[],
  from: number,
  means: readonly number[],
  unit: number,
  difference: number,
  variance: number,
): void => {
  for (let index = 0; index < means.length; index += 1) {
    const mean = (means[index] ?? 0) * unit;
    const increment = (mean * (difference - mean / 2)) / variance;
    into[from + index] = (into[from + index] ?? 0) + increment;
  }
};
