import type { Position } from '../core/log/record.ts';
import { readRow } from '../core/row-text.ts';

/** Names under which rows say at which position something happened. Times have other values: milliseconds. */
const positionNames: ReadonlySet<string> = new Set([
  'position',
  'statusPosition',
  'firstPosition',
  'lastPosition',
  'highestPosition',
  'repeatedAt',
  'openedAt',
  'addedAt',
  'retiredAt',
  'redriveOf',
  'operation',
  'first',
  'at',
  'since',
]);

/** The newest record before `next` that a row tells of; null where it tells of none. */
export const newestPosition = (model: string, value: string, next: Position): Position | null => {
  let newest: Position | null = null;
  const walk = (part: unknown, name: string): void => {
    if (typeof part === 'number') {
      const isPosition =
        positionNames.has(name) && Number.isInteger(part) && part >= 0 && part < next;
      if (isPosition && part > (newest ?? -1)) newest = part;
    } else if (typeof part === 'object' && part !== null) {
      for (const [key, inside] of Object.entries(part))
        walk(inside, Array.isArray(part) ? name : key);
    }
  };
  walk(rowOf(model, value), '');
  return newest;
};

/** The names of the parts in which two rows of a model differ, outermost first. */
export const differingParts = (
  model: string,
  first: string,
  second: string,
  partsMax: number,
): readonly string[] => {
  const parts: string[] = [];
  const walk = (one: unknown, other: unknown, path: string): void => {
    if (parts.length >= partsMax || JSON.stringify(one) === JSON.stringify(other)) return;
    const isDeeper =
      typeof one === 'object' && typeof other === 'object' && one !== null && other !== null;
    if (!isDeeper) {
      parts.push(path === '' ? '(row)' : path);
      return;
    }
    const [left, right] = [fieldsOf(one), fieldsOf(other)];
    for (const name of new Set([...left.keys(), ...right.keys()]))
      walk(left.get(name), right.get(name), path === '' ? name : `${path}.${name}`);
  };
  walk(rowOf(model, first), rowOf(model, second), '');
  return parts;
};

const fieldsOf = (value: object): ReadonlyMap<string, unknown> => new Map(Object.entries(value));

/** A damaged row is text and no more. */
const rowOf = (model: string, value: string): unknown => {
  try {
    return readRow(model, value);
  } catch {
    return value;
  }
};
