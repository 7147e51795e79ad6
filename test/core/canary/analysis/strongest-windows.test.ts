import { expect, test } from 'vitest';
import {
  loudWindows,
  noLoudWindows,
  withWindow,
} from '../../../../services/core/canary/analysis/strongest-windows.ts';

test('the three loudest windows are told, the loudest first, in whatever order they came', () => {
  const gains = [0.5, 0.2, 0.9, 0.1, 0.7, 0, -1, 0.6];
  const rising = [-1, 0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.9];
  for (const order of [gains, gains.toReversed(), rising, rising.toReversed()]) {
    let list: readonly number[] = noLoudWindows;
    const shown = order.map((gainNats, index) => ({ index, gainNats }));
    for (const { index, gainNats } of shown) {
      list = withWindow(list, { index }, gainNats);
      const loudest = shown
        .slice(0, index + 1)
        .filter((window) => window.gainNats > 0)
        .toSorted((left, right) => right.gainNats - left.gainNats)
        .slice(0, 3);
      expect(loudWindows(list)).toEqual(loudest);
    }
  }
});
