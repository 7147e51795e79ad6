import { describe, expect, test } from 'vitest';
import { level, odds, percent, times } from '../../../../services/core/canary/reading/figures.ts';
import { ratioChart } from '../../../../services/core/canary/reading/ratio-chart.ts';
import type { Reading } from '../../../../services/core/canary/reading/reading.ts';
import { scoreOf } from '../../../../services/core/canary/reading/score.ts';
import { captureSinceMs, twoServers } from '../../../support/canary/capture-lines.ts';
import { judgedCapture, shortPolicy } from '../../../support/canary/backtests.ts';
import { everywhere, fullPolicy } from '../../../support/canary/sample-streams.ts';

const bad = judgedCapture(twoServers(200, { canary: 20, baseline: 1 })).readings();
const good = judgedCapture(twoServers(290, { canary: 1, baseline: 1 }, 400)).readings();

const lastOf = (readings: readonly Reading[]): Reading => {
  const last = readings.at(-1);
  if (last === undefined) throw new Error('nothing was judged');
  return last;
};

describe('figures', () => {
  test.each([
    [percent(0.0205), '2.05 %'],
    [percent(0.00012), '0.012 %'],
    [percent(0), '0.00 %'],
    [times(3.2049), '3.2x'],
    [times(0.0123), '0.012x'],
    [odds(0.3), 'below 1:1'],
    [odds(4_711.4), '1:4,711'],
    [odds(1e9), 'above 1:1,000,000'],
    [odds(Infinity), 'out of reach'],
    [level(0.40321), '0.403'],
    [level(301_234_567), '301,000,000'],
  ])('%s', (shown, expected) => {
    expect(shown).toBe(expected);
  });
});

describe('the score', () => {
  test('is 50 while nothing is known, 0 when rolled back, and 100 when good enough', () => {
    expect(scoreOf(bad[0] ?? lastOf(bad))).toBe(50);
    expect(scoreOf(lastOf(bad))).toBe(0);
    expect(scoreOf(lastOf(good))).toBe(100);
  });

  test('lies between 0 and 100, and falls with the evidence against the canary', () => {
    const scores = bad.map(scoreOf);
    for (const score of scores) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(100);
    }
    expect(scores.at(-2)).toBeLessThan(50);
  });
});

describe('readings of every kind of metric', () => {
  test('name what they count, and nothing where nothing came', () => {
    const judged = judgedCapture(twoServers(100, { canary: 1, baseline: 1 }), {
      placed: everywhere({ ...shortPolicy, metrics: fullPolicy.metrics }),
    });
    const { metrics } = lastOf(judged.readings());
    expect(metrics.map(({ id, counted }) => [id, counted])).toEqual([
      ['errors', 'errors'],
      ['latency', ''],
      ['cpu', ''],
      ['memory', ''],
      ['traffic', ''],
    ]);
    expect(metrics[0]?.toleratedRatio).toBeGreaterThan(1);
    expect(metrics[2]).toMatchObject({
      canary: { n: null, events: null, level: null },
      ratio: null,
    });
  });
});

describe('the chart of a ratio', () => {
  const chart = ratioChart(bad, {
    title: 'checkout',
    about: '',
    sinceMs: captureSinceMs,
    metric: 'errors',
    hasScore: true,
  });

  test('has the ratio with its interval and tolerance, the evidence, and the score', () => {
    expect(chart.panels.map(({ series }) => series.map(({ kind }) => kind))).toEqual([
      ['band', 'limit', 'line'],
      ['line', 'limit', 'line', 'limit'],
      ['line'],
    ]);
  });

  test('marks the moment of the roll-back', () => {
    const last = lastOf(bad);
    expect(chart.moments.at(-1)).toMatchObject({
      x: (last.endMs - captureSinceMs) / 1000,
      text: expect.stringMatching(/^rolled-back at \d+ s$/),
    });
  });

  test('draws a ratio without end at the end of the axis', () => {
    const [ratio] = chart.panels;
    const drawn = (ratio?.series ?? []).flatMap((series) =>
      series.kind === 'line' ? series.points.map(({ y }) => y ?? 1) : [],
    );
    expect(Math.max(...drawn)).toBeLessThanOrEqual(64);
  });
});
