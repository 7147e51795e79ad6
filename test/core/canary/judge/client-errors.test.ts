import { describe, expect, test } from 'vitest';

import {
  clientErrorsWith,
  moreClientErrors,
} from '../../../../services/core/canary/judge/client-errors.ts';
import type { ClientErrorsState } from '../../../../services/core/canary/judge/client-errors.ts';
import { explain, verdictOf } from '../../../../services/core/canary/judge/verdict-of.ts';
import { verdictText } from '../../../../services/core/canary/judge/sentence.ts';
import type { SaidCounts } from '../../../../services/core/canary/statistics/rate-counts.ts';
import { randomOf } from '../../../../services/dev/calibrate/random.ts';
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
const by = 'http.response.status_code';

/** Of so many requests one failed, and so many were refused as the client's fault. */
const refusing = (clientErrors: number, total = 250, events = 1): SaidCounts => ({
  ...{ total, events, said: { good: total - events, by } },
  ...(clientErrors > 0 && { clientErrors }),
});
const saidOn = (windows: readonly Shown[]): readonly string[] =>
  told(decisionsOn(rule, windows).said);
describe('a canary is promoted', () => {
  test.each<[string, number, number]>([
    ['that refuses as many', 25, 25],
    ['that refuses half as many again', 30, 20],
    ['that refuses fewer', 0, 75],
    ['that refuses four times as many, and less than one in a hundred', 2, 0],
  ])('%s', (_, canary, baseline) => {
    expect(saidOn(times(100, withErrors(refusing(canary), refusing(baseline))))).toEqual([
      'promote at 59',
    ]);
  });

  test('one of whose clients tried again and again for half a minute, with ten times as many', () => {
    const loud = times(6, withErrors(refusing(2_000, 2_250), refusing(2)));
    const quiet = (count: number) => times(count, withErrors(refusing(2), refusing(2)));
    expect(saidOn([...quiet(50), ...loud, ...quiet(44)])).toEqual(['promote at 59']);
  });

  test('whose baseline does not say of any request that it was refused', () => {
    const marked: SaidCounts = { total: 250, events: 1 };
    expect(saidOn(times(100, withErrors(refusing(75), marked)))).toEqual(['promote at 59']);
  });
});

describe('a canary is not promoted', () => {
  test.each<[string, number, number]>([
    ['that refuses three in ten, and the baseline none', 75, 0],
    ['that refuses three in ten, and the baseline one', 75, 25],
    ['that refuses one in fifty, and the baseline none', 5, 0],
  ])('%s', (_, canary, baseline) => {
    const windows = times(360, withErrors(refusing(canary), refusing(baseline)));
    expect(saidOn(windows)).toEqual(['hold at 359, final']);
    expect(verdictOf(rule, judgeShown(rule, windows.slice(0, 100)))).toMatchObject({
      outcome: 'inconclusive',
      missing: [{ what: 'client-errors', metric: 'errors' }],
    });
  });

  test('that begins to refuse late, and is told with when', () => {
    const windows = [
      ...times(40, withErrors(refusing(2), refusing(2))),
      ...times(30, withErrors(refusing(75), refusing(2))),
    ];
    expect(saidOn(windows)).toEqual([]);
    const state = judgeShown(rule, windows);
    const text = verdictText(verdictOf(rule, state), explain(rule, state));
    expect(text).toContain("missing: errors without so many more errors of the client's;");
    expect(text).toContain(
      "it refuses more requests as the client's fault (4xx, or of gRPC UNAUTHENTICATED, NOT_FOUND and the like), so nothing is promoted: since window 40 (00:03:20 UTC) 30.00 % (2,250/7,500) of canary requests, 0.80 % (60/7,500) of baseline requests;",
    );
  });

  test('until it has refused no more for as long as that was told, two minutes at most', () => {
    const windows = [
      ...times(100, withErrors(refusing(75), refusing(2))),
      ...times(60, withErrors(refusing(2), refusing(2))),
    ];
    expect(saidOn(windows)).toEqual(['promote at 112']);
  });
});

test('a roll-back does not ask who refuses how many', () => {
  const bad = (clientErrors: number) => withErrors(refusing(clientErrors, 250, 12), refusing(0));
  expect(saidOn(times(60, bad(75)))).toEqual(saidOn(times(60, bad(0))));
  expect(saidOn(times(60, bad(75))).join()).toMatch(/^roll-back at \d+, final$/);
});

