import { isoTime } from '../../core/instant.ts';

/** How it is written; whether there is such a day is another question. */
export const utcForm: RegExp =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|\+00:00)$/;

/**
 * A time in UTC as commands take it, such as 2026-11-21T10:00:00Z, in milliseconds since 1970; null: it is none. Days
 * that no calendar has are none: `Date` takes 30 February for 2 March.
 */
export const utcMsOf = (written: string): number | null => {
  if (!utcForm.test(written)) return null;
  const timeMs = Date.parse(written);
  const toTheMinute = 'YYYY-MM-DDTHH:MM'.length;
  return isoTime(timeMs).startsWith(written.slice(0, toTheMinute)) ? timeMs : null;
};
