import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Command, CommandName } from '../commands.ts';
import { optionsOf } from '../commands/command.ts';
import type { Option } from '../commands/command.ts';
import { nearest } from '../../core/nearest.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

/** What was written after the command's name, checked against the table and nothing more. */
export type Given = {
  readonly words: readonly string[];
  /** The program and its words behind `--`, where the command runs one. */
  readonly program: readonly string[];
  /** The one value of an option, or null. */
  readonly value: (name: string) => string | null;
  readonly values: (name: string) => readonly string[];
  readonly has: (name: string) => boolean;
};

export type Request =
  | { readonly ask: 'run'; readonly command: Command; readonly given: Given }
  /** `about` is a command's name, the beginning of some, or empty. */
  | { readonly ask: 'help'; readonly about: string }
  | { readonly ask: 'version' };

/** Reads a command line strictly: nothing is guessed, nothing is ignored. */
export const parseCommandLine = (
  args: readonly string[],
  /** Where the command is looked for: all, or all that begin with the first word. */
  commands: readonly Command[],
): Result<Request, CliProblem> => {
  const [first] = args;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help')
    return ok({ ask: 'help', about: args.slice(1).join(' ') });
  if (first === '--version') return ok({ ask: 'version' });
  const command = commandAt(args, commands);
  const group = groupAt(args, commands);
  const wantsHelp = beforeEnd(args).some((arg) => arg === '--help' || arg === '-h');
  if (wantsHelp && (command ?? group) !== undefined)
    return ok({ ask: 'help', about: command?.name ?? group ?? '' });
  if (command === undefined) return unknownCommand(args, group, commands);
  const given = readGiven(command, args.slice(lengthOf(command.name)));
  return given.ok ? ok({ ask: 'run', command, given: given.value }) : given;
};

/** Whether the errors of this command line are wanted as JSON, also where it cannot be read. */
export const wantsJson = (args: readonly string[]): boolean => beforeEnd(args).includes('--json');

/** Whether this is a step of a pipeline that asked never to be failed by it, also where it cannot be read. */
export const neverFails = (args: readonly string[], commands: readonly Command[]): boolean =>
  commands.some(
    ({ name, options }) =>
      name.split(' ')[0] === args[0] && options.some((one) => one.name === 'no-fail'),
  ) && beforeEnd(args).includes('--no-fail');

const beforeEnd = (args: readonly string[]): readonly string[] => {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
};

const lengthOf = (name: CommandName): number => name.split(' ').length;

const commandAt = (args: readonly string[], commands: readonly Command[]): Command | undefined =>
  commands.find(({ name }) => args.slice(0, lengthOf(name)).join(' ') === name);

/** The first word, where it begins commands of two words: `release`, `keys`, `dead-letters`. */
const groupAt = ([first]: readonly string[], commands: readonly Command[]): string | undefined =>
  commands.some(({ name }) => name.startsWith(`${first} `)) ? first : undefined;

const unknownCommand = (
  args: readonly string[],
  group: string | undefined,
  commands: readonly Command[],
): Result<never, CliProblem> => {
  const names = commands.map(({ name }) => name);
  if (group !== undefined) {
    const members = names.filter((name) => name.startsWith(`${group} `));
    const written = args[1];
    if (written === undefined || written.startsWith('-'))
      return refuse(
        'command-unknown',
        `${group} does nothing by itself`,
        `one of: ${members.join(', ')}`,
      );
    const near = nearest(`${group} ${written}`, members);
    return refuse(
      'command-unknown',
      `there is no command ${group} ${quote(written)}`,
      near === undefined ? `one of: ${members.join(', ')}` : `did you mean ${near}?`,
    );
  }
  const written = args[0] ?? '';
  const near = nearest(written, [
    ...new Set(names.flatMap((name) => [name, name.split(' ')[0] ?? name])),
  ]);
  return refuse(
    'command-unknown',
    `there is no command ${quote(written)}`,
    near === undefined ? 'plimsoll --help lists them' : `did you mean ${near}?`,
  );
};

/** Names of one thing: a command that takes an option by one of them takes it by the others, too. */
const twins: readonly (readonly string[])[] = [
  ['environment', 'environment-name'],
  ['component', 'component-name', 'service', 'pacticipant'],
  ['target-version', 'version', 'version-number'],
  ['target', 'application-instance'],
];

/** Whether that is the option's name, or another name of the same. */
export const isNamed = ({ name, others }: Option, written: string): boolean =>
  name === written ||
  others?.includes(written) === true ||
  twins.some((names) => names.includes(name) && names.includes(written));

const readGiven = (command: Command, args: readonly string[]): Result<Given, CliProblem> => {
  const options = optionsOf(command);
  const words: string[] = [];
  const program: string[] = [];
  const told = new Map<string, readonly ReadOption[]>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      (command.program === undefined ? words : program).push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const read = readOption(command, options, arg, args[index + 1]);
    if (!read.ok) return read;
    const { option, tookNext, value } = read.value;
    if (tookNext) index++;
    if (option.mayBeEmpty === true && value.trim() === '') continue;
    const known = told.get(option.name);
    const again = known && repeatFault(known, read.value);
    if (again !== undefined) return again;
    told.set(option.name, [...(known ?? []), read.value]);
  }
  const fault =
    wordFault(command, words) ?? programFault(command, program) ?? missingOption(command, told);
  if (fault !== undefined) return fault;
  return ok({
    words,
    program,
    value: (name) => told.get(name)?.[0]?.value ?? null,
    values: (name) => told.get(name)?.map(({ value }) => value) ?? [],
    has: (name) => told.has(name),
  });
};

