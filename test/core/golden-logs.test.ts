import { describe, expect, test } from 'vitest';
import { fold } from '../support/given.ts';
import { goldenLogs, recordsIn } from '../support/golden-logs.ts';

describe.each(['valid', 'invalid'] as const)('golden %s logs', (side) => {
  test.each(goldenLogs(side))('$name: $about', async (golden) => {
    const house = await fold(recordsIn(golden));
    expect(house.notes()).toEqual(golden.expect.notes);
    const { timeline, current } = await house.lines();
    expect(timeline).toMatchObject(golden.expect.timeline ?? timeline);
    expect(current).toMatchObject(golden.expect.current ?? current);
  });
});

test('the golden logs are there', () => {
  expect(goldenLogs('valid').length).toBeGreaterThanOrEqual(8);
  expect(goldenLogs('invalid').length).toBeGreaterThanOrEqual(38);
});
