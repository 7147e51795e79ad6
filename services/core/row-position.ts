import type { Position } from './log/record.ts';
import { readRow } from './row-text.ts';

/** Fields of rows that hold the position of a record. */
const positionNames: ReadonlySet<string> = new Set([
  'openedAt',
  'addedAt',
  'retiredAt',
  'operation',
]);
const isPositionName = (name: string): boolean =>
  name === 'position' || name.endsWith('Position') || positionNames.has(name);

/** A key such as `positionKey` makes: twelve digits. */
const positionKeyPattern = /^[0-9]{12}$/;

/**
 * The newest record that a row tells of, or null where it tells of none or cannot be read: where to look when two
 * rows differ.
 */
export const newestPosition = (model: string, key: string, text: string): Position | null => {
  let newest = positionKeyPattern.test(key) ? Number(key) : null;
  const look = (value: unknown, name: string): void => {
    if (typeof value === 'number') {
      if (isPositionName(name) && Number.isSafeInteger(value))
        newest = Math.max(newest ?? 0, value);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    for (const [part, inner] of Object.entries(value))
      look(inner, Array.isArray(value) ? name : part);
  };
  try {
    look(readRow(model, text), '');
  } catch {
    // Whoever damaged it did not leave a row.
  }
  return newest;
};
