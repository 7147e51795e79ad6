import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import {
  classifyMetric,
  commonLanguageEffect,
  defaultRule,
  meanRatio,
} from '../../../../services/dev/calibrate/kayenta/classify.ts';
import type { Label, MetricRule } from '../../../../services/dev/calibrate/kayenta/classify.ts';
import {
  rankSumScore,
  shiftBetween,
} from '../../../../services/dev/calibrate/kayenta/mann-whitney.ts';
import { scoreOf } from '../../../../services/dev/calibrate/kayenta/score.ts';
import type { GroupWeights, Judgement } from '../../../../services/dev/calibrate/kayenta/score.ts';

// The vectors of Kayenta's own suites, each file with its source. All agree. Two of its vectors are not kept, because
// they are too long: 1,400 values a side, 1e-5 apart, whose interval ends are the root finder's tolerance of 1e-4.

type Values = string | readonly number[];
type Samples = Readonly<Record<string, readonly number[]>>;

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../golden/kayenta', name), 'utf8'));

const valuesOf = (samples: Samples, values: Values): readonly number[] => {
  if (typeof values !== 'string') return values;
  const sample = samples[values];
  if (sample === undefined) throw new Error(`no sample ${values}`);
  return sample;
};

const number = (value: number | 'NaN'): number => (value === 'NaN' ? Number.NaN : value);

describe('the classification of a metric is the published one:', () => {
  const { samples, vectors } = golden('classifications.json') as {
    samples: Samples;
    vectors: readonly {
      name: string;
      canary: Values;
      baseline: Values;
      rule: Partial<MetricRule>;
      label: Label;
      isCritical?: boolean;
      deviation?: number | 'NaN';
    }[];
  };

  test.each(vectors)('$name', ({ canary, baseline, rule, label, isCritical, deviation }) => {
    const found = classifyMetric(valuesOf(samples, canary), valuesOf(samples, baseline), {
      ...defaultRule,
      ...rule,
    });
    expect(found).toMatchObject({
      label,
      ...(isCritical === undefined ? {} : { critical: isCritical }),
      ...(deviation === undefined ? {} : { deviation: number(deviation) }),
    });
  });

  test('there are thirty-three of them', () => expect(vectors).toHaveLength(33));
});

describe('interval and estimate are the published ones:', () => {
  const { samples, intervals, scores } = golden('intervals.json') as {
    samples: Samples;
    intervals: readonly {
      name: string;
      canary: Values;
      baseline: Values;
      confidence: number;
      low: number;
      high: number;
      estimate: number;
      estimateWithin: number;
    }[];
    scores: Readonly<Record<string, number>> & { canary: string; baseline: string };
  };

  test.each(intervals)('$name', (vector) => {
    const shift = shiftBetween(
      valuesOf(samples, vector.canary),
      valuesOf(samples, vector.baseline),
      vector.confidence,
    );
    const distance = (found: number | undefined, published: number): number =>
      Math.abs((found ?? Number.NaN) - published);
    expect(distance(shift?.low, vector.low)).toBeLessThan(1e-6);
    expect(distance(shift?.high, vector.high)).toBeLessThan(1e-6);
    expect(distance(shift?.estimate, vector.estimate)).toBeLessThan(vector.estimateWithin);
  });

  test('so are the scores of the rank sum at both ends of the search', () => {
    const x = Float64Array.from(valuesOf(samples, scores.canary)).sort();
    const y = Float64Array.from(valuesOf(samples, scores.baseline)).sort();
    const { lowest, highest, quantile } = scores as Readonly<Record<string, number>>;
    if (lowest === undefined || highest === undefined || quantile === undefined) throw new Error();
    expect((x[0] ?? 0) - (y.at(-1) ?? 0)).toBeCloseTo(lowest, 12);
    expect((x.at(-1) ?? 0) - (y[0] ?? 0)).toBeCloseTo(highest, 12);
    const atLowest = rankSumScore(x, y, lowest);
    const atHighest = rankSumScore(x, y, highest);
    expect(atLowest - quantile).toBeCloseTo(scores['atLowestBelowQuantile'] ?? 0, 10);
    expect(atHighest - quantile).toBeCloseTo(scores['atHighestBelowQuantile'] ?? 0, 10);
    expect(atLowest + quantile).toBeCloseTo(scores['atLowestAboveQuantile'] ?? 0, 10);
    expect(atHighest + quantile).toBeCloseTo(scores['atHighestAboveQuantile'] ?? 0, 10);
  });
});

describe('the weighted score is the published one:', () => {
  const { vectors } = golden('scores.json') as {
    vectors: readonly {
      name: string;
      judgements: readonly Judgement[];
      weights: GroupWeights;
      score: number;
    }[];
  };

  test.each(vectors)('$name', ({ judgements, weights, score }) => {
    expect(scoreOf(judgements, weights)).toBe(score);
  });
});

describe('effect sizes are the published ones:', () => {
  const sizes = golden('effect-sizes.json') as {
    meanRatio: readonly {
      canary: readonly number[];
      baseline: readonly number[];
      ratio: number | 'NaN';
    }[];
    cles: readonly {
      canary: readonly number[];
      baseline: readonly number[];
      share: number;
      within: number;
    }[];
  };

  test.each(sizes.meanRatio)('mean ratio $ratio', ({ canary, baseline, ratio }) => {
    expect(meanRatio(canary, baseline)).toBe(number(ratio));
  });

  test.each(sizes.cles)('common language effect size $share', (vector) => {
    const { canary, baseline, share, within } = vector;
    expect(Math.abs(commonLanguageEffect(canary, baseline) - share)).toBeLessThanOrEqual(within);
  });
});
