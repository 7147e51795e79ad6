import { controlCharacter } from '../../markers/parse-marker.ts';
import { nearest } from '../../nearest.ts';

// Readers of single settings from a plain value, as YAML or JSON gave it. Each answers what it read, or undefined after
// it told what is wrong; so one look tells of everything that is.

/** Where in a document: names of settings and places in lists, from 0. */
export type PolicyPath = readonly (string | number)[];

export type PolicyProblem = {
  readonly code:
    | 'unknown-key'
    | 'missing'
    | 'wrong-type'
    | 'unknown-word'
    | 'out-of-range'
    | 'contradiction'
    | 'too-large';
  readonly path: PolicyPath;
  /** A whole sentence that begins with the place and says what is allowed. */
  readonly message: string;
};

/** A place in a document that is being read, and the list into which problems go. */
export type Place = { readonly path: PolicyPath; readonly problems: PolicyProblem[] };

export type Read<Value> = (given: unknown, place: Place) => Value | undefined;

export const inside = ({ path, problems }: Place, key: string | number): Place => ({
  path: [...path, key],
  problems,
});

/** `what` goes on after the place: `must be …`. */
export const refuse = (
  { path, problems }: Place,
  code: PolicyProblem['code'],
  what: string,
): undefined => {
  problems.push({ code, path, message: `${pathText(path)} ${what}` });
};

