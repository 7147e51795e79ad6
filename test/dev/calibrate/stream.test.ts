import { describe, expect, test } from 'vitest';

import { cells } from '../../../services/dev/calibrate/cells.ts';
import type { Cell } from '../../../services/dev/calibrate/cells.ts';
import { openLatencySource } from '../../../services/dev/calibrate/latency.ts';
import type { LivedArm, LivedWindow } from '../../../services/dev/calibrate/lived-window.ts';
import { historyOf, windowsOf } from '../../../services/dev/calibrate/stream.ts';

const source = openLatencySource();

const cellNamed = (name: string): Cell => {
  const cell = cells.find((each) => each.name === name);
  if (cell === undefined) throw new Error(`no cell ${name}`);
  return cell;
};

const runsOf = (name: string, runs: number): readonly LivedWindow[] =>
  Array.from({ length: runs }, (_, run) => [...windowsOf(source, cellNamed(name), 1, run)]).flat();

const rateOf = (arms: readonly LivedArm[]): number =>
  arms.reduce((sum, { errors }) => sum + errors, 0) /
  arms.reduce((sum, { requests }) => sum + requests, 0);

const canaries = (windows: readonly LivedWindow[]): readonly LivedArm[] =>
  windows.map(({ canary }) => canary);
const baselines = (windows: readonly LivedWindow[]): readonly LivedArm[] =>
  windows.map(({ baseline }) => baseline);

const meanCpu = (arms: readonly LivedArm[]): number =>
  arms.reduce((sum, { levels }) => sum + levels.cpu.mean, 0) / arms.length;

/** Variance of the errors of a window over that of independent ones. */
const dispersionOf = (arms: readonly LivedArm[]): number => {
  const rate = rateOf(arms);
  return (
    arms.reduce((sum, { errors, requests }) => sum + (errors - requests * rate) ** 2, 0) /
    arms.reduce((sum, { requests }) => sum + requests * rate * (1 - rate), 0)
  );
};

test.each(cells.filter(({ truth }) => truth.name === 'same').slice(0, 8))(
  '$name: half an hour of windows in order, the same for the same seed and run',
  (cell) => {
    const draw = (seed: number, run: number): readonly LivedWindow[] => [
      ...windowsOf(source, cell, seed, run),
    ];
    const windows = draw(1, 3);
    expect(windows.map(({ index }) => index)).toEqual(
      Array.from({ length: 360 }, (_, index) => index),
    );
    expect(windows.at(-1)?.startMs).toBe(1_795_000);
    expect(draw(1, 3)).toEqual(windows);
    expect(draw(2, 3)).not.toEqual(windows);
    expect(draw(1, 4)).not.toEqual(windows);
  },
);

describe('good canaries are like their baseline in', () => {
  test('plain weather: 0.5 % errors, independent', () => {
    const windows = runsOf('iid 50/50', 8);
    expect(Math.abs(rateOf(canaries(windows)) - 0.005)).toBeLessThan(0.0005);
    expect(Math.abs(rateOf(baselines(windows)) - 0.005)).toBeLessThan(0.0005);
    expect(Math.abs(dispersionOf(canaries(windows)) - 1)).toBeLessThan(0.15);
    expect(Math.abs(meanCpu(canaries(windows)) - meanCpu(baselines(windows)))).toBeLessThan(0.3);
  });

  test('clusters: as many errors, seven times as uneven', () => {
    const windows = runsOf('clusters 50/50', 12);
    expect(Math.abs(rateOf(canaries(windows)) - 0.005)).toBeLessThan(0.0006);
    expect(Math.abs(dispersionOf(canaries(windows)) - 7)).toBeLessThan(1.2);
  });

  test('shared bursts: both fail ten times as often in the same windows', () => {
    const windows = runsOf('bursts 50/50', 4);
    const bad = windows.filter(({ baseline }) => baseline.errors / baseline.requests > 0.03);
    expect(bad.length).toBeGreaterThan(80);
    expect(Math.abs(rateOf(canaries(bad)) - 0.05)).toBeLessThan(0.008);
  });

  test('pod noise: the error rates wander apart for a minute at a time', () => {
    const windows = runsOf('pod-noise 50/50', 6);
    expect(dispersionOf(canaries(windows))).toBeGreaterThan(1.08);
  });
});

describe('what goes by stays where it belongs:', () => {
  test('a cold start is over after a minute, and the baseline never has one', () => {
    const windows = runsOf('cold-start 50/50', 20);
    const early = windows.filter(({ startMs }) => startMs < 60_000);
    const later = windows.filter(({ startMs }) => startMs >= 60_000);
    expect(Math.abs(rateOf(canaries(early)) - 0.02)).toBeLessThan(0.003);
    expect(Math.abs(rateOf(baselines(early)) - 0.005)).toBeLessThan(0.0015);
    expect(Math.abs(rateOf(canaries(later)) - 0.005)).toBeLessThan(0.0005);
  });

  test('an incident is four windows of each cohort', () => {
    const windows = runsOf('incident 50/50', 1);
    const bad = (arms: readonly LivedArm[]): number =>
      arms.filter(({ errors, requests }) => errors / requests > 0.05).length;
    expect(bad(canaries(windows))).toBeGreaterThanOrEqual(3);
    expect(bad(canaries(windows))).toBeLessThanOrEqual(5);
    expect(bad(baselines(windows))).toBeLessThanOrEqual(5);
  });

  test('a ramp goes by 1, 5, 25 and 50 % of all requests, and the errors treble', () => {
    const windows = runsOf('ramp 50/50', 2);
    expect([...new Set(windows.map(({ canaryShare }) => canaryShare))]).toEqual([
      0.01, 0.05, 0.25, 0.5,
    ]);
    const late = windows.filter(({ index }) => index >= 330);
    expect(Math.abs(rateOf(baselines(late)) - 0.0146)).toBeLessThan(0.002);
  });

  test('history has six hours, noise, but no incident', () => {
    const history = [...historyOf(source, cellNamed('incident 50/50'), 1, 0)];
    expect(history).toHaveLength(4_320);
    expect(Math.abs(dispersionOf(canaries(history)) - 1)).toBeLessThan(0.15);
    const clustered = [...historyOf(source, cellNamed('clusters 50/50, errors 2 %'), 1, 0)];
    expect(Math.abs(rateOf(canaries(clustered)) - 0.005)).toBeLessThan(0.0006);
    expect(dispersionOf(canaries(clustered))).toBeGreaterThan(5);
  });
});

describe('bad canaries are as bad as their cell says:', () => {
  test('errors 5 %', () => {
    expect(rateOf(canaries(runsOf('iid 50/50, errors 5 %', 1)))).toBeCloseTo(0.05, 2);
  });

  test('cpu +25 %', () => {
    const windows = runsOf('iid 50/50, cpu +25 %', 1);
    expect(meanCpu(canaries(windows)) / meanCpu(baselines(windows))).toBeCloseTo(1.25, 1);
  });

  test('0.2 requests a second are one in five seconds', () => {
    const windows = runsOf('iid 0.2/1.8', 3);
    const requests = canaries(windows).reduce((sum, arm) => sum + arm.requests, 0);
    expect(Math.abs(requests / windows.length - 1)).toBeLessThan(0.15);
  });
});
