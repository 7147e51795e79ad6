/** Days from 1970-01-01 to a civil date's parts (proleptic Gregorian), after H. Hinnant's days algorithms. */
const civilFromDays = (days: number): readonly [year: number, month: number, day: number] => {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
};

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** Milliseconds since 1970 as UTC ISO 8601 with milliseconds, for instance 2026-11-21T10:00:00.000Z. */
export const isoTime = (ms: number): string => {
  const whole = Math.floor(ms);
  const days = Math.floor(whole / 86_400_000);
  const rest = whole - days * 86_400_000;
  const [year, month, day] = civilFromDays(days);
  const clock = [
    pad(Math.floor(rest / 3_600_000), 2),
    pad(Math.floor(rest / 60_000) % 60, 2),
    pad(Math.floor(rest / 1000) % 60, 2),
  ].join(':');
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${clock}.${pad(rest % 1000, 3)}Z`;
};

export const isoTimeOrNull = (ms: number | null): string | null =>
  ms === null ? null : isoTime(ms);
