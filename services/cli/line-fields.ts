import type { Line } from '../core/views.ts';

/** A field of a line in words; what is absent or no single value is empty. */
export const textIn = (line: Line, name: string): string => {
  const value = line[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
};

/** A line within a line, or null. */
export const lineIn = (line: Line, name: string): Line | null => {
  const value = line[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Line)
    : null;
};
