import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';

/** The number that a flag was given, or a sentence that says what it must be. */
export const wholeNumber = (
  flag: string,
  text: string,
  min: number,
  max: number,
): Result<number, string> => {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number >= min && number <= max
    ? ok(number)
    : fail(`${flag} must be a whole number from ${min} to ${max}, not ${text}`);
};
