import { validForMsMax } from '../../markers/limits.ts';

/** A silence is said again this often at most, and about so many times until the deadline: an attempt keeps them all. */
const holdEveryMsMin = 30_000;
const holdRenewalsMax = 240;
/** Until a renewal is on the log and in the read models. */
const saidWithinMs = 10_000;

/**
 * How long a silence counts, milliseconds: until the next renewal, and two windows more, because the samples that close
 * their windows may come a window late. It cannot be told that it is over, so it counts for no longer.
 */
export const holdValidForMs = (windowMs: number, deadlineMs: number): number => {
  const everyMs = Math.max(holdEveryMsMin, deadlineMs / holdRenewalsMax);
  return Math.min(validForMsMax, (Math.ceil(everyMs / windowMs) + 2) * windowMs + saidWithinMs);
};

/** The windows from one renewal to the next of a hold that counts for so long; less than 1 where windows are long. */
export const holdWindowsBetween = (validForMs: number, windowMs: number): number =>
  Math.floor((validForMs - saidWithinMs) / windowMs) - 2;
