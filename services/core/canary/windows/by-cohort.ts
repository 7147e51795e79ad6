import { thousandths } from '../statistics/rounding.ts';
import type { Cohort } from './cohorts.ts';

export type ByCohort<Of> = { readonly [Name in Cohort]: Of };

export const byCohort = <Of>(of: (cohort: Cohort) => Of): ByCohort<Of> => ({
  canary: of('canary'),
  baseline: of('baseline'),
});

const forgottenWindows = 2;

/** A sum of about the last half of so many windows, with what the newest one adds: each of the n keeps n / (n + 2) of it. */
export const sumLately = (before: number, more: number, windows: number): number =>
  thousandths(before * (windows / (windows + forgottenWindows)) + more);
