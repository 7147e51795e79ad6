import { expect, test } from 'vitest';
import { openNumbers } from '../../../../services/core/canary/judge/metric-judge.ts';
import {
  addLoudWindow,
  loudWindows,
  noLoudWindows,
} from '../../../../services/core/canary/analysis/strongest-windows.ts';

test('the three loudest windows are told, the loudest first, in whatever order they came', () => {
  const gains = [0.5, 0.2, 0.9, 0.1, 0.7, 0, -1, 0.6];
  const rising = [-1, 0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.9];
  for (const order of [gains, gains.toReversed(), rising, rising.toReversed()]) {
    const open = openNumbers([8, ...noLoudWindows, 9], []);
    open.at = 1;
    const shown = order.map((gainNats, index) => ({ index, gainNats }));
    for (const { index, gainNats } of shown) {
      addLoudWindow(open, { index }, gainNats);
      const loudest = shown
        .slice(0, index + 1)
        .filter((window) => window.gainNats > 0)
        .toSorted((left, right) => right.gainNats - left.gainNats)
        .slice(0, 3);
      expect(loudWindows(open.settled, open.at)).toEqual(loudest);
    }
    expect([open.settled[0], open.settled.at(-1)]).toEqual([8, 9]);
    expect(noLoudWindows.every((number) => number === 0)).toBe(true);
  }
});
