import { nearest } from './nearest.ts';

/** What is worth saying of a name that nobody used before. */
export type NewName = {
  readonly what: 'environment' | 'component';
  readonly message: string;
  /** The nearest of the names that were there. */
  readonly nearest: string | undefined;
};

/** The models whose rows are the names in use, by the name as key. */
export const namedModels = ['environment', 'component'] as const;

/**
 * A slip of the pen opens a new environment as easily as a plan does. On a log without any name every name is new, and
 * nobody has to be told: undefined.
 */
export const newName = (
  what: NewName['what'],
  name: string,
  known: readonly string[],
): NewName | undefined => {
  if (known.length === 0 || known.includes(name)) return undefined;
  return {
    what,
    message: `${what} ${JSON.stringify(name)} is used for the first time`,
    nearest: nearest(name, known),
  };
};

export const nearestText = ({ what, nearest: near }: NewName): string =>
  near === undefined
    ? `plimsoll ${what}s lists them`
    : `the nearest known name is ${JSON.stringify(near)}`;
