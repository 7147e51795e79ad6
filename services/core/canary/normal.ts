/**
 * The value below which a standard normal number lies with this chance (0 to 1, neither included): Acklam's rational
 * approximation, relative error below 1.2e-9.
 */
export const normalQuantile = (chance: number): number => {
  if (!(chance > 0 && chance < 1)) throw new RangeError(`no quantile at ${chance}`);
  if (chance > 0.5) return -normalQuantile(1 - chance);
  if (chance < tailBelow) {
    const q = Math.sqrt(-2 * Math.log(chance));
    return polynomial(tailAbove, q) / (polynomial(tailUnder, q) * q + 1);
  }
  const q = chance - 0.5;
  const r = q * q;
  return (polynomial(middleAbove, r) * q) / (polynomial(middleUnder, r) * r + 1);
};

const tailBelow = 0.02425;
const middleAbove: readonly number[] = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2,
  -3.066479806614716e1, 2.506628277459239,
];
const middleUnder: readonly number[] = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
  -1.328068155288572e1,
];
const tailAbove: readonly number[] = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
];
const tailUnder: readonly number[] = [
  7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416,
];

const polynomial = (coefficients: readonly number[], at: number): number =>
  coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);
