import { describe, expect, test } from 'vitest';

import { cells } from '../../../services/dev/calibrate/cells.ts';
import type { Cell } from '../../../services/dev/calibrate/cells.ts';
import {
  errorsCoreStrict as strict,
  errorsOnly,
  errorsPromotion,
  inWindowsOf15,
  inWindowsOf60,
  latencyCore,
  latencyCoreExplicit,
  sensitive,
  standard,
  threeMetricJudges,
} from '../../../services/dev/calibrate/family.ts';
import type { JudgePlug } from '../../../services/dev/calibrate/judge-plug.ts';
import { openLatencySource } from '../../../services/dev/calibrate/latency.ts';
import { historyOf, windowsOf } from '../../../services/dev/calibrate/stream.ts';
import { summaryOf, tallyOf } from '../../../services/dev/calibrate/tally.ts';
import type { Summary } from '../../../services/dev/calibrate/tally.ts';

const source = openLatencySource();

const cellNamed = (name: string): Cell => {
  const cell = cells.find((each) => each.name === name);
  if (cell === undefined) throw new Error(`no cell ${name}`);
  return cell;
};

const summary = (plug: JudgePlug, cell: Cell, runs: number): Summary => {
  const judge = plug.learn(historyOf(source, cell, 1, 0));
  return summaryOf(
    tallyOf(Array.from({ length: runs }, (_, run) => judge(windowsOf(source, cell, 1, run)))),
  );
};

describe('the core test on errors', () => {
  test('finds 0.5 -> 2 % in about the least time there can be', () => {
    const cell = cellNamed('iid 50/50, errors 2 %');
    const bound = strict.boundSeconds(cell) ?? 0;
    const { rolledBack } = summary(strict, cell, 100);
    expect(bound).toBeCloseTo(18.9, 1);
    expect(rolledBack.share).toBe(1);
    expect((rolledBack.medianSeconds ?? Infinity) / bound).toBeLessThan(1.6);
  });

  test('promises no time for a regression that errors do not show', () => {
    expect(strict.boundSeconds(cellNamed('iid 50/50, latency +25 %'))).toBeNull();
  });

  test('is misled by clusters of errors, which it knows nothing of', () => {
    expect(summary(strict, cellNamed('clusters 50/50'), 30).rolledBack.share).toBeGreaterThan(0.2);
  });
});

test('the core test on latency finds a quarter in little more than the least time', () => {
  const cell = cellNamed('iid 5/45, latency +25 %');
  const bound = latencyCore.boundSeconds(cell) ?? 0;
  const { rolledBack } = summary(latencyCore, cell, 40);
  expect(bound).toBeCloseTo(26, 0);
  expect(rolledBack.share).toBe(1);
  expect((rolledBack.medianSeconds ?? Infinity) / bound).toBeLessThan(2);
  expect(latencyCore.boundSeconds(cellNamed('iid 50/50, errors 2 %'))).toBeNull();
});

test('with all metrics, errors, latency and CPU are found, and clusters of errors are known from history', () => {
  for (const name of [
    'iid 50/50, errors 5 %',
    'iid 50/50, latency +25 %',
    'iid 50/50, cpu +25 %',
  ]) {
    const { rolledBack } = summary(standard, cellNamed(name), 10);
    expect(rolledBack.share).toBe(1);
    expect(rolledBack.medianSeconds).toBeLessThanOrEqual(180);
  }
  expect(summary(standard, cellNamed('clusters 50/50'), 20).rolledBack.share).toBe(0);
  expect(summary(standard, cellNamed('iid 50/50'), 20)).toMatchObject({
    rolledBack: { runs: 0 },
    promoted: { runs: 20 },
  });
});

test('where the history had a tenth of the traffic, what instances share is not taken for a regression', () => {
  const cell = cellNamed('grown 50/450');
  expect(summary(sensitive, cell, 40).rolledBack.runs).toBe(0);
  expect(summary(sensitive, cellNamed('grown 50/450, latency +25 %'), 5).rolledBack.share).toBe(1);
});

test('the standard preset of errors alone promotes good canaries after the soak and rolls back bad ones', () => {
  expect(summary(errorsOnly, cellNamed('iid 50/50'), 20)).toMatchObject({
    rolledBack: { runs: 0 },
    promoted: { runs: 20, medianSeconds: 300 },
  });
  const bad = summary(errorsOnly, cellNamed('iid 50/50, errors 5 %'), 20);
  expect(bad.rolledBack.share).toBe(1);
  expect(bad.rolledBack.medianSeconds).toBeLessThanOrEqual(130);
});

test('between explicit bounds a quarter is found in not much more time', () => {
  const { rolledBack } = summary(latencyCoreExplicit, cellNamed('iid 50/50, latency +25 %'), 40);
  expect(rolledBack.share).toBe(1);
  expect(rolledBack.medianSeconds).toBeLessThanOrEqual(30);
  expect(summary(latencyCoreExplicit, cellNamed('iid 5/45'), 20).rolledBack.runs).toBe(0);
});

describe('errors alone promote', () => {
  const bound = (name: string): number => errorsPromotion.boundSeconds(cellNamed(name)) ?? 0;

  test('a good canary in about the least time there can be, and hardly one that stands on the margin', () => {
    expect(bound('iid 50/50')).toBeCloseTo(88, 0);
    expect(bound('iid 50/450')).toBeCloseTo(51, 0);
    const { promoted } = summary(errorsPromotion, cellNamed('iid 50/50'), 60);
    expect(promoted.share).toBe(1);
    expect((promoted.medianSeconds ?? Infinity) / bound('iid 50/50')).toBeLessThan(1.6);
    const onMargin = summary(errorsPromotion, cellNamed('iid 50/50, errors 0.95 %'), 60);
    expect(onMargin.promoted.share).toBeLessThan(0.15);
    expect(onMargin.rolledBack.runs).toBe(0);
  });
});

test('longer windows are the same requests: bad canaries are found a little later, good ones pass', () => {
  const bad = cellNamed('iid 50/50, errors 5 %');
  expect(summary(inWindowsOf15, bad, 10).rolledBack.medianSeconds).toBeLessThanOrEqual(150);
  expect(summary(inWindowsOf60, bad, 10).rolledBack.medianSeconds).toBeLessThanOrEqual(480);
  for (const judge of [inWindowsOf15, inWindowsOf60]) {
    expect(summary(judge, cellNamed('iid 50/50'), 10)).toMatchObject({
      rolledBack: { runs: 0 },
      promoted: { runs: 10 },
    });
    expect(summary(judge, cellNamed('ramp 50/50'), 10).rolledBack.runs).toBe(0);
  }
});

test('three metrics find what they are made of, and a judge is tried only where it can say something', () => {
  for (const judge of threeMetricJudges)
    expect(summary(judge, cellNamed('iid 50/50, cpu +25 %'), 5).rolledBack.share).toBe(1);
  expect(strict.isTriedIn(cellNamed('iid 50/50, errors 2 %'))).toBe(true);
  expect(strict.isTriedIn(cellNamed('iid 50/50, latency +25 %'))).toBe(false);
  expect(errorsPromotion.isTriedIn(cellNamed('iid 50/50, errors 0.725 %'))).toBe(false);
  expect(standard.isTriedIn(cellNamed('iid 50/50, errors 0.725 %'))).toBe(false);
});
