import { describe, expect, test } from 'vitest';
import type { Given } from '../../../services/cli/terminal/arguments.ts';
import { neverFails, wantsJson } from '../../../services/cli/terminal/arguments.ts';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import { commands } from '../../../services/cli/commands.ts';
import { helpText } from '../../../services/cli/terminal/help.ts';
import { value } from '../../support/records.ts';

const given = (line: string | readonly string[]): Given => {
  const args = typeof line === 'string' ? line.split(' ') : line;
  const request = value(parseArguments(args));
  if (request.ask !== 'run') throw new Error(`no command in ${args.join(' ')}`);
  return request.given;
};

/** Code, message and hint of a line that is refused. */
const refusal = (...args: readonly string[]): string => {
  const request = parseArguments(args);
  if (request.ok) throw new Error(`taken: ${args.join(' ')}`);
  const { code, message, hint, exit } = request.problem;
  expect(exit).toBe(2);
  return `${code}: ${message} | ${hint}`;
};

describe('a command line', () => {
  test('takes --name=value and --name value, in any order, before and after words', () => {
    for (const line of [
      'release plan eu --target-version=2.0.0 --ticket A --ticket=B --rollback',
      'release plan --ticket=A --target-version 2.0.0 --rollback eu --ticket B',
    ]) {
      const plan = given(line);
      expect(plan.words).toEqual(['eu']);
      expect(plan.value('target-version')).toBe('2.0.0');
      expect(plan.values('ticket')).toEqual(['A', 'B']);
      expect(plan.has('rollback')).toBe(true);
      expect(plan.value('digest')).toBeNull();
    }
  });

  test('takes as a value what is given with =, whatever it looks like', () => {
    expect(given('release log --target-version=--1=2').value('target-version')).toBe('--1=2');
    expect(given('release plan --target-version=1 -- --odd').words).toEqual(['--odd']);
  });

  test.each([
    ['foo', 'command-unknown: there is no command "foo" | plimsoll --help lists them'],
    ['tmieline', 'command-unknown: there is no command "tmieline" | did you mean timeline?'],
    [
      'release pln',
      'command-unknown: there is no command release "pln" | did you mean release plan?',
    ],
    ['keys', 'command-unknown: keys does nothing by itself | one of: keys new, keys list'],
    ['--json', 'command-unknown'],
    [
      'release log --target-versoin=1',
      'option-unknown: plimsoll release log has no option "--target-versoin" | did you mean --target-version?',
    ],
    ['current --enviroment-name=production', 'did you mean --environment-name?'],
    ['release log --deployment=x --target-version=1', 'option-unknown'],
    ['release log -v=1', 'option-unknown'],
    [
      'release log',
      'option-missing: plimsoll release log needs --target-version=VERSION | for instance: ',
    ],
    ['release log --target-version', 'option-invalid: --target-version needs a value'],
    ['release log --target-version --json', 'option-invalid: --target-version needs a value'],
    ['release log --target-version=', 'option-invalid: --target-version is empty'],
    ['release log --target-version=1 --rollback=yes', 'option-invalid: --rollback takes no value'],
    ['release log --target-version=1 --target-version=2', 'option-repeated'],
    ['release log 1 --target-version=1', 'word-unexpected: '],
    ['show', 'word-missing: plimsoll show needs <deployment>'],
    [
      'keys trust a.pub.json --role=emitter --component=x',
      'option-missing: plimsoll keys trust needs --environment=NAME',
    ],
    [
      'keys trust a.pub.json --role=emitter --environment=x',
      'option-missing: plimsoll keys trust needs --component=NAME',
    ],
  ])('%s is refused: %s', (line, expected) => {
    expect(refusal(...line.split(' '))).toContain(expected);
  });

  test('shows nothing that could steer a terminal', () => {
    expect(refusal('\u001b[31mred')).toContain(String.raw`"\u001b[31mred"`);
  });

  test('asks for help at every level, and for the version', () => {
    const asked = (line: string) => value(parseArguments(line === '' ? [] : line.split(' ')));
    expect(asked('')).toEqual({ ask: 'help', about: '' });
    expect(asked('--help')).toEqual({ ask: 'help', about: '' });
    expect(asked('release --help')).toEqual({ ask: 'help', about: 'release' });
    expect(asked('release plan --target-version --help')).toEqual({
      ask: 'help',
      about: 'release plan',
    });
    expect(asked('help keys new')).toEqual({ ask: 'help', about: 'keys new' });
    expect(asked('--version')).toEqual({ ask: 'version' });
  });

  test('wants JSON also where it cannot be read, but not after --', () => {
    expect(wantsJson(['relase', '--json'])).toBe(true);
    expect(wantsJson(['release', 'plan', '--', '--json'])).toBe(false);
  });

  test('of a pipeline never fails where that was asked, also where it cannot be read', () => {
    expect(neverFails(['release', 'plna', '--no-fail'], commands)).toBe(true);
    expect(neverFails(['release', 'plan', '--', '--no-fail'], commands)).toBe(false);
    expect(neverFails(['current', '--no-fail'], commands)).toBe(false);
  });
});

