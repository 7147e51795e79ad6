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
  healthy,
  judgeShown,
  times,
  told,
} from '../../../support/canary/family.ts';
import type { Shown } from '../../../support/canary/family.ts';

const rule = familyRule();
const by = 'http.response.status_code';

/** Of so many requests one failed, and so many were refused as the client's fault. */
const refusing = (clientErrors: number, total = 250, events = 1): SaidCounts => ({
  ...{ total, events, said: { good: total - events, by } },
  ...(clientErrors > 0 && { clientErrors }),
});
const shown = (canary: SaidCounts, baseline: SaidCounts): Shown => ({
  ...healthy,
  errors: { canary, baseline },
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
    expect(saidOn(times(100, shown(refusing(canary), refusing(baseline))))).toEqual([
      'promote at 59',
    ]);
  });

  test('one of whose clients tried again and again for half a minute, with ten times as many', () => {
    const loud = times(6, shown(refusing(2_000, 2_250), refusing(2)));
    const quiet = (count: number) => times(count, shown(refusing(2), refusing(2)));
    expect(saidOn([...quiet(50), ...loud, ...quiet(44)])).toEqual(['promote at 59']);
  });

  test('whose baseline does not say of any request that it was refused', () => {
    const marked: SaidCounts = { total: 250, events: 1 };
    expect(saidOn(times(100, shown(refusing(75), marked)))).toEqual(['promote at 59']);
  });
});

describe('a canary is not promoted', () => {
  test.each<[string, number, number]>([
    ['that refuses three in ten, and the baseline none', 75, 0],
    ['that refuses three in ten, and the baseline one', 75, 25],
    ['that refuses one in fifty, and the baseline none', 5, 0],
  ])('%s', (_, canary, baseline) => {
    const windows = times(360, shown(refusing(canary), refusing(baseline)));
    expect(saidOn(windows)).toEqual(['hold at 359, final']);
    expect(verdictOf(rule, judgeShown(rule, windows.slice(0, 100)))).toMatchObject({
      outcome: 'inconclusive',
      missing: [{ what: 'client-errors', metric: 'errors' }],
    });
  });

  test('that begins to refuse late, and is told with when', () => {
    const windows = [
      ...times(40, shown(refusing(2), refusing(2))),
      ...times(30, shown(refusing(75), refusing(2))),
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
      ...times(100, shown(refusing(75), refusing(2))),
      ...times(60, shown(refusing(2), refusing(2))),
    ];
    expect(saidOn(windows)).toEqual(['promote at 112']);
  });
});

test('a roll-back does not ask who refuses how many', () => {
  const bad = (clientErrors: number) => shown(refusing(clientErrors, 250, 12), refusing(0));
  expect(saidOn(times(60, bad(75)))).toEqual(saidOn(times(60, bad(0))));
  expect(saidOn(times(60, bad(75))).join()).toMatch(/^roll-back at \d+, final$/);
});

describe('little traffic', () => {
  const random = randomOf(1, 'client errors', 1);
  const drawn = (total: number, rate: number): SaidCounts => {
    let clientErrors = 0;
    for (let request = 0; request < total; request += 1) if (random() < rate) clientErrors += 1;
    return refusing(clientErrors, total, 0);
  };
  /** In how many of so many windows it would be held for it. */
  const heldIn = (windows: number, total: number, canary: number, baseline: number): number => {
    let state: ClientErrorsState | null = null;
    let held = 0;
    for (let index = 0; index < windows; index += 1) {
      const window = { canary: drawn(total, canary), baseline: drawn(total, baseline) };
      state = clientErrorsWith(rule, state, window, { index, startMs: index * 5_000 });
      if (moreClientErrors(rule, state) !== null) held += 1;
    }
    return held;
  };

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

test('nothing is kept of a canary that refuses nothing more', () => {
  const state = judgeShown(rule, [
    ...times(20, shown(refusing(25), refusing(2))),
    ...times(60, shown(refusing(2), refusing(2))),
  ]);
  expect(state.metrics[0]).toMatchObject({ clientErrors: null });
});
