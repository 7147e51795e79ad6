import type { Clock } from '../../ports/clock.ts';
import type { CopyProblem, CopyTarget } from '../../ports/migrating.ts';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { SqliteFile } from './file.ts';
import { toAppendProblem } from './port-problems.ts';
import type { SqliteProblem } from './problem.ts';
import { openSqliteRecordLog } from './record-log.ts';
import { recordTable } from './record-table.ts';

/** While a log is copied into a file it has another name there; under its own name there is nothing yet. */
const copyName = (log: string): string => `${log}.migrating`;

/** Whether a log of that name is being copied into the file. */
export const isBeingCopied = async (
  file: SqliteFile,
  log: string,
): Promise<Result<boolean, SqliteProblem>> =>
  file.read(() => recordTable(file).partitionIds(copyName(log)).length > 0);

/** A log in a file that another log is copied into, under a name of its own until it is opened. */
export const openSqliteCopyTarget = async (
  file: SqliteFile,
  options: {
    readonly name: string;
    readonly address: string;
    readonly nowMs: Clock['nowMs'];
    readonly sleep: Clock['sleep'];
  },
): Promise<Result<CopyTarget, SqliteProblem>> => {
  const { name, address } = options;
  const table = recordTable(file);
  const begun = await file.write(() => {
    const [own] = table.partitionIds(name);
    if (own !== undefined && table.range(own).end > 0) return 'open' as const;
    // Whoever looked at an empty log has made it. If we stop after this, the next run goes on with the copy.
    if (own !== undefined) table.remove(name);
    if (table.partitionIds(copyName(name)).length === 0) table.define(copyName(name), 1);
    return 'copying' as const;
  });
  if (!begun.ok) return begun;
  const opened = await openSqliteRecordLog(file, {
    ...options,
    name: begun.value === 'open' ? name : copyName(name),
    partitions: 1,
  });
  if (!opened.ok) return opened;
  const log = opened.value;

  const copy: CopyTarget['copy'] = async (records) => {
    const [first] = records;
    if (first === undefined) return ok(undefined);
    const copied = await file.write((): CopyProblem | undefined => {
      const [id] = table.partitionIds(copyName(name));
      if (id === undefined) return { code: 'refused', message: `${name} is a log already` };
      const { end } = table.range(id);
      if (end !== first.position)
        return {
          code: 'copy-misplaced',
          message: `record ${first.position} would come to lie at ${end}: somebody else copies into ${file.path}`,
        };
      table.copy(id, records);
      return undefined;
    });
    if (!copied.ok) return fail(toAppendProblem(copied.problem));
    return copied.value === undefined ? ok(undefined) : fail(copied.value);
  };

  return ok({
    address,
    state: begun.value,
    read: log.read,
    range: log.range,
    copy,
    open: async () => {
      const renamed = await file.write(() => {
        const [own] = table.partitionIds(name);
        const [copied] = table.partitionIds(copyName(name));
        if (copied === undefined) return true;
        if (own !== undefined) return false;
        table.rename(copyName(name), name);
        return true;
      });
      if (!renamed.ok) return fail(toAppendProblem(renamed.problem));
      if (!renamed.value)
        return fail({ code: 'refused', message: `${file.path} has a log ${name} already` });
      const own = await openSqliteRecordLog(file, { ...options, partitions: 1 });
      return own.ok ? own : fail(toAppendProblem(own.problem));
    },
  });
};
