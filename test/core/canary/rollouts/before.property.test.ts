import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overflowSaid } from '../../../../services/core/telemetry/status-said.ts';
import type { MetricWindow } from '../../../../services/core/canary/judge/judged-window.ts';
import type { MetricPolicy } from '../../../../services/core/canary/policy/policy.ts';
import { presets } from '../../../../services/core/canary/policy/presets.ts';
import type { Before } from '../../../../services/core/canary/rollouts/before.ts';
import { beforeText, readBefore } from '../../../../services/core/canary/rollouts/before.ts';
import {
  openPastWindows,
  seasonOf,
} from '../../../../services/core/canary/rollouts/before-history.ts';
import type { Past } from '../../../../services/core/canary/rollouts/before-history.ts';
import { beforeTextMax } from '../../../../services/core/samples/parse-sample.ts';
import { cut, exportsOf, openedAt } from '../../../support/canary/sample-streams.ts';
import type { Pod } from '../../../support/canary/sample-streams.ts';

const { metrics } = presets.standard;
const count = fc.integer({ min: 0, max: 2 ** 31 });
const bounds = fc.constantFrom([0.1, 0.5, 1], [0.05, 0.25]);

const shownOf = ({ judged }: MetricPolicy): fc.Arbitrary<MetricWindow> => {
  const nothing = { judged, canary: null, baseline: null } as MetricWindow;
  switch (judged) {
    case 'errors':
      return fc.tuple(count, count, count, fc.boolean()).map(([a, b, c, isSaid]) => {
        const [total, events] = [Math.max(a, b), Math.min(a, b)];
        const said = { good: Math.min(c, total - events), by: 'http.response.status_code' };
        return { judged, canary: null, baseline: { total, events, ...(isSaid ? { said } : {}) } };
      });
    case 'level':
      return (
        fc
          .record({ mean: fc.double({ min: 0, max: 1e18, noNaN: true }), series: count })
          // JSON has no -0.
          .map(({ mean, series }) => ({
            judged,
            canary: null,
            baseline: { mean: mean + 0, series },
          }))
      );
    case 'latency':
      return bounds.chain((edges) =>
        fc
          .array(count, { minLength: edges.length + 1, maxLength: edges.length + 1 })
          .map((counts) => ({
            judged,
            canary: null,
            baseline: { shape: 'explicit' as const, bounds: edges, counts },
          })),
      );
    case 'traffic':
      return fc.constant(nothing);
  }
};

const befores: fc.Arbitrary<Before> = fc.record({
  windows: fc.array(
    fc.tuple(
      ...metrics.map((metric) =>
        fc.oneof(
          shownOf(metric),
          fc.constant({ judged: metric.judged, canary: null, baseline: null }),
        ),
      ),
    ),
    { maxLength: 30 },
  ),
  season: fc.option(
    fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), {
      minLength: metrics.length,
      maxLength: metrics.length,
    }),
  ),
});

describe('what ran before, as an opening carries it', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(befores, (before) => {
        expect(readBefore(beforeText(before), metrics)).toEqual(before);
      }),
    );
  });

  test('is never longer than an opening has room for; buckets become wider, and then metrics of latency are left out', () => {
    const fine = (buckets: number): Before => ({
      season: null,
      windows: Array.from({ length: 30 }, () =>
        metrics.map(({ judged }): MetricWindow =>
          judged === 'latency'
            ? {
                judged,
                canary: null,
                baseline: {
                  shape: 'exponential',
                  scale: 5,
                  zeroCount: 0,
                  offset: -200,
                  counts: Array.from({ length: buckets }, (_, index) => 10_000 + index),
                },
              }
            : { judged, canary: null, baseline: null },
        ),
      ),
    });
    const latencyIn = (before: Before): unknown => {
      const text = beforeText(before);
      expect(text.length).toBeLessThanOrEqual(beforeTextMax);
      const [window] = readBefore(text, metrics)?.windows ?? [];
      return window?.find(({ judged }) => judged === 'latency')?.baseline;
    };
    expect(latencyIn(fine(60))).toMatchObject({ scale: 5 });
    expect(latencyIn(fine(320))).toMatchObject({ scale: 3 });
    const many = fine(320);
    const manifold = {
      ...many,
      windows: many.windows.map((window) => Array.from({ length: 6 }, () => window).flat()),
    };
    const text = beforeText(manifold);
    expect(text.length).toBeLessThanOrEqual(beforeTextMax);
    const six = Array.from({ length: 6 }, () => metrics).flat();
    const shown = readBefore(text, six)?.windows[0]?.filter(({ judged }) => judged === 'latency');
    expect(shown?.[0]?.baseline).not.toBeNull();
    expect(shown?.at(-1)?.baseline).toBeNull();
  });

  test('whatever else stands there is refused, and nothing throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(readBefore(JSON.stringify(value), metrics)).toBeUndefined();
      }),
    );
  });
});

const minute = 60_000;
const pod = (change: Partial<Pod>): Pod => ({
  name: 'old',
  version: '1.9.4',
  temporality: 'cumulative',
  startMs: -60 * minute,
  already: 1_000_000,
  exportEveryMs: 10_000,
  firstExportMs: -40 * minute + 3_000,
  lastExportMs: -1_000,
  traffic: () => [100, 1],
  ...change,
});

