import type { DatabaseSync } from 'node:sqlite';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import { problemOf, sqliteFault, StepProblem } from './problem.ts';
import type { SqliteProblem } from './problem.ts';

/** How much of a wait SQLite does by itself at a time, milliseconds. It holds up the whole process, so it is short. */
export const busyStepMs = 10;
/** The longest pause between two tries, milliseconds. */
const retryPauseMsMax = 20;

/** Runs an attempt until no other process is in its way, or until it waited too long. */
export type Retry = <Value>(attempt: () => Value) => Promise<Result<Value, SqliteProblem>>;

export const retryWhileBusy = (
  path: string,
  options: { readonly busyMsMax: number; readonly sleep: Clock['sleep'] },
): Retry => {
  const retry: Retry = async (attempt) => {
    let waitedMs = 0;
    for (let tries = 0; ; tries += 1) {
      try {
        return ok(attempt());
      } catch (error) {
        const problem = problemOf(path, error);
        if (problem !== undefined) return fail(problem);
        if (sqliteFault(error) !== 'busy') throw error;
        if (waitedMs >= options.busyMsMax)
          return fail({ code: 'unreachable', message: `${path} was busy for ${waitedMs} ms` });
      }
      // Not all at the same moment again: pauses grow, and differ by chance.
      const pauseMs = Math.ceil(Math.min(2 ** tries, retryPauseMsMax) * (0.5 + Math.random() / 2));
      await options.sleep(pauseMs);
      waitedMs += busyStepMs + pauseMs;
    }
  };
  return retry;
};

/** Runs `work` in one transaction. Whatever it throws, nothing of it stays. */
export const transact = <Value>(
  database: DatabaseSync,
  begin: 'BEGIN' | 'BEGIN IMMEDIATE',
  work: () => Value,
): Value => {
  database.exec(begin);
  try {
    const value = work();
    commit(database);
    return value;
  } catch (error) {
    rollBack(database);
    throw error;
  }
};

const commit = (database: DatabaseSync): void => {
  try {
    database.exec('COMMIT');
  } catch (error) {
    // The step lies in the write-ahead log already, whole or in part; only the sync failed. If the machine
    // stops now, it may be found there when the file is opened again.
    if (sqliteFault(error) === 'disk') throw new StepProblem('unknown', String(error));
    throw error;
  }
};

const rollBack = (database: DatabaseSync): void => {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // The error that brought us here is the one to tell; SQLite rolls back by itself when it is opened again.
  }
};
