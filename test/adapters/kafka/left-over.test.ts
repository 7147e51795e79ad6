import { expect, test } from 'vitest';
import { openLeftOver } from '../../../services/adapters/kafka/left-over.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';

const record = (position: number): LogRecord => ({
  position,
  appendedAtMs: 1,
  key: new Uint8Array(),
  headers: [],
  value: Uint8Array.of(position),
});
const positions = (records: readonly LogRecord[]): readonly number[] =>
  records.map(({ position }) => position);

test('records that a read did not take are there for the next one, which may begin with one that it took', () => {
  const left = openLeftOver(() => 0);
  left.keep(0, [5, 6, 7, 8].map(record));
  expect(positions(left.from(0, 7))).toEqual([7, 8]);
  expect(positions(left.from(0, 5))).toEqual([5, 6, 7, 8]);
});

test('there is nothing for a position that was not fetched, nor for another partition', () => {
  const left = openLeftOver(() => 0);
  expect(left.from(0, 0)).toEqual([]);
  left.keep(0, [5, 6].map(record));
  expect(left.from(0, 4)).toEqual([]);
  expect(left.from(0, 7)).toEqual([]);
  expect(left.from(1, 5)).toEqual([]);
  left.keep(0, []);
  expect(left.from(0, 5)).toEqual([]);
});

test('whoever comes a second later finds nothing', () => {
  let nowMs = 100;
  const left = openLeftOver(() => nowMs);
  left.keep(0, [5, 6].map(record));
  nowMs += 999;
  expect(positions(left.from(0, 6))).toEqual([6]);
  nowMs += 1;
  expect(left.from(0, 6)).toEqual([]);
});