const twins = [
  ['environment', 'environment-name'],
  ['component', 'component-name', 'service', 'pacticipant'],
  ['target-version', 'version', 'version-number'],
  ['target', 'application-instance'],
];

/** Every option of every command that has other names, with a line that lacks it alone. */
const named = commands.flatMap((command) =>
  command.options.flatMap((option) => {
    const names = twins.find((some) => some.includes(option.name));
    if (names === undefined) return [];
    const words = command.words.filter(({ isOptional }) => isOptional !== true);
    const needed = command.options.filter(
      ({ name, isRequired }) => isRequired === true && name !== option.name,
    );
    const line = [
      ...command.name.split(' '),
      ...words.map(({ name }) => name),
      ...needed.map(({ name }) => `--${name}=x`),
    ];
    const behind = command.program === undefined ? [] : ['--', 'x'];
    return [{ command, option, names, line, behind, title: `${command.name} --${option.name}` }];
  }),
);

describe('options of several names', () => {
  test('are options of many commands', () => {
    expect(named.length).toBeGreaterThan(20);
    expect(new Set(named.map(({ option }) => option.name)).size).toBe(9);
  });

  test.each(named)('by each of their names: $title', ({ command, option, names, line, behind }) => {
    const others = names.filter((name) => name !== option.name);
    for (const name of names) {
      const told = given([...line, `--${name}=shop`, ...behind]);
      expect([told.value(option.name), told.values(option.name)]).toEqual(['shop', ['shop']]);
      expect(others.some(told.has)).toBe(false);
    }
    // One of them is that command's own, and the help shows it.
    const help = helpText(command.name);
    expect(help).toContain(`--${option.name}=`);
    for (const name of others) expect(help).not.toMatch(new RegExp(`--${name}[= ]`));
  });

  const isList = ({ option }: (typeof named)[number]): boolean => option.isRepeatable === true;
  const twice = (
    { names, line, behind }: (typeof named)[number],
    one: string,
    other: string,
  ): readonly string[] => {
    const [first = '', second = ''] = names.toReversed();
    return [...line, `--${first}=${one}`, `--${second}=${other}`, ...behind];
  };

  test.each(named.filter(isList))('in a list, by two names: $title', (each) => {
    expect(given(twice(each, 'a', 'b')).values(each.option.name)).toEqual(['a', 'b']);
  });

  test.each(named.filter((each) => !isList(each)))('by two names: $title', (each) => {
    const [first, second] = each.names.toReversed();
    expect(given(twice(each, 'a', 'a')).value(each.option.name)).toBe('a');
    const [a, b] = each.option.isSecret === true ? ['', ''] : ['="a"', '="b"'];
    expect(refusal(...twice(each, 'a', 'b'))).toBe(
      `option-repeated: --${first}${a} and --${second}${b} contradict each other | they are two names of one option: name it once`,
    );
    const again = twice({ ...each, line: [...each.line, `--${first}=a`] }, 'a', 'a');
    expect(refusal(...again)).toContain(`--${first} stands twice`);
  });
});

test('a value that may be a password is not shown again, nor is a letter written as a name', () => {
  const line = ['record-deployment', '-a', 'foo', '-e', '1', '--environment=test'];
  expect(refusal(...line, '--broker-token=hunter2', '-k', 'hunter3')).toBe(
    'option-repeated: --broker-token and -k contradict each other | they are two names of one option: name it once',
  );
  for (const name of ['broker-base-url', 'broker-username', 'broker-password', 'broker-token'])
    expect(refusal(...line, `--${name}=hunter2`, `--${name}=hunter3`)).not.toContain('hunter');
});

test('a letter may have its value right behind it, and no-verbose is taken as verbose is', () => {
  const joined = given('record-deployment -afoo -e3 --environment=test --no-verbose -khunter2');
  expect([joined.value('pacticipant'), joined.value('version')]).toEqual(['foo', '3']);
  expect(given('record-deployment -a foo -e=3 --environment=test').value('version')).toBe('3');
  expect(refusal('record-deployment', '-xfoo')).toContain('option-unknown');
});
