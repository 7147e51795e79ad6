import type { Command } from '../commands.ts';
import { commands, groupSummaries, settingsHelp } from '../commands.ts';
import { commonOptions } from '../commands/command.ts';
import { factCommands } from '../commands/facts.ts';
import type { Option } from '../commands/command.ts';

/** The help about a command, a group of commands, or everything. Each fits on one screen. */
export const helpText = (about: string): string => {
  const command = commands.find(({ name }) => name === about);
  if (command !== undefined) return commandHelp(command);
  const group = commands.filter(({ name }) => name.startsWith(`${about} `));
  if (about !== '' && group.length > 0) return groupHelp(about, group);
  if (about === 'settings') return settingsText();
  if (about === 'facts') return groupHelp('facts', factCommands);
  return overview();
};

const overview = (): string =>
  [
    'Plimsoll records deployments as signed markers on one log, shows what runs where,',
    'and says roll back or promote while a canary runs.',
    '',
    'plimsoll COMMAND [OPTIONS]',
    '',
    ...twoColumns(overviewLines()),
    '',
    'Settings come from the environment (PLIMSOLL_LOG, PLIMSOLL_URL, …) and from plimsoll.yaml:',
    '  plimsoll help settings',
    '',
    'Examples:',
    '  plimsoll release log --component-name=checkout --target-version=2.0.0',
    '  plimsoll current',
    '  plimsoll up',
    '',
    'Exit codes: 0 done, 1 internal, 2 bad input, 3 refused, 4 not found, 5 key or scope,',
    '6 unreachable, 8 timeout; gate: 10 to 13. plimsoll COMMAND --help tells more.',
    '',
  ].join('\n');

const settingsText = (): string =>
  [
    'Settings, by their names in the environment. In plimsoll.yaml PLIMSOLL_LOG_ID is log-id: VALUE.',
    'An option counts before the environment, that before the file (plimsoll config shows which).',
    '',
    ...twoColumns(settingsHelp.map(([name, meaning]) => [name, meaning])),
    '',
    'Examples:',
    '  plimsoll up',
    '',
  ].join('\n');

/** Of these there are too many for an overview. */
const factsLine = [
  'help facts',
  'what else can be said: record-deployment, traffic, label, freeze, incident open, …',
] as const;

/** Commands of two words stand on one line for each first word, and so do those that belong together. */
const overviewLines = (): readonly (readonly [left: string, right: string])[] => {
  const facts: readonly Command[] = factCommands;
  const others = commands.filter((command) => !facts.includes(command));
  const groups = Map.groupBy(others, ({ name }) => {
    const [first = name] = name.split(' ');
    return families.find(({ members }) => members.includes(first))?.summary ?? first;
  });
  const lines = [...groups].map(([first, members]): readonly [string, string] => {
    const [only] = members;
    const family = families.find(({ summary }) => summary === first);
    if (family !== undefined) {
      const [head, ...rest] = family.members;
      return [head ?? '', `${family.summary}: ${rest.join(', ')}`];
    }
    if (members.length === 1 && only !== undefined) return [only.name, only.summary];
    const verbs = members.map(({ name }) => name.slice(first.length).trim());
    const written = verbs.filter((verb) => verb !== '').join(', ');
    return [first, `${groupSummaries[first] ?? 'commands'}: ${written}`];
  });
  return [lines[0] ?? ['', ''], factsLine, ...lines.slice(1)];
};

const families: readonly { readonly members: readonly string[]; readonly summary: string }[] = [
  { members: ['environments', 'components'], summary: 'environments seen so far; likewise' },
  {
    members: ['up', 'gateway', 'projector', 'analyser'],
    summary: 'run the services in one process; or one of them',
  },
  {
    members: ['init', 'doctor', 'config', 'completion'],
    summary: 'set a repository up; prove it, show settings, shells',
  },
];

const groupHelp = (about: string, group: readonly Command[]): string =>
  [
    about === 'facts' ? 'plimsoll COMMAND' : `plimsoll ${about} COMMAND`,
    '',
    ...twoColumns(group.map(({ name, summary }) => [name, summary])),
    '',
    'Examples:',
    ...group.flatMap((command) => examplesOf(command).slice(0, about === 'facts' ? 1 : undefined)),
    '',
  ].join('\n');

const commandHelp = (command: Command): string => {
  const { name, summary, words, options } = command;
  const wordsWritten = words.map((word) => {
    const one = `<${word.name}>${word.isRepeatable === true ? '…' : ''}`;
    return word.isOptional === true ? `[${one}]` : one;
  });
  const programWritten = command.program === undefined ? [] : [`-- <${command.program}>…`];
  const shown = [...options, ...commonOptions];
  return [
    `plimsoll ${[name, ...wordsWritten, '[OPTIONS]', ...programWritten].join(' ')}`,
    `  ${summary}`,
    '',
    ...twoColumns(shown.map((option) => [written(option), meaningOf(option)])),
    '',
    ...(command.notes === undefined ? [] : [...command.notes, '']),
    'Examples:',
    ...examplesOf(command),
    '',
  ].join('\n');
};

export const written = ({ name, value }: Option): string =>
  value === null ? `--${name}` : `--${name}=${value}`;

export const meaningOf = ({ meaning, isRequired, isRepeatable }: Option): string =>
  [meaning, isRequired ? '(required)' : '', isRepeatable ? '(repeatable)' : '']
    .filter((part) => part !== '')
    .join(' ');

const examplesOf = ({ name, examples }: Command): readonly string[] =>
  examples.map((example) => `  plimsoll ${name} ${example}`.trimEnd());

export const twoColumns = (
  rows: readonly (readonly [left: string, right: string])[],
): readonly string[] => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
};
