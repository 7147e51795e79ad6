import type { RatioInterval } from '../statistics/ratio.ts';

// Numbers as people read them. No locale: the same everywhere.

/** 20130 as 20,130. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** A share as `2.05 %`; small ones with as many digits as they need. */
export const percent = (share: number): string => {
  const value = share * 100;
  return `${value !== 0 && Math.abs(value) < 0.1 ? value.toPrecision(2) : value.toFixed(2)} %`;
};

/** A ratio as `3.2x`. */
export const times = (ratio: number): string => `${Number(ratio.toPrecision(ratio < 1 ? 2 : 3))}x`;

/** A ratio beyond this says no more than that it is open. */
const ratioMax = 1_000;

/** An interval's ends as far as they tell people anything. */
export const shownInterval = ({ low, high }: RatioInterval): RatioInterval => ({
  low: low !== null && low >= 1 / ratioMax ? low : null,
  high: high !== null && high <= ratioMax ? high : null,
});

const million = 1e6;

/** Evidence as `1:4,700`. */
export const odds = (evidence: number): string => {
  if (!Number.isFinite(evidence)) return 'out of reach';
  if (evidence < 1) return 'below 1:1';
  if (evidence >= million) return 'above 1:1,000,000';
  return `1:${grouped(evidence < 10 ? Number(evidence.toFixed(1)) : Math.round(evidence))}`;
};

/** A level with three digits. */
export const level = (value: number): string => grouped3(Number(value.toPrecision(3)));

const grouped3 = (value: number): string =>
  Number.isInteger(value) ? grouped(value) : String(value);
