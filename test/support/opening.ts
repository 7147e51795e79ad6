import type { RecordLog } from '../../services/ports/record-log.ts';
import { pureFold } from './pure-fold.ts';
import { value } from './records.ts';

/** What became of all records of a log, and how often. */
export const outcomesOn = async (
  log: RecordLog,
  audience: string,
): Promise<{ readonly [outcome: string]: number }> => {
  const records = value(await log.read(0, 0, 10_000));
  return pureFold(records, audience).outcomesAt(records.length);
};
