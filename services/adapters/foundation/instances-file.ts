import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../core/result.ts';
import type { Clock } from '../../ports/clock.ts';
import { makeFolders } from '../system/make-folders.ts';
import type { SqliteFile } from '../sqlite/file.ts';
import type { SqliteProblem } from '../sqlite/problem.ts';

/** Instances have a file of their own beside the database: whoever writes there locks out nobody who writes to the log. */
export const instancesFileIn = (folder: string): string => join(folder, 'instances.db');

export const hasInstancesFile = (folder: string): boolean => existsSync(instancesFileIn(folder));

/** The file, made where there is none. What it holds may be lost: it fills again as instances start. */
export const openInstancesFile = async (
  folder: string,
  { sleep }: Pick<Clock, 'sleep'>,
): Promise<Result<SqliteFile, SqliteProblem>> => {
  const { openSqliteFile } = await import('../sqlite/file.ts');
  await makeFolders(folder);
  return openSqliteFile(instancesFileIn(folder), { create: true, sleep });
};
