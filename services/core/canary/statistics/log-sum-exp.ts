/** ln of the sum of e^term, safe where e^term alone would overflow. */
export const logSumExp = (terms: readonly number[]): number => {
  let highest = -Infinity;
  for (let index = 0; index < terms.length; index += 1)
    highest = Math.max(highest, terms[index] ?? -Infinity);
  if (highest === -Infinity) return -Infinity;
  let sum = 0;
  for (let index = 0; index < terms.length; index += 1)
    sum += Math.exp((terms[index] ?? -Infinity) - highest);
  return highest + Math.log(sum);
};
