import { expect, test } from 'vitest';
import { parseArguments } from '../../../services/dev/demo/arguments.ts';

test('without arguments a buggy canary runs on the embedded foundation', () => {
  expect(parseArguments([])).toEqual({
    ok: true,
    value: {
      healthy: false,
      foundation: 'embedded',
      json: false,
      seed: 1,
      keep: false,
      help: false,
    },
  });
});

test('all flags together', () => {
  expect(
    parseArguments(['--healthy', '--stack', '--json', '--seed', '4294967295', '--keep']),
  ).toEqual({
    ok: true,
    value: {
      healthy: true,
      foundation: 'stack',
      json: true,
      seed: 4_294_967_295,
      keep: true,
      help: false,
    },
  });
});

test.each([
  [['--helthy'], '--helthy'],
  [['roll-back'], 'roll-back'],
  [['--healthy=yes'], '--healthy'],
  [['--seed'], '--seed'],
  [['--seed', '4294967296'], '4294967296'],
  [['--seed', '1.5'], '1.5'],
  [['--seed=-1'], '-1'],
  [['--seed', ''], '--seed'],
])('%j is refused by name', (args, named) => {
  const parsed = parseArguments(args);
  expect(parsed).toMatchObject({ ok: false, problem: expect.stringContaining(named) });
});
