import { describe, expect, test } from 'vitest';
import {
  baselineVersion,
  canaryVersion,
  captureSinceMs,
  lineOf,
  twoServers,
} from '../../../support/canary/capture-lines.ts';
import { judgedCapture, shortPolicy } from '../../../support/canary/backtests.ts';
import { everywhere, fullPolicy } from '../../../support/canary/sample-streams.ts';

const bad = { canary: 20, baseline: 1 };
const good = { canary: 1, baseline: 1 };

describe('a capture', () => {
  test('of a canary that fails more often is rolled back, with its counts', () => {
    const { outcome, metric, counts, ratio, secondsAfterStart, decidedAt, evidence } =
      judgedCapture(twoServers(200, bad)).result();
    expect({ outcome, metric }).toEqual({ outcome: 'roll-back', metric: 'errors' });
    expect(counts?.canary.events).toBeGreaterThan(10 * (counts?.baseline.events ?? 0));
    expect(ratio).toBeGreaterThan(10);
    expect(evidence).toBeGreaterThanOrEqual(200);
    expect(decidedAt).toBe(
      new Date(captureSinceMs + (secondsAfterStart ?? 0) * 1000).toISOString(),
    );
  });

  test('of a canary that is as good as the baseline is promoted', () => {
    const { outcome, interval } = judgedCapture(twoServers(290, good, 400)).result();
    expect(outcome).toBe('promote');
    expect(interval?.[0]).toBeLessThan(1);
  });

  test('is not decided where it ends too soon, and all that a decision would say is null', () => {
    const { windows, excluded, ...result } = judgedCapture(twoServers(30, bad)).result();
    expect(result).toEqual({
      outcome: 'inconclusive',
      decidedAt: null,
      secondsAfterStart: null,
      metric: null,
      counts: null,
      ratio: null,
      interval: null,
      evidence: null,
    });
    expect(windows).toBe(6);
    expect(excluded).toEqual({});
  });

  test('without promotions is judged past one, to a roll-back or the end', () => {
    const late = [
      ...twoServers(290, good, 400),
      ...twoServers(500, { canary: 80, baseline: 1 }, 400).slice(2 * 58),
    ];
    expect(judgedCapture(late).result().outcome).toBe('promote');
    const endMs = captureSinceMs + 500_000;
    const judged = judgedCapture(late, { mayPromote: false, endMs }).result();
    expect(judged.outcome).toBe('roll-back');
    expect(judged.secondsAfterStart).toBeGreaterThan(300);
    const healthy = judgedCapture(twoServers(500, good, 400), { mayPromote: false, endMs });
    expect(healthy.result().outcome).toBe('inconclusive');
    expect(healthy.result().windows).toBe(100);
  });

  test('of one cohort alone is never promoted and never rolled back', () => {
    for (const version of [canaryVersion, baselineVersion]) {
      const lines = twoServers(290, bad).filter((line) => line.includes(`"${version}"`));
      const judged = judgedCapture(lines);
      expect(judged.result().outcome).toBe('inconclusive');
      expect(judged.readings().map(({ stage }) => stage)).toContain('hold');
    }
  });

  test('tells what it holds where nothing of it is asked for', () => {
    const lines = twoServers(60, bad).map((line) => line.replaceAll('checkout', 'basket'));
    const { places, versions } = judgedCapture(lines).heard();
    expect([...places]).toEqual(['production/basket']);
    expect([...versions]).toEqual([]);
  });

  test('that goes on long before the start is judged from the start on', () => {
    const before = Array.from({ length: 200 }, (_, index) =>
      lineOf({ version: canaryVersion, at: -1_000 + index * 5, requests: 100, errors: 90 }),
    );
    const judged = judgedCapture([...before, ...twoServers(290, good, 400)]).result();
    expect(judged.outcome).toBe('promote');
    expect(judged.excluded['before-opening']).toBe(400);
  });

  test('has the points of other versions counted, and not judged', () => {
    const others = twoServers(200, bad).map((line) => line.replaceAll(canaryVersion, '3.0.0'));
    const { outcome, excluded } = judgedCapture([...others]).result();
    expect(outcome).toBe('inconclusive');
    expect(excluded['other-version']).toBe(80);
  });

  test('has cohorts by version alone where options name them, whatever deployment.id says', () => {
    const named = twoServers(200, bad).map((line) =>
      line.replace(
        '"attributes":[',
        '"attributes":[{"key":"deployment.id","value":{"stringValue":"6f1c1a52-0000-8000-8000-0000000000ff"}},',
      ),
    );
    expect(judgedCapture(named).result().outcome).toBe('roll-back');
    expect(judgedCapture(named, {}, { isByVersion: false }).result().outcome).toBe('inconclusive');
  });
});

describe('time in a capture', () => {
  test('goes on by the points: one clock that is years ahead is late, and the others are judged', () => {
    const lines = twoServers(200, bad);
    const ahead = lineOf({ version: canaryVersion, at: 3e9, requests: 100, errors: 0 });
    const judged = judgedCapture([...lines.slice(0, 20), ahead, ...lines.slice(20)]).result();
    expect(judged.outcome).toBe('roll-back');
    expect(judged.excluded['late']).toBe(2);
    const atTheEnd = judgedCapture([...twoServers(30, bad), ahead]).result();
    expect(atTheEnd).toMatchObject({ outcome: 'inconclusive', windows: 6 });
  });

  test('has what is further behind than the watermark excluded as late', () => {
    const lines = twoServers(30, bad);
    const [first = ''] = lines;
    const { excluded } = judgedCapture([
      ...lines.slice(1),
      ...twoServers(60, bad).slice(12),
      first,
    ]).result();
    expect(excluded).toEqual({ late: 2 });
  });

  test('goes on over a gap of hours, in which both cohorts are silent', () => {
    const after = twoServers(300, bad).map((line) =>
      line.replaceAll(/"(\d{19})"/g, (_, time: string) => `"${BigInt(time) + 7_200_000_000_000n}"`),
    );
    const { outcome } = judgedCapture([...twoServers(30, good), ...after]).result();
    expect(outcome).toBe('inconclusive');
  });
});

test('the end of the rollout ends the judgement', () => {
  const ended = { fact: 'failed', atMs: captureSinceMs + 20_000 } as const;
  const { outcome } = judgedCapture(twoServers(200, bad), {}, { ended }).result();
  expect(outcome).toBe('inconclusive');
});

test('shares of the traffic are judged as they change', () => {
  const policy = {
    ...shortPolicy,
    metrics: fullPolicy.metrics.filter(({ judged }) => judged === 'errors' || judged === 'traffic'),
  };
  const even = twoServers(290, good);
  const placed = everywhere(policy);
  const half = [{ atMs: captureSinceMs, share: 0.5 }];
  expect(judgedCapture(even, { placed }, { shares: half }).result().outcome).not.toBe('roll-back');
  // It should get nine of ten requests, and gets half of them.
  const most = [{ atMs: captureSinceMs, share: 0.9 }];
  expect(judgedCapture(even, { placed }, { shares: most }).result()).toMatchObject({
    outcome: 'roll-back',
    metric: 'traffic',
  });
  const later = [...half, { atMs: captureSinceMs + 100_000, share: 0.9 }];
  const judged = judgedCapture(even, { placed, mayPromote: false }, { shares: later }).result();
  expect(judged.outcome).toBe('roll-back');
  expect(judged.secondsAfterStart).toBeGreaterThan(100);
});
