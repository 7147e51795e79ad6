import type { Marker, Slot } from './markers/marker.ts';
import { isCircumstance } from './markers/kinds.ts';
import { nearest } from './nearest.ts';

/** What is worth saying of a name that nobody used before. */
export type NewName = {
  readonly what: 'environment' | 'component';
  readonly message: string;
  /** The nearest of the names that were there. */
  readonly nearest: string | undefined;
};

/** The models whose rows are the names in use, by the name as key. */
const namedModels = ['environment', 'component'] as const;

/** A name that may be new, and the model whose rows would know it. */
type NameAsked = { readonly model: NewName['what']; readonly key: string };

/**
 * The names that a marker may be the first to use. Of what is said beside deployments a freeze alone: whoever freezes a
 * place that nobody has leaves the one that was meant open. A pattern names none.
 */
export const namesIn = (marker: Marker): readonly NameAsked[] =>
  !('slot' in marker) ||
  marker.slot === null ||
  (isCircumstance(marker) && marker.kind !== 'freeze')
    ? []
    : namesOf(marker.slot);

/** Those of a place, or of a part of one. */
export const namesOf = (place: Partial<Pick<Slot, NewName['what']>>): readonly NameAsked[] =>
  namedModels.flatMap((model) => {
    const key = place[model];
    return key === undefined || key.endsWith('*') ? [] : [{ model, key }];
  });

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
    nearest: nearest(name, known) ?? known.find((other) => isShortFor(name, other)),
  };
};

/** `prod`, where there is `production`. */
const isShortFor = (name: string, other: string): boolean =>
  name.length >= shortLettersMin && other.toLowerCase().startsWith(name.toLowerCase());

const shortLettersMin = 3;

export const nearestText = ({ what, nearest: near }: NewName): string =>
  near === undefined
    ? `plimsoll ${what}s lists them`
    : `the nearest known name is ${JSON.stringify(near)}`;
