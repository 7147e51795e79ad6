import { describe, expect, test } from 'vitest';
import { openTelemetryReader } from '../../../../services/adapters/otlp/metrics-request.ts';
import { openNoiseLearner } from '../../../../services/core/canary/backtest/learn-noise.ts';
import type { MetricNoise } from '../../../../services/core/canary/judge/noise.ts';
import { selectionOf } from '../../../../services/core/canary/policy/selection.ts';
import { baselineVersion, canaryVersion, lineOf } from '../../../support/canary/capture-lines.ts';
import { setup, shortPolicy } from '../../../support/canary/backtests.ts';
import { value } from '../../../support/records.ts';

const read = openTelemetryReader();
const selection = selectionOf([shortPolicy]);

const learned = (lines: readonly string[]): MetricNoise | undefined => {
  const learner = openNoiseLearner(shortPolicy.metrics, setup);
  for (const line of lines)
    learner.add(value(read(Buffer.from(line), 'application/json', selection)).points);
  return learner.noise()[0];
};

/** Every export counts what its pod's turn says. */
const history = (
  seconds: number,
  everySeconds: number,
  errorsOf: (pod: number, second: number) => number,
  versionOf: (pod: number) => string = (pod) => (pod % 2 === 0 ? canaryVersion : baselineVersion),
  isCumulative = false,
): readonly string[] =>
  Array.from({ length: Math.floor(seconds / everySeconds) }, (_, index) =>
    Array.from({ length: 4 }, (_one, pod) => {
      const at = (index + 1) * everySeconds;
      const errors = errorsOf(pod, at);
      return lineOf({
        version: versionOf(pod),
        instance: `pod-${pod}`,
        at,
        from: isCumulative ? 0 : at - everySeconds,
        requests: 20 * everySeconds * (isCumulative ? index + 1 : 1),
        errors: isCumulative ? errors * (index + 1) : errors,
        isCumulative,
      });
    }),
  ).flat();

describe('noise from a history of two cohorts', () => {
  test('is learned from batches of five minutes, however often servers export', () => {
    for (const everySeconds of [5, 60, 300])
      expect(learned(history(7_200, everySeconds, () => everySeconds))).toMatchObject({
        id: 'errors',
        note: 'measured',
      });
  });

  test('is more than chance where a cohort has bad minutes of its own', () => {
    const even = learned(history(7_200, 15, () => 1));
    const uneven = learned(
      history(7_200, 15, (pod, second) => (pod % 2 === 0 && second % 1_200 < 300 ? 20 : 1)),
    );
    expect(even?.judged === 'errors' && even.phi).toBe(1);
    expect(uneven?.judged === 'errors' && uneven.phi).toBeGreaterThan(10);
  });

  test('is the same from counters that only rise', () => {
    const delta = learned(history(3_600, 60, () => 3));
    const cumulative = learned(history(3_600, 60, () => 3, undefined, true));
    expect(cumulative).toMatchObject({ note: 'measured' });
    expect(cumulative?.judged === 'errors' && cumulative.phi).toBe(
      delta?.judged === 'errors' && delta.phi,
    );
  });

  test('is learned from two halves of the instances where all ran what stands against the canary', () => {
    const halves = learned(
      history(
        14_400,
        15,
        () => 1,
        () => baselineVersion,
      ),
    );
    expect(halves).toMatchObject({ id: 'errors', note: 'measured' });
  });

  test('is not known from less than half an hour, or from nothing', () => {
    expect(learned(history(1_200, 15, () => 1))).toMatchObject({ note: 'unknown', phi: 2 });
    expect(learned([])).toMatchObject({ note: 'unknown', phi: 2 });
  });
});
