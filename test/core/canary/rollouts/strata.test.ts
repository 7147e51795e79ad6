import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import { samplesOf } from '../../../support/canary/otlp-streams.ts';
import { policyOf } from '../../../support/canary/policies.ts';
import {
  errorsSeen,
  fullPolicy,
  kindsOf,
  opening,
  run,
} from '../../../support/canary/sample-streams.ts';

// A new version that draws other requests than the old one is no worse for it (Simpson's paradox), unless some route is.

const routes = ['/cart', '/report'];
/** The times of the fast policy, and errors alone: as a whole, or by route. */
const errorsOnly = (isByRoute: boolean): Policy => {
  const per = { attribute: 'http.route', values: routes };
  const { metrics } = policyOf({
    metrics: [
      { name: 'errors', ...(isByRoute ? { per } : {}) },
      ...['latency', 'cpu', 'memory', 'traffic'].map((name) => ({ name, weight: 0 })),
    ],
  }).policy;
  return { ...fullPolicy, metrics };
};
const asAWhole = errorsOnly(false);
const byRoute = errorsOnly(true);

type Counts = readonly [requests: number, errors: number];
const judged = (
  policy: Policy,
  canary: { readonly '/cart': Counts; readonly '/report': Counts },
): ReturnType<typeof run> => {
  const sender = (name: string, version: string, counts: typeof canary) => ({
    name,
    resource: { 'service.version': version },
    exports: 45,
    routes: () => counts,
  });
  return run([
    opening({}, policy),
    ...samplesOf(policy, [
      // /cart fails 0.5 % of the time, /report 10 %.
      sender('old', '1.9.4', { '/cart': [1_800, 9], '/report': [200, 20] }),
      sender('new', '2.0.0', canary),
    ]),
  ]);
};

describe('a new version that gets five times as many of the requests that fail often', () => {
  const shifted = { '/cart': [1_000, 5], '/report': [1_000, 100] } as const;

  test('looks four times worse as a whole, and is rolled back', () => {
    const { decisions, windows } = judged(asAWhole, shifted);
    const rateIn = (cohort: 'canary' | 'baseline'): number => {
      const { requests, errors } = errorsSeen(windows, cohort);
      return errors / requests;
    };
    expect(rateIn('canary') / rateIn('baseline')).toBeGreaterThan(3);
    expect(kindsOf(decisions)).toStrictEqual(['roll-back']);
  });

  test('is no worse route by route, and is promoted', () => {
    expect(byRoute.metrics.map(({ id, weight }) => [id, weight])).toStrictEqual([
      ['errors{http.route=/cart}', 0.25],
      ['errors{http.route=/report}', 0.25],
    ]);
    expect(kindsOf(judged(byRoute, shifted).decisions)).toStrictEqual(['promote']);
  });
});

describe('a new version of which one route is worse, while the mix hides it', () => {
  const hidden = { '/cart': [1_980, 60], '/report': [20, 2] } as const;

  test('is rolled back for that route', () => {
    const [decision] = judged(byRoute, hidden).decisions;
    expect(decision).toMatchObject({ kind: 'roll-back', metric: 'errors{http.route=/cart}' });
    expect(decision?.metrics.map(({ id, isBlamed }) => [id, isBlamed])).toStrictEqual([
      ['errors{http.route=/cart}', true],
      ['errors{http.route=/report}', false],
    ]);
  });
});
