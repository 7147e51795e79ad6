import type { Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { ReadProblem, RecordLog } from '../../ports/record-log.ts';
import type { CliProblem } from '../problem.ts';
import { readFailed, refuse } from '../problem.ts';
import { utcMsOf } from '../../core/utc-time.ts';

/** A position as it was written: itself, or the first that was appended at a UTC time or later. */
export const positionAt = async (
  log: RecordLog,
  written: string,
  option = '--since',
): Promise<Result<Position, CliProblem>> => {
  const invalid = (hint: string): Result<never, CliProblem> =>
    refuse(
      'option-invalid',
      `${option}=${JSON.stringify(written.slice(0, 64))} is no position`,
      hint,
    );
  const range = await log.range(0);
  if (!range.ok) return logFailed(range.problem);
  const { start, end } = range.value;
  if (/^(?:0|[1-9][0-9]{0,11})$/.test(written)) {
    const position = Number(written);
    return position <= end ? ok(position) : invalid(`the log ends at position ${end}`);
  }
  const timeMs = utcMsOf(written);
  return timeMs === null
    ? invalid('write a position, or a time in UTC such as 2026-11-21T10:00:00Z')
    : firstSince(log, timeMs, start, end);
};

/** How far the clock of a broker that leads may be behind that of another. */
const leadersApartMs = 60_000;
const scanRecords = 500;

/**
 * Halving finds the place but for what clocks are apart; from there on it is read. Of a key that was stolen at that
 * time nothing must be left out.
 */
const firstSince = async (
  log: RecordLog,
  timeMs: number,
  start: Position,
  end: Position,
): Promise<Result<Position, CliProblem>> => {
  const near = await halve(log, timeMs - leadersApartMs, start, end);
  if (!near.ok) return near;
  for (let from = near.value; from < end; from += scanRecords) {
    const read = await log.read(0, from, scanRecords);
    if (!read.ok) return logFailed(read.problem);
    const found = read.value.find(({ appendedAtMs }) => appendedAtMs >= timeMs);
    if (found !== undefined) return ok(found.position);
  }
  return ok(end);
};

const halve = async (
  log: RecordLog,
  timeMs: number,
  start: Position,
  end: Position,
): Promise<Result<Position, CliProblem>> => {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const read = await log.read(0, middle, 1);
    if (!read.ok) return logFailed(read.problem);
    const [record] = read.value;
    if (record === undefined || record.appendedAtMs >= timeMs) high = middle;
    else low = middle + 1;
  }
  return ok(low);
};

const logFailed = (problem: ReadProblem): Result<never, CliProblem> => fail(readFailed(problem));
