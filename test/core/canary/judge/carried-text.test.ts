import { describe, expect, test } from 'vitest';

import { carriedText, readCarried } from '../../../../services/core/canary/judge/carried-text.ts';
import { carriedEvidence } from '../../../../services/core/canary/judge/judge.ts';
import { familyRule, healthy, judgeShown, rate, times } from '../../../support/canary/family.ts';

const rule = familyRule();
const carried = carriedEvidence(
  rule,
  judgeShown(rule, times(30, { ...healthy, errors: rate(5, 1) })),
);
const [first] = carried.metrics;

describe('carried evidence as text', () => {
  test('is read as it was', () => {
    expect(readCarried(carriedText(carried))).toEqual(carried);
    const worse = {
      ...carried,
      deadlineTested: true,
      metrics: carried.metrics.map((metric) => ({
        ...metric,
        worseAtDeadline: { z: 3.5, zNeeded: 2.6 },
      })),
    };
    expect(readCarried(carriedText(worse))).toEqual(worse);
  });

  test.each<[string, string]>([
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['no attempt', JSON.stringify({ ...carried, attempts: 0 })],
    ['a metric twice', JSON.stringify({ ...carried, metrics: [first, first] })],
    [
      'capital in words',
      JSON.stringify({ ...carried, metrics: [{ ...first, logCapital: 'much' }] }),
    ],
    [
      'a promotion that is no number',
      JSON.stringify({ ...carried, metrics: [{ ...first, logPromote: null }] }),
    ],
    [
      'a deadline without deviations',
      JSON.stringify({ ...carried, metrics: [{ ...first, worseAtDeadline: {} }] }),
    ],
    [
      'no word about the deadline',
      JSON.stringify({ ...carried, metrics: [{ ...first, worseAtDeadline: undefined }] }),
    ],
  ])('is refused with %s', (_, text) => {
    expect(readCarried(text)).toBeUndefined();
  });
});
