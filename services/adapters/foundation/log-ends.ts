import { join, resolve } from 'node:path';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { LogSetting } from '../../core/settings.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CopySource, CopyTarget } from '../../ports/migrating.ts';
import type { SqliteProblem } from '../sqlite/problem.ts';
import type { FoundationProblem } from './foundation.ts';
import { databaseName } from './database-name.ts';
import { streamName } from './foundation.ts';
import { makeFolder } from './make-folder.ts';

// The two ends of a migration. The old log must be there; the new one is made as a copy that nobody takes for a log.

/** How messages and records name a log: `sqlite:` with the whole path of its folder, or `kafka://` with its brokers. */
export const addressOf = (setting: LogSetting): string =>
  setting.foundation === 'sqlite'
    ? `sqlite:${resolve(setting.folder)}`
    : `kafka://${setting.brokers.join(',')}`;

export type Ends = { readonly audience: string; readonly clock: Clock };

/** An end, and how to let go of it. */
type Closing = { readonly close: () => Promise<void> };

/** The log as it is there. Nothing is made where there is none. */
export const openSource = async (
  { audience, clock }: Ends,
  setting: LogSetting,
): Promise<Result<CopySource & Closing, FoundationProblem>> => {
  const name = streamName(audience, 'log');
  const address = addressOf(setting);
  if (setting.foundation === 'kafka') {
    const { openKafkaRecordLog } = await import('../kafka/record-log.ts');
    const log = await openKafkaRecordLog({ ...topicOf(setting.brokers, name), mustExist: true });
    return log.ok ? ok({ address, log: log.value, close: log.value.close }) : log;
  }
  const [{ openSqliteFile }, { openSqliteRecordLog }, { recordTable }] = await Promise.all([
    import('../sqlite/file.ts'),
    import('../sqlite/record-log.ts'),
    import('../sqlite/record-table.ts'),
  ]);
  const path = join(setting.folder, databaseName);
  const file = await openSqliteFile(path, { create: false, sleep: clock.sleep });
  if (!file.ok) return fileFailed(file.problem);
  const known = await file.value.read(() => recordTable(file.value).partitionIds(name).length > 0);
  if (!known.ok) return fileFailed(known.problem);
  if (!known.value) {
    file.value.close();
    return fail({
      code: 'missing',
      message: `${path} holds no ${name}`,
      hint: 'is PLIMSOLL_AUDIENCE right?',
    });
  }
  const log = await openSqliteRecordLog(file.value, { name, partitions: 1, ...clock });
  if (!log.ok) return fileFailed(log.problem);
  const close = async (): Promise<void> => {
    await log.value.close();
    file.value.close();
  };
  return ok({ address, log: log.value, close });
};

export const openTarget = async (
  { audience, clock }: Ends,
  setting: LogSetting,
): Promise<Result<CopyTarget & Closing, FoundationProblem>> => {
  const name = streamName(audience, 'log');
  const address = addressOf(setting);
  if (setting.foundation === 'kafka') {
    const { openKafkaCopyTarget } = await import('../kafka/copy-target.ts');
    return openKafkaCopyTarget({ ...topicOf(setting.brokers, name), address });
  }
  const [{ openSqliteFile }, { openSqliteCopyTarget }] = await Promise.all([
    import('../sqlite/file.ts'),
    import('../sqlite/copy-target.ts'),
  ]);
  const folder = await makeFolder(setting.folder, '--to');
  if (!folder.ok) return folder;
  const path = join(setting.folder, databaseName);
  const file = await openSqliteFile(path, { create: true, sleep: clock.sleep });
  if (!file.ok) return fileFailed(file.problem);
  const target = await openSqliteCopyTarget(file.value, { name, address, ...clock });
  if (!target.ok) return fileFailed(target.problem);
  return ok({ ...target.value, close: async () => file.value.close() });
};

const topicOf = (
  brokers: readonly string[],
  topic: string,
): {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly keptMs: 'for-ever';
} => ({ brokers, topic, partitions: 1, keptMs: 'for-ever' });

const fileFailed = ({ code, message }: SqliteProblem): Result<never, FoundationProblem> =>
  fail({
    code: code === 'unknown' || code === 'closed' ? 'unreachable' : code,
    message,
    hint:
      code === 'missing'
        ? 'name the folder that holds plimsoll.db'
        : 'is the folder there and writable, the disk not full, and the file whole?',
  });
