import { createMemoryClock } from '../../../services/adapters/memory/clock.ts';
import { createSystemClock } from '../../../services/adapters/system/clock.ts';
import { clockContract } from '../../contract/clock.contract.ts';
import { expect, test } from 'vitest';

clockContract('system clock', () => {
  const clock = createSystemClock();
  return { clock, pass: (ms) => clock.sleep(ms) };
});

clockContract('memory clock', () => {
  const clock = createMemoryClock(Date.UTC(2026, 10, 21));
  return { clock, pass: clock.advance };
});

test('memory clock: each sleeper sees the time it asked for, sleeps begun on the way included', async () => {
  const clock = createMemoryClock(1_000);
  const seen: number[] = [];
  const tick = async (): Promise<void> => {
    for (let count = 0; count < 3; count++) {
      await clock.sleep(10);
      seen.push(clock.nowMs());
    }
  };
  const ticking = tick();
  await clock.advance(35);
  await ticking;
  expect(seen).toEqual([1_010, 1_020, 1_030]);
  expect(clock.nowMs()).toBe(1_035);
});

test('memory clock: without an advance nobody wakes', async () => {
  const clock = createMemoryClock(0);
  let woken = false;
  void clock.sleep(10).then(() => (woken = true));
  await clock.advance(9);
  expect(woken).toBe(false);
});
