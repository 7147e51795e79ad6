import { describe, expect, test } from 'vitest';

import { explain } from '../../../services/core/canary/judge.ts';
import { standardPreset } from '../../../services/core/canary/policy.ts';
import { exclusionPhrase, explanationSentence } from '../../../services/core/canary/sentence.ts';
import { judgeAll, repeat } from '../../support/canary/streams.ts';
import type { Counts } from '../../support/canary/streams.ts';

const sentenceAfter = (windows: readonly Counts[], isPass = false): string =>
  explanationSentence(explain(standardPreset, judgeAll(standardPreset, windows)), isPass);

describe('an explanation reads', () => {
  test('without requests', () => {
    expect(sentenceAfter([])).toBe(
      'canary without requests, baseline without requests: ratio unknown; ' +
        'tolerated up to 0.05 %; evidence 1:1, needed 1:200',
    );
  });

  test('with counts, ratio, interval, line and evidence', () => {
    expect(sentenceAfter(repeat(26, [250, 5, 250, 1]))).toBe(
      'canary 70/3,500 errors (2.00 %), baseline 14/3,500 errors (0.40 %): ' +
        '5.00x (1.85x to 17.8x with 99 % confidence); tolerated up to 0.49 %; ' +
        'blocks capped: 4; evidence 1:609, needed 1:200',
    );
  });

  test('with one open end while the baseline has no error', () => {
    expect(sentenceAfter(repeat(20, [250, 3, 250, 0]))).toContain(
      '24/2,000 errors (1.20 %), baseline 0/2,000 errors (0.00 %): ratio unknown (at least ',
    );
  });

  test('with the evidence for a promotion, where there is one', () => {
    expect(sentenceAfter(repeat(60, [250, 1, 250, 1]), true)).toMatch(
      /; evidence that it is good enough 1:[0-9,]+, needed 1:20; evidence against it below 1:1, needed 1:200$/,
    );
  });
});

test('what came and is no evidence is told by its reasons; what everybody has is not', () => {
  const none = {
    'other-namespace': 0,
    'other-version': 0,
    'either-cohort': 0,
    late: 0,
    'before-opening': 12,
    duplicate: 7,
    implausible: 0,
    'over-limit': 0,
  };
  expect(exclusionPhrase(none)).toBe('');
  expect(exclusionPhrase({ ...none, late: 3, 'other-version': 1200 })).toBe(
    '; points that are no evidence: other-version 1,200, late 3',
  );
});
