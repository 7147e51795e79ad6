import { describe, expect, test } from 'vitest';

import { explain, verdictOf } from '../../../../services/core/canary/judge/verdict-of.ts';
import { verdictText } from '../../../../services/core/canary/judge/sentence.ts';
import type { SaidCounts } from '../../../../services/core/canary/statistics/rate-counts.ts';
import {
  decisionsOn,
  familyRule,
  judgeShown,
  times,
  told,
  withErrors,
} from '../../../support/canary/family.ts';
import type { Shown } from '../../../support/canary/family.ts';

const rule = familyRule();
const total = 250;
const by = 'http.response.status_code';

/** Of 250 requests so many failed, and of so many a point says that they were good. */
const of = (events: number, good: number): SaidCounts =>
  good === 0 ? { total, events } : { total, events, said: { good, by } };
/** Every request has a status. */
const all = (events: number): SaidCounts => of(events, total - events);
/** Nobody says what became of any request. */
const none: SaidCounts = of(0, 0);
/** Failures alone are marked, as by `error.type`. */
const marked = (events: number): SaidCounts => of(events, 0);

const saidOn = (windows: readonly Shown[]): readonly string[] =>
  told(decisionsOn(rule, windows).said);
const unsaidAfter = (windows: readonly Shown[]): readonly string[] => {
  const verdict = verdictOf(rule, judgeShown(rule, windows));
  return verdict.outcome === 'inconclusive'
    ? verdict.missing.flatMap((one) => (one.what === 'unsaid' ? [one.metric] : []))
    : [];
};

describe('a canary is promoted', () => {
  test.each<[string, SaidCounts, SaidCounts]>([
    ['where both say of every request what became of it', all(1), all(1)],
    ['where neither says it of any', none, none],
    ['where both mark failures alone', marked(1), marked(1)],
    ['where the canary alone marks its failures, and the baseline has more', marked(1), marked(3)],
    ['where it says it of nearly as many', of(1, 215), all(1)],
    ['where the baseline says it of fewer than half', none, of(0, 120)],
    ['where it says it of all, and the baseline of nearly as many', all(1), of(1, 215)],
  ])('%s', (_, canary, baseline) => {
    expect(saidOn(times(100, withErrors(canary, baseline)))).toEqual(['promote at 59']);
  });
});

test.each([1, 5, 12, 24, 25, 60])(
  'of what both say from the first request on nothing is missing, after %i windows either',
  (windows) => {
    expect(unsaidAfter(times(windows, withErrors(all(1), all(1))))).toEqual([]);
  },
);

describe('a canary is not promoted', () => {
  test.each<[string, SaidCounts, SaidCounts]>([
    ['where the baseline says it and the canary does not', none, all(1)],
    ['where the canary says it of three quarters as many', of(1, 185), all(1)],
    ['where the canary marks failures alone, and few', marked(1), all(1)],
    ['where the baseline says it of half, and the canary of a quarter', of(0, 62), of(0, 130)],
  ])('%s', (_, canary, baseline) => {
    const windows = times(100, withErrors(canary, baseline));
    expect(saidOn(windows)).toEqual([]);
    expect(unsaidAfter(windows)).toEqual(['errors']);
  });

  test('as long as a window in which it said nothing is no older than silence may be', () => {
    const windows = [
      ...times(50, withErrors(all(1), all(1))),
      withErrors(none, all(1)),
      ...times(60, withErrors(all(1), all(1))),
    ];
    expect(saidOn(windows)).toEqual(['promote at 74']);
    const state = judgeShown(rule, windows.slice(0, 60));
    const { metrics } = explain(rule, state);
    // Of all requests together it has said it of 59 in 60, which is not what holds it.
    expect(metrics[0]?.unsaid).toMatchObject({ canary: 0, baseline: 1, window: { index: 50 } });
    expect(verdictText(verdictOf(rule, state), explain(rule, state))).toContain(
      'in window 50 (00:04:10 UTC) the baseline said http.response.status_code for 100.00 % of its requests, the canary for 0.00 %: whether the others failed nobody knows, so nothing is promoted for now',
    );
  });

  test('before it has said it of half as many in all windows together', () => {
    const windows = [
      ...times(100, withErrors(none, all(1))),
      ...times(120, withErrors(all(1), all(1))),
    ];
    expect(saidOn(windows)).toEqual(['promote at 218']);
  });
});

