import { describe, expect, test } from 'vitest';
import type { AttributeFilter } from '../../../../services/core/canary/policy/policy.ts';
import { judgedAs } from '../../../../services/core/canary/windows/judged-as.ts';
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
  ).map(({ metric }) => metric);

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
