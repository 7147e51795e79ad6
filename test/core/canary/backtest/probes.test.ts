import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../services/core/canary/policy/policy.ts';
import {
  baselineVersion,
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

const probed = (route: string): readonly string[] =>
  Array.from({ length: Math.floor(seconds / everySeconds) }, (_, index) => {
    const at = (index + 1) * everySeconds - 2;
    return withRoute(
      lineOf({
        version: baselineVersion,
        instance: 'pod-2',
        at,
        from: Math.max(0, at - everySeconds),
        requests: 900,
        errors: 0,
      }),
      route,
    );
  });

const judgedWith = (route: string, policy: Policy = shortPolicy) => {
  const rest = probed(route);
  const lines = twoServers(seconds, alike, 400).flatMap((line, index) =>
    index % 2 === 0 ? [line] : [line, rest[(index - 1) / 2] ?? ''],
  );
  return judgedCapture(lines, { placed: everywhere(policy) });
};

describe('probes that one version has more of', () => {
  test('roll back a canary that is like its baseline where they count as requests', () => {
    expect(judgedWith('/cart').result().outcome).toBe('roll-back');
  });

  test('are no evidence, and are told as not judged', () => {
    const judged = judgedWith('/healthz');
    const { outcome, excluded } = judged.result();
    expect(outcome).toBe('promote');
    expect(Object.keys(excluded)).toEqual(['not-judged']);
    expect(judged.heard().probedAlone.size).toBe(0);
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
    expect(judgedWith('/healthz', { ...shortPolicy, metrics }).result().outcome).toBe('roll-back');
  });

  test('are told of a version that has nothing else', () => {
    const judged = judgedCapture(probed('/metrics'));
    expect(judged.result().outcome).toBe('inconclusive');
    expect([...judged.heard().probedAlone]).toEqual([baselineVersion]);
  });
});