describe('a canary is rolled back as if nobody asked who says what', () => {
  test.each<[string, SaidCounts, SaidCounts]>([
    ['where it says less, and marks more failures', marked(10), all(1)],
    ['where it says nothing but that all failed', marked(total), all(1)],
    ['where the baseline marks failures alone', all(10), marked(1)],
    ['where it says that most failed, and the baseline says nothing', all(200), none],
  ])('%s', (_, canary, baseline) => {
    const plain = ({ events }: SaidCounts): SaidCounts => ({ total, events });
    const asked = saidOn(times(60, withErrors(canary, baseline)));
    expect(asked).toEqual(saidOn(times(60, withErrors(plain(canary), plain(baseline)))));
    expect(asked.join()).toContain('roll-back');
  });
});

describe('a baseline that does not say what became of its requests', () => {
  test.each<[string, SaidCounts]>([
    ['of any', none],
    ['of nine in ten', of(0, 25)],
    ['of nine in ten, and of the tenth that some failed', of(1, 24)],
  ])('%s is nothing that a canary is worse than', (_, baseline) => {
    const windows = times(360, withErrors(all(5), baseline));
    expect(saidOn(windows)).toEqual(['hold at 24', 'hold at 359, final']);
    expect(unsaidAfter(windows.slice(0, 100))).toEqual(['errors']);
    const state = judgeShown(rule, windows.slice(0, 100));
    const [errors] = explain(rule, state).metrics;
    expect(errors).toMatchObject({ presence: 'one', unsaid: { cohort: 'baseline' } });
    expect(errors?.evidence).toBeLessThanOrEqual(1);
  });

  test('is none in little traffic either', () => {
    const few = (events: number, good: number): SaidCounts => ({ ...of(events, good), total: 3 });
    const windows = Array.from({ length: 300 }, (_, index) => {
      const events = index % 10 === 0 ? 1 : 0;
      return withErrors(few(events, 3 - events), few(0, 0));
    });
    expect(saidOn(windows).join()).not.toContain('roll-back');
    expect(unsaidAfter(windows)).toEqual(['errors']);
  });

  test('for some windows: these are left out', () => {
    const known = withErrors(all(1), all(1));
    const windows = [
      ...times(20, known),
      ...times(5, withErrors(all(1), none)),
      ...times(60, known),
    ];
    expect(saidOn(windows)).toEqual(['promote at 59']);
    const [errors] = explain(rule, judgeShown(rule, windows.slice(0, 58))).metrics;
    // The 12 windows of the warm-up, and those five.
    expect(errors?.explained).toMatchObject({ baseline: { total: (58 - 12 - 5) * total } });
  });
});

test('a verdict names the attribute, and who says it of how many', () => {
  const textOf = (canary: SaidCounts, baseline: SaidCounts): string => {
    const state = judgeShown(rule, times(100, withErrors(canary, baseline)));
    return verdictText(verdictOf(rule, state), explain(rule, state));
  };
  const forgot = textOf(none, all(1));
  expect(forgot).toContain('missing: word of what became of the requests of errors');
  expect(forgot).toContain(
    'the baseline says http.response.status_code for 100.00 % of its requests, the canary for 0.00 %: whether the others failed nobody knows, so nothing is promoted',
  );
  expect(textOf(all(5), none)).toContain(
    'the canary says http.response.status_code for 100.00 % of its requests, the baseline for 0.00 %',
  );
});