const random = randomOf(1, 'client errors', 1);
/** Refused come in clumps of so many: a client that tries again and again. */
const drawn = (total: number, rate: number, clump: number): SaidCounts => {
  let clientErrors = 0;
  for (let request = 0; request < total; request += 1)
    if (random() < rate / clump) clientErrors += clump;
  return refusing(Math.min(clientErrors, total), total, 0);
};
/** Requests in a window, and the share of them that is refused. */
type Refuses = readonly [total: number, rate: number];
/** In how many of so many windows it would be held for it. */
const heldOf = (windows: number, canary: Refuses, baseline: Refuses, clump = 1): number => {
  let state: ClientErrorsState | null = null;
  let held = 0;
  for (let index = 0; index < windows; index += 1) {
    const window = { canary: drawn(...canary, clump), baseline: drawn(...baseline, clump) };
    state = clientErrorsWith(rule, state, window, { index, startMs: index * 5_000 });
    if (moreClientErrors(rule, state) !== null) held += 1;
  }
  return held;
};

describe('little traffic', () => {
  const heldIn = (windows: number, total: number, canary: number, baseline: number): number =>
    heldOf(windows, [total, canary], [total, baseline]);

  test.each([0.01, 0.05, 0.2, 0.5])('with %f refused by both is never held for it', (rate) => {
    for (const total of [1, 3, 10, 50]) expect(heldIn(3_600, total, rate, rate)).toBe(0);
  });

  test.each([
    [5, 0.3, 0.01],
    [1, 0.9, 0.1],
    [50, 0.05, 0.01],
  ])('of %i requests in a window is enough to see %f instead of %f', (total, canary, baseline) => {
    // Most of an hour.
    expect(heldIn(720, total, canary, baseline)).toBeGreaterThan(600);
  });
});

describe('a baseline of few requests', () => {
  test.each<[number, number, number, number]>([
    [95, 5, 0.1, 8],
    [950, 50, 0.03, 25],
    [500, 50, 0.015, 8],
    [50, 5, 0.2, 1],
    [99, 1, 0.05, 1],
  ])('beside %i requests %i, of both %f refused in clumps of %i, hold nobody', (...given) => {
    const [canary, baseline, rate, clump] = given;
    for (let hour = 0; hour < 10; hour += 1)
      expect(heldOf(720, [canary, rate], [baseline, rate], clump)).toBe(0);
  });

  test('that refuses nothing of ten requests says nothing', () => {
    const [many, none] = [refusing(10, 100), refusing(0, 1)];
    let state: ClientErrorsState | null = null;
    for (let index = 0; index < 12; index += 1)
      state = clientErrorsWith(
        rule,
        state,
        { canary: many, baseline: none },
        { index, startMs: index * 5_000 },
      );
    expect(state?.votes).toBe(12);
    expect(moreClientErrors(rule, state)).toBe(null);
  });

  // Of an hour that is 720 windows.
  test.each<[string, Refuses, Refuses, number]>([
    ['three in ten instead of one in two hundred', [95, 0.3], [5, 0.005], 500],
    ['three in ten instead of one in ten', [950, 0.3], [50, 0.1], 600],
  ])('is enough to see %s', (_, canary, baseline, least) => {
    expect(heldOf(720, canary, baseline)).toBeGreaterThan(least);
  });
});

describe('a canary of a twentieth of the requests is held', () => {
  test.each<[string, Refuses, Refuses, number]>([
    ['that refuses three in ten, at one request a second', [5, 0.3], [95, 0.005], 1],
    ['that refuses three times as many, three in ten', [50, 0.3], [950, 0.1], 1],
    ['that refuses three times as many, six in a hundred', [50, 0.06], [950, 0.02], 1],
    ['that refuses three in ten, in clumps of eight', [50, 0.3], [950, 0.005], 8],
  ])('%s', (_, canary, baseline, clump) => {
    expect(heldOf(720, canary, baseline, clump)).toBeGreaterThan(500);
  });
});

test('nothing is kept of a canary that refuses nothing more', () => {
  const state = judgeShown(rule, [
    ...times(20, withErrors(refusing(25), refusing(2))),
    ...times(60, withErrors(refusing(2), refusing(2))),
  ]);
  expect(state.metrics[0]).toMatchObject({ clientErrors: null });
});
