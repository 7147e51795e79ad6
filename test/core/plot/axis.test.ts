import { describe, expect, test } from 'vitest';
import { linearAxis, logAxis, shareOn, timeAxis } from '../../../services/core/plot/axis.ts';

const textsOf = ({ ticks }: { readonly ticks: readonly { readonly text: string }[] }) =>
  ticks.map(({ text }) => text);

describe('an axis of time', () => {
  test.each([
    [17, ['0', '2 s', '4 s', '6 s', '8 s', '10 s', '12 s', '14 s', '16 s']],
    [150, ['0', '30 s', '60 s', '90 s', '120 s', '150 s']],
    [1_800, ['0', '5 min', '10 min', '15 min', '20 min', '25 min', '30 min']],
    [90_000, ['0', '4 h', '8 h', '12 h', '16 h', '20 h', '24 h']],
  ])('of %d s has names in a unit that suits', (seconds, names) => {
    expect(textsOf(timeAxis(seconds))).toEqual(names);
  });

  test('of nothing is a second long', () => {
    expect(timeAxis(0)).toMatchObject({ from: 0, to: 1 });
  });
});

describe('a logarithmic axis', () => {
  test.each([
    [0.8, 1.6],
    [0.1, 200],
    [1, 1_000_000],
    [1e-9, 1e12],
    [0.99, 1.01],
  ])('from %d to %d has at most seven names, all inside', (least, most) => {
    const axis = logAxis(least, most, 7, String);
    expect(axis.ticks.length).toBeLessThanOrEqual(7);
    for (const { at } of axis.ticks) {
      expect(at).toBeGreaterThanOrEqual(axis.from);
      expect(at).toBeLessThanOrEqual(axis.to);
    }
  });

  test('has equal ratios equally far apart', () => {
    const axis = logAxis(1, 100, 7, String);
    expect(shareOn(axis, 10)).toBeCloseTo(0.5);
  });
});

describe('a linear axis', () => {
  test('has round names', () => {
    expect(textsOf(linearAxis(0, 100, 6, String))).toEqual(['0', '20', '40', '60', '80', '100']);
    expect(textsOf(linearAxis(0, 0.3, 4, String))).toEqual(['0', '0.1', '0.2', '0.3']);
  });

  test('has values outside at its ends', () => {
    const axis = linearAxis(0, 10, 5, String);
    expect([shareOn(axis, -5), shareOn(axis, 5), shareOn(axis, 50)]).toEqual([0, 0.5, 1]);
  });
});
