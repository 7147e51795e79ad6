import { nearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Command } from '../commands.ts';
import { commands, groupSummaries } from '../commands.ts';
import { optionsOf } from '../commands/command.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';
import { printText } from '../terminal/output.ts';

const shells = ['bash', 'zsh', 'fish'];

/** Prints a script that completes commands and options, made of the table of commands. */
export const printCompletion = (
  { terminal }: Pick<CliPorts, 'terminal'>,
  given: Given,
): Result<void, CliProblem> => {
  const shell = given.words[0] ?? '';
  switch (shell) {
    case 'bash':
      printText(terminal, bash());
      return ok(undefined);
    case 'zsh':
      printText(terminal, ['autoload -Uz bashcompinit && bashcompinit', ...bash()]);
      return ok(undefined);
    case 'fish':
      printText(terminal, fish());
      return ok(undefined);
    default: {
      const near = nearest(shell, shells);
      return refuse(
        'word-invalid',
        `there is no completion for the shell ${JSON.stringify(shell.slice(0, 64))}`,
        near === undefined ? `one of: ${shells.join(', ')}` : `did you mean ${near}?`,
      );
    }
  }
};

const firstWords = (): readonly string[] => [
  ...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name)),
  'help',
];

const groups = (): ReadonlyMap<string, readonly string[]> =>
  new Map(
    firstWords().flatMap((first) => {
      const verbs = commands
        .filter(({ name }) => name.startsWith(`${first} `))
        .map(({ name }) => name.slice(first.length + 1));
      return verbs.length === 0 ? [] : [[first, verbs] as const];
    }),
  );

const flagsOf = (command: Command): string =>
  optionsOf(command)
    .map(({ name, value }) => (value === null ? `--${name}` : `--${name}=`))
    .join(' ');

/** Words up to the cursor decide: a command's options after its name, verbs after a group, else the first words. */
const bash = (): readonly string[] => [
  '_plimsoll() {',
  '  local current="${COMP_WORDS[COMP_CWORD]}" first="${COMP_WORDS[1]:-}" second="${COMP_WORDS[2]:-}" words=""',
  '  # With = among the separators of words, what is completed after it is a file.',
  '  if [[ "$current" == "=" || "${COMP_WORDS[COMP_CWORD-1]:-}" == "=" ]]; then',
  '    COMPREPLY=($(compgen -f -- "${current#=}"))',
  '    return',
  '  fi',
  '  if (( COMP_CWORD == 1 )); then',
  `    words="${firstWords().join(' ')}"`,
  '  else',
  '    case "$first $second" in',
  ...commands
    .filter(({ name }) => name.includes(' '))
    .map(
      (command) =>
        `      "${command.name}") (( COMP_CWORD > 2 )) && words="${flagsOf(command)}" ;;`,
    ),
  '    esac',
  '    if [[ -z "$words" ]]; then',
  '      case "$first" in',
  ...[...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name))].map((first) => {
    const verbs = groups().get(first) ?? [];
    const own = commands.find(({ name }) => name === first);
    const flags = own === undefined ? '' : flagsOf(own);
    const words = [...(verbs.length === 0 ? [] : [verbs.join(' ')]), flags].join(' ').trim();
    return `        ${first}) words="${words}" ;;`;
  }),
  '      esac',
  '    fi',
  '  fi',
  '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
  '  [[ "${COMPREPLY[0]:-}" == *= ]] && compopt -o nospace 2>/dev/null',
  '  return 0',
  '}',
  'complete -F _plimsoll plimsoll',
];

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const fish = (): readonly string[] => [
  'complete -c plimsoll -f',
  ...firstWords().map((first) => {
    const own = commands.find(({ name }) => name === first);
    const summary = own?.summary ?? groupSummaries[first] ?? 'help about a command';
    return `complete -c plimsoll -n __fish_use_subcommand -a ${first} -d ${quoted(summary)}`;
  }),
  ...[...groups()].flatMap(([first, verbs]) =>
    verbs.map((verb) => {
      const summary = commands.find(({ name }) => name === `${first} ${verb}`)?.summary ?? '';
      const isNext = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${verbs.join(' ')}`;
      return `complete -c plimsoll -n ${quoted(isNext)} -a ${verb} -d ${quoted(summary)}`;
    }),
  ),
  ...commands.flatMap((command) => {
    const seen = command.name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    return optionsOf(command).map(
      ({ name, value, meaning }) =>
        `complete -c plimsoll -n ${quoted(seen)} -l ${name}${value === null ? '' : ' -r'} -d ${quoted(meaning)}`,
    );
  }),
];
