import type { Judged } from '../judge/rule.ts';
import type { Stage } from '../judge/verdict.ts';
import type { LoudWindow } from '../strongest-windows.ts';

// What the judge says after one window, in one form for every metric: what people are shown, and what plots draw.

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
  /** Its part of the whole budget, between 0 and 1. */
  readonly weight: number;
  readonly critical: boolean;
  readonly presence: 'both' | 'one' | 'none' | 'silent';
  /** What `events` are: `errors`, `slower than 250 ms`; `level` and `requests` where none are counted. */
  readonly counted: string;
  readonly canary: ArmReading;
  readonly baseline: ArmReading;
  /** Canary / baseline; null: not known yet. */
  readonly ratio: number | null;
  /** Of the ratio, at every window at once with this confidence; null ends are open. */
  readonly low: number | null;
  readonly high: number | null;
  readonly confidence: number;
  /** On which side of 1 the canary is worse. */
  readonly worse: 'higher' | 'lower';
  /** The ratio up to which (`lower`: down to which) the canary counts as no worse; null: not known yet. */
  readonly toleratedRatio: number | null;
  /** The same as a rate or share, where it is one. */
  readonly tolerated: number | null;
  /** Odds. */
  readonly rollbackEvidence: number;
  readonly promoteEvidence: number;
  readonly strongest: readonly LoudWindow[];
  readonly cappedBlocks: number;
  /** By how much its evidence is divided because cohorts of one program differ, too; null: not divided. */
  readonly phi: number | null;
  /** Where that is from, in words. */
  readonly noise: string;
  /** What could not be compared, in words; empty: nothing. */
  readonly trouble: string;
};

export type Reading = {
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly endMs: number;
  readonly windowMs: number;
  readonly stage: Stage;
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  /** Why: a code of the verdict. */
  readonly reason: string;
  /** What keeps it from passing, in words. */
  readonly missing: readonly string[];
  /** Metrics that the verdict rests on. */
  readonly blamed: readonly string[];
  /** Odds, all metrics together. */
  readonly evidence: number;
  readonly evidenceNeeded: number;
  /** Of the metric that has shown least; what each needs. Infinity: nothing is promoted. */
  readonly promoteEvidence: number;
  readonly promoteEvidenceNeeded: number;
  readonly metrics: readonly MetricReading[];
};
