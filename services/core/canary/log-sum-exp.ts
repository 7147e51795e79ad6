/** ln of the sum of e^term, safe where e^term alone would overflow. */
export const logSumExp = (terms: readonly number[]): number => {
  let highest = -Infinity;
  for (const term of terms) if (term > highest) highest = term;
  if (highest === -Infinity) return -Infinity;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - highest);
  return highest + Math.log(sum);
};
