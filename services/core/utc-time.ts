import { isoTime } from './instant.ts';

/** How it is written; whether there is such a day is another question. */
export const utcForm: RegExp =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:Z|\+00:00)$/;

/**
 * A time in UTC as people write it, such as 2026-11-21T10:00:00Z, in milliseconds since 1970; null: it is none. Days
 * that no calendar has are none, nor is a leap second.
 */
export const utcMsOf = (written: string): number | null => {
  const parts = utcForm.exec(written);
  if (parts === null) return null;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const fraction = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3));
  const days = daysFromCivil(year, month, day);
  const timeMs = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + fraction;
  const toTheMinute = 'YYYY-MM-DDTHH:MM'.length;
  return isoTime(timeMs).startsWith(written.slice(0, toTheMinute)) ? timeMs : null;
};

/** Days since 1970-01-01 of a civil date (proleptic Gregorian), after H. Hinnant's days algorithms. */
const daysFromCivil = (year: number, month: number, day: number): number => {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};
