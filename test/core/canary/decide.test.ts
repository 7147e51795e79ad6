import { describe, expect, test } from 'vitest';

import { standardPreset } from '../../../services/core/canary/policy.ts';
import { decisionsOn, emptyWindow, repeat } from '../../support/canary/streams.ts';
import type { Counts } from '../../support/canary/streams.ts';

const policy = standardPreset;
const healthy: Counts = [250, 1, 250, 1];
const failing: Counts = [250, 5, 250, 1];
const silentCanary: Counts = [0, 0, 250, 1];

/** Given windows, yields `action outcome` with the window of each decision. */
const story = (windows: readonly Counts[]): readonly (readonly [number, string, boolean])[] =>
  decisionsOn(policy, windows).map(({ window, decision: { action, verdict, final } }) => [
    window,
    verdict.outcome === 'inconclusive'
      ? `${action}: ${verdict.reason}`
      : `${action}: ${verdict.outcome}`,
    final,
  ]);

describe('the decisions', () => {
  test('of a healthy canary are one promote, which leaves the rollback armed', () => {
    expect(story(repeat(500, [5_000, 20, 5_000, 20]))).toEqual([[59, 'promote: pass', false]]);
  });

  test('of a failing canary are one final roll-back', () => {
    const told = story(repeat(360, failing));
    expect(told).toEqual([[expect.any(Number), 'roll-back: fail', true]]);
    expect(told[0]?.[0]).toBeLessThan(36);
  });

  test('of a canary that never comes are a hold after two minutes and one at the deadline', () => {
    expect(story(repeat(400, silentCanary))).toEqual([
      [23, 'hold: no-data', false],
      [359, 'hold: deadline', true],
    ]);
  });

  test('tell each silence once', () => {
    const windows = [
      ...repeat(20, healthy),
      ...repeat(50, silentCanary),
      ...repeat(5, healthy),
      ...repeat(30, emptyWindow),
      ...repeat(2, silentCanary),
    ];
    expect(story(windows)).toEqual([
      [43, 'hold: no-data', false],
      [98, 'hold: no-data', false],
    ]);
  });

  test('tell no silence after a promotion', () => {
    expect(story([...repeat(80, [5_000, 20, 5_000, 20]), ...repeat(330, emptyWindow)])).toEqual([
      [59, 'promote: pass', false],
    ]);
  });

  test('end at the deadline: what fails after it is no longer judged', () => {
    const windows = [...repeat(360, [2, 0, 2, 0] as const), ...repeat(100, failing)];
    expect(story(windows)).toEqual([[359, 'hold: deadline', true]]);
  });

  test('still hold a roll-back for a regression after the deadline, if it was promoted', () => {
    const windows = [...repeat(400, healthy), ...repeat(60, failing)];
    expect(story(windows).map(([, told]) => told)).toEqual(['promote: pass', 'roll-back: fail']);
  });
});
