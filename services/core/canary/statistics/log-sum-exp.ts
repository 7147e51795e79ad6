/** ln of the sum of e^term of the first `length` terms, safe where e^term alone would overflow. */
export const logSumExp = (terms: readonly number[], length: number = terms.length): number => {
  let highest = -Infinity;
  for (let index = 0; index < length; index += 1)
    highest = Math.max(highest, terms[index] ?? -Infinity);
  if (highest === -Infinity) return -Infinity;
  let sum = 0;
  for (let index = 0; index < length; index += 1)
    sum += Math.exp((terms[index] ?? -Infinity) - highest);
  return highest + Math.log(sum);
};
