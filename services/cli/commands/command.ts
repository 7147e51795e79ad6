export type Option = {
  readonly name: string;
  /** What the help writes for the value; null: a switch without one. */
  readonly value: string | null;
  readonly meaning: string;
  readonly isRepeatable?: boolean;
  readonly isRequired?: boolean;
  /** An empty value is as if the option were not there: it is worth less than what it stands beside. */
  readonly mayBeEmpty?: boolean;
  /** Its value is never shown again. */
  readonly isSecret?: boolean;
  /** Other names of the same. */
  readonly others?: readonly string[];
  /** One letter, written behind one dash, as another program's users write it. */
  readonly short?: string;
};

/** One command: its name, what it takes and what its help says. */
export type CommandOf<Name extends string> = {
  readonly name: Name;
  readonly summary: string;
  /** Words after the command. Only the last may be optional or stand several times. */
  readonly words: readonly {
    readonly name: string;
    readonly isOptional?: boolean;
    readonly isRepeatable?: boolean;
  }[];
  /** What the help calls the program with its words that has to stand behind `--`. */
  readonly program?: string;
  readonly options: readonly Option[];
  /** What else its help says, in lines. */
  readonly notes?: readonly string[];
  /** What follows `plimsoll` and the command's name; at least one. */
  readonly examples: readonly string[];
};

export const option = (name: string, value: string | null, meaning: string): Option => ({
  name,
  value,
  meaning,
});
export const required = (name: string, value: string, meaning: string): Option => ({
  ...option(name, value, meaning),
  isRequired: true,
});
export const repeatable = (name: string, value: string, meaning: string): Option => ({
  ...option(name, value, meaning),
  isRepeatable: true,
});

/** Options that every command takes. */
export const commonOptions: readonly Option[] = [
  option('json', null, 'machine output; errors as {code,message,hint} on stderr'),
  option('help', null, 'this help'),
];

/** All options of a command: its own, then the common ones. */
export const optionsOf = ({ options }: Pick<CommandOf<string>, 'options'>): readonly Option[] => [
  ...options,
  ...commonOptions,
];