type ReadOption = {
  readonly option: Option;
  /** As it was written. */
  readonly name: string;
  readonly value: string;
  readonly tookNext: boolean;
};

const readOption = (
  command: Command,
  options: readonly Option[],
  arg: string,
  next: string | undefined,
): Result<ReadOption, CliProblem> => {
  const isLong = arg.startsWith('--');
  // `-e3`: a letter with its value, as other programs write it.
  const joined = isLong ? undefined : joinedOption(options, arg);
  const equals = joined === undefined ? arg.indexOf('=') : 1;
  const written = equals < 0 ? arg : arg.slice(0, joined === undefined ? equals : 2);
  const name = written.slice(isLong ? 2 : 1);
  const option = options.find((one) => (isLong ? isNamed(one, name) : one.short === name));
  if (option === undefined) return unknownOption(command, options, written);
  const inline = joined ?? (equals < 0 ? undefined : arg.slice(equals + 1));
  if (option.value === null)
    return inline === undefined
      ? ok({ option, name, value: '', tookNext: false })
      : refuse('option-invalid', `${written} takes no value`, `write ${written} alone`);
  const value = inline ?? next;
  // A value that looks like an option is one that was forgotten; --name=--value is taken.
  if (value === undefined || (inline === undefined && value.startsWith('--')))
    return refuse('option-invalid', `${written} needs a value`, `write ${written}=${option.value}`);
  if (value.trim() === '' && option.mayBeEmpty !== true)
    return refuse(
      'option-invalid',
      `${written} is empty`,
      'is a variable of the pipeline not set? Leave the option out, or give it a value',
    );
  return ok({ option, name, value, tookNext: inline === undefined });
};

/** What stands behind a letter that takes a value; undefined: nothing, or no such letter. */
const joinedOption = (options: readonly Option[], arg: string): string | undefined => {
  const option = options.find(({ short }) => short !== undefined && short === arg[1]);
  const rest = arg.slice(2);
  return option === undefined || option.value === null || rest === '' || rest.startsWith('=')
    ? undefined
    : rest;
};

/** An option may stand again where it is a list, or by its other name with the same value. */
const repeatFault = (
  before: readonly ReadOption[],
  { option, name, value }: ReadOption,
): Result<never, CliProblem> | undefined => {
  if (option.isRepeatable === true) return undefined;
  if (before.some((other) => other.name === name))
    return refuse('option-repeated', `${dashed(option, name)} stands twice`, 'name it once');
  const other = before.find((one) => one.value !== value);
  if (other === undefined) return undefined;
  const said = (one: Pick<ReadOption, 'name' | 'value'>): string =>
    `${dashed(option, one.name)}${option.isSecret === true ? '' : `=${quote(one.value)}`}`;
  return refuse(
    'option-repeated',
    `${said(other)} and ${said({ name, value })} contradict each other`,
    'they are two names of one option: name it once',
  );
};

const dashed = ({ short }: Option, name: string): string => `${name === short ? '-' : '--'}${name}`;

const unknownOption = (
  command: Command,
  options: readonly Option[],
  written: string,
): Result<never, CliProblem> => {
  const bare = written.replace(/^-+/, '');
  const names = options.flatMap(({ name, others = [] }) => [name, ...others]);
  const near = nearest(bare, names) ?? names.find((name) => name.startsWith(`${bare}-`));
  return refuse(
    'option-unknown',
    `plimsoll ${command.name} has no option ${quote(written)}`,
    near === undefined ? `plimsoll ${command.name} --help lists them` : `did you mean --${near}?`,
  );
};

const wordFault = (
  command: Command,
  words: readonly string[],
): Result<never, CliProblem> | undefined => {
  const extra = words[command.words.length];
  if (extra !== undefined && command.words.at(-1)?.isRepeatable !== true)
    return refuse(
      'word-unexpected',
      `plimsoll ${command.name} does not know what to do with ${quote(extra)}`,
      'put a text with spaces in quotes; plimsoll --help shows what is taken',
    );
  const missing = command.words[words.length];
  return missing === undefined || missing.isOptional === true
    ? undefined
    : refuse(
        'word-missing',
        `plimsoll ${command.name} needs <${missing.name}>`,
        exampleOf(command),
      );
};

const programFault = (
  command: Command,
  program: readonly string[],
): Result<never, CliProblem> | undefined =>
  command.program === undefined || (program[0] ?? '') !== ''
    ? undefined
    : refuse(
        'word-missing',
        `plimsoll ${command.name} needs -- and a ${command.program} behind it`,
        exampleOf(command),
      );

const missingOption = (
  command: Command,
  told: ReadonlyMap<string, unknown>,
): Result<never, CliProblem> | undefined => {
  const missing = command.options.find(
    ({ name, isRequired }) => isRequired === true && !told.has(name),
  );
  return missing === undefined
    ? undefined
    : refuse(
        'option-missing',
        `plimsoll ${command.name} needs --${missing.name}=${missing.value}`,
        exampleOf(command),
      );
};

const exampleOf = ({ name, examples }: Command): string =>
  `for instance: plimsoll ${name} ${examples[0] ?? ''}`.trimEnd();

const quotedMax = 64;
/** As it was written, without what could steer a terminal. */
const quote = (written: string): string => JSON.stringify(written.slice(0, quotedMax));
