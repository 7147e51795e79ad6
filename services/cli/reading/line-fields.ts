import type { Line } from '../../core/views.ts';

/** A field of a line in words; what is absent or no single value is empty. */
export const textIn = (line: Line, name: string): string => {
  const value = line[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
};

/** The texts of a list within a line. */
export const textsIn = (line: Line, name: string): readonly string[] => {
  const value = line[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
};

/** A line within a line, or null. */
export const lineIn = (line: Line, name: string): Line | null => {
  const value = line[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Line)
    : null;
};

/** The lines of a list within a line. */
export const linesIn = (line: Line, name: string): readonly Line[] => {
  const value = line[name];
  return Array.isArray(value)
    ? value.filter(
        (one: unknown): one is Line =>
          typeof one === 'object' && one !== null && !Array.isArray(one),
      )
    : [];
};
