import type { Noise } from '../core/canary/judge/noise.ts';
import type { MetricPolicy } from '../core/canary/policy/policy.ts';
import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import type { Sample, SampleEnvelope } from '../core/samples/sample.ts';

// The samples that an analysis rests on, for whoever folds them again.

/** `samples-gone`: neither `samples` nor the archive holds them any more. */
export type SamplesProblem = {
  readonly code: 'samples-gone' | 'unreachable' | 'corrupt';
  readonly message: string;
};

export type SamplesRange = {
  readonly analysis: string;
  readonly partition: number;
  /** Only samples of this key (`environment/component`). */
  readonly key: string;
  readonly from: Position;
  /** The last one; null: the end. */
  readonly to: Position | null;
};

export type SamplesRead = {
  /** Where they were found. */
  readonly source: 'samples' | 'archive';
  /** Records of the key that were not used, by the reason. */
  readonly refused: { readonly [code: string]: number };
};

/** What was learned of how much a component scatters; `ageMs` null: nothing. */
export type NoiseKnown = { readonly noise: Noise; readonly ageMs: number | null };

export type Explaining = {
  /** The noise of a place's metrics that the next canary there is judged by. */
  readonly noiseFor: (
    place: Pick<SampleEnvelope, 'environment' | 'component'>,
    metrics: readonly MetricPolicy[],
  ) => Promise<NoiseKnown>;
  /** The partition in which samples of a key lie. */
  readonly partitionOf: (key: string) => number;
  /** A position before the first record of that time, close to it. */
  readonly positionNear: (
    partition: number,
    timeMs: number,
  ) => Promise<Result<Position, SamplesProblem>>;
  /** Hands over the samples of a range in their order, each proven to be an analyser's. */
  readonly read: (
    range: SamplesRange,
    take: (sample: Sample, position: Position) => void,
    onProgress: (progress: { readonly next: Position; readonly end: Position }) => void,
  ) => Promise<Result<SamplesRead, SamplesProblem>>;
};
