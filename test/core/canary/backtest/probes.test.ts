import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import {
  baselineVersion,
  canaryVersion,
  everySeconds,
  lineOf,
  twoServers,
} from '../../../support/canary/capture-lines.ts';
import { judgedCapture, shortPolicy } from '../../../support/canary/backtests.ts';
import { everywhere } from '../../../support/canary/sample-streams.ts';

// The servers of a baseline are many and have few requests each, and as many probes as any other.

const seconds = 290;
const alike = { canary: 20, baseline: 20 };

const withRoute = (line: string, route: string): string =>
  line.replaceAll(
    '{"attributes":[{"key":"http.response',
    `{"attributes":[{"key":"http.route","value":{"stringValue":"${route}"}},{"key":"http.response`,
  );

const probed = (route: string, version: string, requests: number): readonly string[] =>
  Array.from({ length: Math.floor(seconds / everySeconds) }, (_, index) => {
    const at = (index + 1) * everySeconds - 2;
    const from = Math.max(0, at - everySeconds);
    return withRoute(lineOf({ version, instance: 'pod-2', at, from, requests, errors: 0 }), route);
  });

/** `asked`: how many probes each has in an export. */
const judgedWith = (
  routes: { readonly canary: string; readonly baseline: string },
  policy: Policy = shortPolicy,
  asked: { readonly canary: number; readonly baseline: number } = { canary: 100, baseline: 900 },
) => {
  const ofCanary = probed(routes.canary, canaryVersion, asked.canary);
  const ofBaseline = probed(routes.baseline, baselineVersion, asked.baseline);
  const lines = twoServers(seconds, alike, 400).flatMap((line, index) =>
    index % 2 === 0
      ? [line]
      : [line, ofCanary[(index - 1) / 2] ?? '', ofBaseline[(index - 1) / 2] ?? ''],
  );
  return judgedCapture(lines, { placed: everywhere(policy) });
};
const ofBoth = (route: string) => ({ canary: route, baseline: route });

describe('probes that one version has more of', () => {
  test('roll back a canary that is like its baseline where they count as requests', () => {
    expect(judgedWith(ofBoth('/cart')).result().outcome).toBe('roll-back');
  });

  test('are no evidence, and are told as not judged', () => {
    const judged = judgedWith(ofBoth('/healthz'));
    const { outcome, excluded } = judged.result();
    expect(outcome).toBe('promote');
    expect(Object.keys(excluded)).toEqual(['not-judged']);
    expect(judged.heard().probedAlone.size).toBe(0);
  });

  test('count where one version alone names them: nobody knows those of the other', () => {
    const even = { canary: 500, baseline: 500 };
    const judged = judgedWith({ canary: '/healthz', baseline: '/cart' }, shortPolicy, even);
    const { outcome, excluded } = judged.result();
    expect([outcome, excluded]).toEqual(['promote', {}]);
  });

  test('count where the policy says by itself which routes it judges', () => {
    const metrics = shortPolicy.metrics.map((metric) => ({
      ...metric,
      source: {
        ...metric.source,
        where: [
          { attribute: 'http.route', test: { kind: 'not-in', values: ['/metrics'] } } as const,
        ],
      },
    }));
    expect(judgedWith(ofBoth('/healthz'), { ...shortPolicy, metrics }).result().outcome).toBe(
      'roll-back',
    );
  });

  test('are told of a version that has nothing else', () => {
    const judged = judgedCapture(probed('/metrics', baselineVersion, 900));
    expect(judged.result().outcome).toBe('inconclusive');
    expect([...judged.heard().probedAlone]).toEqual([baselineVersion]);
  });
});
