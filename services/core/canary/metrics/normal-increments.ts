/**
 * The log-increments of one difference with so large a variance, one for each alternative mean t: t D / v - t^2 / (2 v),
 * the likelihood ratio of a normal mean t against 0.
 */
export const normalIncrements = (
  means: readonly number[],
  difference: number,
  variance: number,
): readonly number[] => {
  const increments: number[] = [];
  for (const mean of means) increments.push((mean * (difference - mean / 2)) / variance);
  return increments;
};
