import type { Json } from '../canonical.ts';
import type { Slot } from '../markers/marker.ts';

// What the short forms of rows share. A text that may be absent is 0 where it is, which no text is.

export type Absent = 0;

export const orAbsent = <Value extends string | object>(value: Value | null): Value | Absent =>
  value ?? 0;

export const orNull = <Value>(value: Value | Absent): Value | null => (value === 0 ? null : value);

export const slotOfKey = (key: string): Slot => {
  const [namespace = '', environment = '', component = '', target = ''] = key.includes('%')
    ? key.split('/').map(decodeURIComponent)
    : key.split('/');
  return { namespace, environment, component, target: target === '' ? null : target };
};

/** Texts that a row has many times, each written once. */
export type Words = { readonly list: string[]; readonly numberOf: (word: string) => number };

export const openWords = (): Words => {
  const list: string[] = [];
  return {
    list,
    // A row has a handful of them.
    numberOf: (word) => {
      const known = list.indexOf(word);
      return known === -1 ? list.push(word) - 1 : known;
    },
  };
};

export const wordAt = (list: readonly string[], number: number): string => {
  const word = list[number];
  if (word === undefined) throw new TypeError(`a row names word ${number}, and has ${list.length}`);
  return word;
};

/** The value with the names of its objects in order, as canonical JSON has them. */
export const inOrder = (value: Json): Json => {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(inOrder);
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name] ?? null)]));
};

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