const pastOf = (pods: readonly Pod[], sizes: readonly number[]): Past | undefined => {
  const past = openPastWindows(metrics, ({ version }) => version === '1.9.4', openedAt, 30);
  for (const sample of cut(exportsOf(pods), sizes)) past.add(sample);
  return past.close();
};

describe('windows of a time that is over', () => {
  test('hold what the senders counted in each minute, the first value of a counter left out', () => {
    const past = pastOf([pod({}), pod({ name: 'other', version: '2.0.0' })], [50]);
    expect(past?.windows).toHaveLength(30);
    for (const window of past?.windows ?? [])
      expect(window[0]).toMatchObject({ judged: 'errors', baseline: { total: 600, events: 6 } });
    expect(past?.versions.every((seen) => seen.join() === '1.9.4')).toBe(true);
  });

  test('show no errors while an SDK had no room for attributes, and for a while after', () => {
    const past = openPastWindows(metrics, ({ version }) => version === '1.9.4', openedAt, 30);
    const sent = exportsOf([pod({ temporality: 'delta' })]).map((one) => {
      const { origin, point } = one;
      const minutesBefore = (openedAt - point.time) / minute;
      return point.errors > 0 && minutesBefore > 20 && minutesBefore < 21
        ? {
            origin: { ...origin, attributes: [{ name: overflowSaid, value: 'yes' }] },
            point: { ...point, errors: 0 },
          }
        : one;
    });
    for (const sample of cut(sent, [50])) past.add(sample);
    const shown = past.close()?.windows.map(([errors]) => (errors?.baseline === null ? '-' : 'e'));
    expect(shown?.join('')).toBe('eeeeeeeee---------eeeeeeeeeeee');
  });

  test('are the same however the samples are cut', () => {
    const whole = pastOf([pod({}), pod({ name: 'second', temporality: 'delta' })], [1_000]);
    expect(pastOf([pod({}), pod({ name: 'second', temporality: 'delta' })], [3, 7])).toStrictEqual(
      whole,
    );
  });

  test('of a service that began to run in between show nothing before that', () => {
    const past = pastOf(
      [pod({ startMs: -10 * minute, already: 0, firstExportMs: -10 * minute + 1_000 })],
      [50],
    );
    const shown = past?.windows.map((window) => window[0]?.baseline !== null) ?? [];
    expect(shown).toStrictEqual(Array.from({ length: 30 }, (_, index) => index >= 20));
  });
});

describe('the season', () => {
  const ofDay = (firstErrors: number, secondErrors: number, change: Partial<Past> = {}): Past => ({
    windows: Array.from({ length: 60 }, (_, index) =>
      metrics.map(({ judged }): MetricWindow => {
        const isLater = index >= 30;
        if (judged === 'errors')
          return {
            judged,
            canary: null,
            baseline: { total: 10_000, events: isLater ? secondErrors : firstErrors },
          };
        if (judged === 'level')
          return { judged, canary: null, baseline: { mean: isLater ? 0.6 : 0.4, series: 3 } };
        if (judged === 'latency')
          return {
            judged,
            canary: null,
            baseline: {
              shape: 'exponential',
              scale: 3,
              zeroCount: 0,
              offset: isLater ? -16 : -24,
              counts: [100, 200, 100],
            },
          };
        return { judged, canary: null, baseline: null };
      }),
    ),
    versions: Array.from({ length: 60 }, () => ['1.9.3']),
    ...change,
  });
  const today = ofDay(50, 50).windows.slice(0, 30);
  const season = (past: Past): readonly number[] | null => seasonOf(metrics, past, today);

  test('is how many times worse the second half-hour was, by metric', () => {
    const [errors, latency, cpu, memory, traffic] = season(ofDay(50, 200)) ?? [];
    expect(errors).toBeCloseTo(4, 1);
    expect(latency).toBeCloseTo(2, 10);
    expect(cpu).toBeCloseTo(1.5, 10);
    expect(memory).toBeCloseTo(1.5, 10);
    expect(traffic).toBe(1);
  });

  test('is never a reason to tolerate less', () => {
    expect(season(ofDay(200, 50))?.[0]).toBe(1);
  });

  test('is hardly moved by a handful of errors', () => {
    expect(season(ofDay(0, 0))?.[0]).toBe(1);
    const one = ofDay(0, 0).windows.map((window, index) =>
      index === 45
        ? window.map((metric) =>
            metric.judged === 'errors'
              ? { ...metric, baseline: { total: 10_000, events: 3 } }
              : metric,
          )
        : window,
    );
    expect(season(ofDay(0, 0, { windows: one }))?.[0]).toBeLessThan(1.4);
  });

  test('is not known where another version came meanwhile, or where hardly anything was sent', () => {
    const rolled = ofDay(50, 200).versions.map((seen, index) => (index > 30 ? ['1.9.4'] : seen));
    expect(season(ofDay(50, 200, { versions: rolled }))).toBeNull();
    const silent = ofDay(50, 50).windows.map((window, index) =>
      index % 30 < 15 ? window.map((metric) => ({ ...metric, baseline: null })) : window,
    );
    expect(season(ofDay(50, 50, { windows: silent }))).toBeNull();
  });
});
