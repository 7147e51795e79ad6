import type { Judged } from '../judge/rule.ts';
import type { Explanation, Stage, Verdict } from '../judge/verdict.ts';

// What the judge says after one window, in one form for every kind of metric: what tables show and plots draw.

/** What one cohort did; what a metric does not have is null. */
export type ArmReading = {
  /** Requests. */
  readonly n: number | null;
  /** Of these, those that are counted. */
  readonly events: number | null;
  /** Mean of a level. */
  readonly level: number | null;
};

export type MetricReading = {
  readonly id: string;
  readonly judged: Judged;
  /** What `events` are: `errors`, `slower than 250 ms`; empty where none are counted. */
  readonly counted: string;
  readonly canary: ArmReading;
  readonly baseline: ArmReading;
  /** Canary / baseline; null: not known yet. */
  readonly ratio: number | null;
  /** Of the ratio, at every window at once with this confidence; null ends are open. */
  readonly low: number | null;
  readonly high: number | null;
  readonly confidence: number;
  /** On which side of it the canary is worse. */
  readonly worse: 'higher' | 'lower';
  /** The ratio up to which (`lower`: down to which) the canary counts as no worse; null: not known yet. */
  readonly toleratedRatio: number | null;
  /** The same as a share of requests, where it is one. */
  readonly tolerated: number | null;
  /** Odds: its part of the evidence of all metrics; and that it is good enough. */
  readonly evidence: number;
  readonly promoteEvidence: number;
  /** How much more it scatters than chance would, by which its evidence is divided; null: not divided. */
  readonly dispersion: number | null;
  /** The least that it was divided by: as much, but where traffic changed. */
  readonly dispersionLeast: number | null;
};

export type Reading = {
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly endMs: number;
  readonly windowMs: number;
  readonly stage: Stage;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
  /** Of the metric that has shown least of those that weigh something; 1: none. */
  readonly promoteEvidence: number;
  readonly metrics: readonly MetricReading[];
};

/** Why the verdict is what it is, as a code. */
export const reasonOf = (verdict: Verdict): string =>
  verdict.outcome === 'inconclusive' ? verdict.reason : (verdict.reasons[0]?.code ?? '');
