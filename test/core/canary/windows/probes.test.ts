import { describe, expect, test } from 'vitest';
import type { AttributeFilter } from '../../../../services/core/canary/policy/policy.ts';
import { judgedAs } from '../../../../services/core/canary/windows/judged-as.ts';
import {
  neverProbed,
  withProbed,
  withoutProbes,
} from '../../../../services/core/canary/windows/probes.ts';
import { cpu, httpDuration, metrics } from '../../../support/canary/pending-points.ts';

// Points that the door told to be of probes or scrapes.

const probe = { name: 'plimsoll.probe', value: 'yes' };
const route = { name: 'http.route', value: '/healthz' };

/** Metrics that take such a point where all of them have this filter. */
const takenBy = (where: readonly AttributeFilter[], attributes = [route, probe]) =>
  judgedAs(
    metrics.map((metric) => ({ ...metric, source: { ...metric.source, where } })),
    { metric: httpDuration, attributes },
    false,
  ).flatMap(({ metric, isProbe }) => (isProbe === true ? [] : [metric]));

describe('a point of probes', () => {
  const ofRequests = [0, 1, 3];

  test('is of no metric of requests', () => {
    expect(takenBy([])).toEqual([]);
    expect(takenBy([], [route])).toEqual(ofRequests);
  });

  test('nor where the metric asks for something else than the route', () => {
    const asked: AttributeFilter = { attribute: 'url.scheme', test: { kind: 'absent' } };
    expect(takenBy([asked])).toEqual([]);
    expect(takenBy([asked], [route])).toEqual(ofRequests);
  });

  test.each<AttributeFilter>([
    { attribute: 'http.route', test: { kind: 'in', values: ['/healthz'] } },
    { attribute: 'http.route', test: { kind: 'not-in', values: ['/pay'] } },
    { attribute: 'rpc.service', test: { kind: 'absent' } },
    { attribute: 'rpc.method', test: { kind: 'absent' } },
  ])('is one as any other where the metric says by itself which it is of: %j', (asked) => {
    expect(takenBy([asked])).toEqual(ofRequests);
  });

  test('is nothing that a level asks about', () => {
    expect(judgedAs(metrics, { metric: cpu, attributes: [probe] }, true)).toStrictEqual([
      { metric: 2, fails: null },
    ]);
  });
});

describe('probes of', () => {
  const asked = { metric: 0, fails: null };
  const probes = { ...asked, isProbe: true } as const;
  const ofCanary = { cohort: 'canary', judgedAs: [probes] } as const;
  const ofBaseline = { cohort: 'baseline', judgedAs: [probes] } as const;
  const requests = { cohort: 'baseline', judgedAs: [asked] } as const;

  test('one version alone count as requests do, for who knows which of the other are', () => {
    const probed = withProbed(neverProbed, [ofCanary, requests]);
    expect(probed).toEqual({ canary: true, baseline: false });
    expect(withoutProbes(probed, [ofCanary, requests])).toEqual([ofCanary, requests]);
  });

  test('both are left out from then on, whether or not both have some', () => {
    const probed = withProbed(withProbed(neverProbed, [ofCanary]), [ofBaseline, requests]);
    expect(withoutProbes(probed, [ofCanary, ofBaseline, requests])).toEqual([requests]);
    expect(withProbed(probed, [])).toBe(probed);
  });

  test('some metrics count for the others', () => {
    const both = { cohort: 'canary', judgedAs: [probes, { ...asked, metric: 1 }] } as const;
    const probed = { canary: true, baseline: true };
    expect(withoutProbes(probed, [both])).toEqual([
      { cohort: 'canary', judgedAs: [{ ...asked, metric: 1 }] },
    ]);
  });
});
