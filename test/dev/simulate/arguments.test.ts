import { expect, test } from 'vitest';
import { parseArguments } from '../../../services/dev/simulate/arguments.ts';
import { value } from '../../support/records.ts';

test('without options a thousand schedules run from seed 1', () => {
  expect(value(parseArguments([]))).toMatchObject({ does: 'schedules', schedules: 1000, seed: 1 });
});

test('a campaign says how long, the planted bugs stand alone', () => {
  expect(value(parseArguments(['--campaign', '--minutes', '30']))).toMatchObject({
    does: 'campaign',
    minutes: 30,
  });
  expect(value(parseArguments(['--planted', '--json']))).toMatchObject({
    does: 'planted',
    json: true,
  });
  expect(parseArguments(['--planted', '--campaign'])).toMatchObject({ ok: false });
});

test.each([
  ['--schedules', '0'],
  ['--schedules', '1.5'],
  ['--seed', '-1'],
  ['--seed', '4294967296'],
  ['--minutes', 'ten'],
  ['--workers', '0'],
  ['--never'],
])('%s %s is refused with a sentence', (...args) => {
  const parsed = parseArguments(args.filter((one) => one !== undefined));
  expect(parsed.ok).toBe(false);
});