/** `policies[0].tolerance.times`; `the document` for the whole of it. */
export const pathText = (path: PolicyPath): string => {
  const text = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key.slice(0, shownMax)}`))
    .join('')
    .replace(/^\./, '');
  return text === '' ? 'the document' : text;
};

type Readers = { readonly [name: string]: Read<unknown> };
/** What was given of a group; what was not, or was refused, is not there. */
export type GivenOf<Fields extends Readers> = {
  readonly [Name in keyof Fields]?: Exclude<ReturnType<Fields[Name]>, undefined>;
};

export type Plain = Readonly<Record<string, unknown>>;

export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Settings by name; a name that is not among them is refused with the nearest one. */
export const readGroup = <Fields extends Readers>(
  fields: Fields,
  given: unknown,
  place: Place,
): GivenOf<Fields> | undefined => {
  if (!isPlain(given)) return refuse(place, 'wrong-type', `must be settings, not ${named(given)}`);
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const reader = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (reader === undefined) {
      refuseName(inside(place, name), name, Object.keys(fields));
      continue;
    }
    const one = reader(value, inside(place, name));
    if (one !== undefined) read[name] = one;
  }
  return read as GivenOf<Fields>;
};

export const group =
  <Fields extends Readers>(fields: Fields): Read<GivenOf<Fields>> =>
  (given, place) =>
    readGroup(fields, given, place);

const refuseName = (place: Place, name: string, known: readonly string[]): undefined =>
  refuse(
    place,
    'unknown-key',
    `is no setting${meant(name, known)}; allowed here: ${known.join(', ')}`,
  );

export const oneOfText = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;

/** The nearest known word, as a question in brackets; empty where none is near. */
export const meant = (written: string, known: readonly string[]): string => {
  const name = nearest(written, known);
  return name === undefined ? '' : ` (did you mean ${name}?)`;
};

export const word =
  <Word extends string>(known: readonly Word[]): Read<Word> =>
  (given, place) =>
    known.find((one) => one === given) ??
    refuse(
      place,
      typeof given === 'string' ? 'unknown-word' : 'wrong-type',
      `must be ${oneOfText(known)}, not ${named(given)}${typeof given === 'string' ? meant(given, known) : ''}`,
    );

export const flag: Read<boolean> = (given, place) =>
  typeof given === 'boolean'
    ? given
    : refuse(place, 'wrong-type', `must be true or false, not ${named(given)}`);

const nameMax = 128;

/** As the door of records asks of names. */
const isLine = (text: string): boolean =>
  text.isWellFormed() && !/[\t\n]/.test(text) && !controlCharacter.test(text);

/** One line without control characters. */
export const textUpTo =
  (lengthMax: number): Read<string> =>
  (given, place) => {
    if (typeof given !== 'string')
      return refuse(place, 'wrong-type', `must be a text, not ${named(given)}`);
    if (given.trim() === '' || given.length > lengthMax || !isLine(given))
      return refuse(place, 'out-of-range', `must be one line of 1 to ${lengthMax} characters`);
    return given;
  };

/** Names of components, attributes, metrics. */
export const name: Read<string> = textUpTo(nameMax);

export const listOf =
  <Item>(item: Read<Item>, least: number, most: number, what: string): Read<readonly Item[]> =>
  (given, place) => {
    if (!Array.isArray(given))
      return refuse(place, 'wrong-type', `must be a list of ${what}, not ${named(given)}`);
    if (given.length < least || given.length > most)
      return refuse(
        place,
        'out-of-range',
        `must hold ${least} to ${most} ${what}, not ${given.length}`,
      );
    const items = given.map((one: unknown, index) => item(one, inside(place, index)));
    return items.every((one) => one !== undefined) ? items : undefined;
  };

type Range = {
  readonly least: number;
  readonly most: number;
  /** The least is the first that is not allowed. */
  readonly isOpen?: true;
  readonly isWhole?: true;
};

const isIn = (value: number, { least, most, isOpen, isWhole }: Range): boolean =>
  value >= least &&
  value <= most &&
  !(isOpen && value === least) &&
  !(isWhole && !Number.isInteger(value));

const rangeText = ({ least, most, isOpen }: Range, text: (value: number) => string): string =>
  isOpen ? `above ${text(least)}, at most ${text(most)}` : `from ${text(least)} to ${text(most)}`;

export const numberIn =
  (range: Range): Read<number> =>
  (given, place) => {
    const kind = range.isWhole ? 'a whole number' : 'a number';
    if (typeof given !== 'number' || !Number.isFinite(given))
      return refuse(
        place,
        'wrong-type',
        `must be ${kind} ${rangeText(range, String)}, not ${named(given)}`,
      );
    if (!isIn(given, range))
      return refuse(
        place,
        'out-of-range',
        `must be ${kind} ${rangeText(range, String)}, not ${given}`,
      );
    return given;
  };

const sharePattern = /^([0-9]{1,6}(?:\.[0-9]{1,12})?) ?%$/;

/** A part of a whole: `0.05%`, or the number 0.0005. */
export const shareIn =
  (range: Range): Read<number> =>
  (given, place) => {
    const percent = typeof given === 'string' ? sharePattern.exec(given)?.[1] : undefined;
    const value = percent === undefined ? given : Number(percent) / 100;
    const allowed = `must be ${rangeText(range, (bound) => `${percentOf(bound)}%`)}, written such as 0.5% or 0.005, not ${named(given)}`;
    if (typeof value !== 'number' || !Number.isFinite(value))
      return refuse(place, 'wrong-type', allowed);
    return isIn(value, range) ? value : refuse(place, 'out-of-range', allowed);
  };

/** 100 times as much, without the noise of binary fractions. */
const percentOf = (share: number): number => Number((share * 100).toPrecision(12));

/** As people write it where that is exactly the same number, otherwise the number. */
export const shareText = (share: number): string | number => {
  const percent = percentOf(share);
  const text = `${percent}%`;
  return sharePattern.test(text) && percent / 100 === share ? text : share;
};

/** 1.0443 times is 4.43 % slower, where that is read as the very same number. */
export const slowerText = (times: number): string | number => {
  const share = Number((times - 1).toPrecision(12));
  return 1 + share === times ? shareText(share) : times - 1;
};

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitsMs;
const durationPattern = /^([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|m|h|d)$/;

/** A time: `500ms`, `60s`, `5m`, `2h`, `1d`, or a number of milliseconds. */
export const durationIn =
  (leastMs: number, mostMs: number): Read<number> =>
  (given, place) => {
    const [, count, unit] = (typeof given === 'string' && durationPattern.exec(given)) || [];
    const value = count === undefined ? given : Math.round(Number(count) * unitsMs[unit as Unit]);
    const allowed = `must be a time from ${durationText(leastMs)} to ${durationText(mostMs)}, written such as 30s, 5m or 2h (a number is milliseconds), not ${named(given)}`;
    if (typeof value !== 'number' || !Number.isInteger(value))
      return refuse(place, 'wrong-type', allowed);
    return value >= leastMs && value <= mostMs ? value : refuse(place, 'out-of-range', allowed);
  };

/** In the largest unit that gives a whole number; minutes rather than 0.5 h. */
export const durationText = (durationMs: number): string => {
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (durationMs !== 0 && durationMs % unitsMs[unit] === 0)
      return `${durationMs / unitsMs[unit]}${unit}`;
  return durationMs === 0 ? '0s' : `${durationMs}ms`;
};

const shownMax = 40;

/** A value in a message: cut, and on one line. */
export const named = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'settings';
  const text = JSON.stringify(typeof value === 'bigint' ? String(value) : value) ?? typeof value;
  if (typeof value === 'number') return String(value);
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
};
