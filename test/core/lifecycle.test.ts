import { expect, test } from 'vitest';
import { by, given } from '../support/given.ts';
import { planned, started, succeeded } from '../support/markers.ts';

test('a plan, a start and a success hold the slot', async () => {
  const house = await given(by('ci', planned()), by('ci', started()), by('ci', succeeded()));
  expect(house.notes()).toEqual(['applied', 'applied', 'applied']);
  expect(await house.attempts()).toEqual(['1 2.0.0 succeeded']);
  expect(await house.current()).toEqual(['2.0.0']);
});
