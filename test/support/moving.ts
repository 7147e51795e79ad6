import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createMemoryIds } from '../../services/adapters/memory/ids.ts';
import type { SqliteFile } from '../../services/adapters/sqlite/file.ts';
import { openSqliteFile } from '../../services/adapters/sqlite/file.ts';
import { openSqliteCopyTarget } from '../../services/adapters/sqlite/copy-target.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import type { LogRecord, NewRecord } from '../../services/core/log/record.ts';
import type { Result } from '../../services/core/result.ts';
import { fail, ok } from '../../services/core/result.ts';
import type { CopyTarget, FoldEnd, Migrated } from '../../services/ports/migrating.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import type {
  MigratePorts,
  MigrateProblem,
  MigrateRequest,
} from '../../services/replay/migrate.ts';
import { migrate } from '../../services/replay/migrate.ts';
import { emptyStore, keyOf, openedAtMs, tools } from './given.ts';
import { audience } from './markers.ts';
import { value } from './records.ts';

// A log that moves from memory, or wherever, into a database.

const { sleep } = createSystemClock();
export const topic = 'plimsoll.local.log';

export const openMoveFile = async (folder: string): Promise<SqliteFile> =>
  value(await openSqliteFile(join(folder, 'plimsoll.db'), { create: true, sleep }));

export const openMoveTarget = async (
  file: SqliteFile,
  nowMs: () => number = () => openedAtMs + 10_000_000,
): Promise<CopyTarget> =>
  value(await openSqliteCopyTarget(file, { name: topic, address: 'sqlite:/new', nowMs, sleep }));

/** Folds into memory; asked for an earlier position than before it begins anew. */
export const foldOf = (
  log: Pick<RecordLog, 'read' | 'range'>,
  canaries: readonly string[] = [],
): FoldEnd => {
  let store = emptyStore();
  let folded = 0;
  return async (to) => {
    if (to < 1) return fail({ code: 'log-empty', message: 'nothing there' });
    if (to < folded) store = emptyStore();
    folded = to;
    const ports = { log: log as RecordLog, store, tools, audience, pinnedLogId: null };
    const caught = await foldToEnd(ports, 'g1', { to });
    return caught.ok ? ok({ state: caught.value.state, canaries }) : caught;
  };
};

export const move = async (
  source: RecordLog,
  target: CopyTarget,
  over: Partial<MigratePorts> & { readonly request?: Partial<MigrateRequest> } = {},
): Promise<Result<Migrated, MigrateProblem>> => {
  const nowMs = (): number => openedAtMs + 10_000_000;
  const { request, ...ports } = over;
  return migrate(
    {
      ...{ tools, audience, clock: { nowMs }, sourceName: 'plimsoll/test', signer: keyOf('ops') },
      ids: createMemoryIds(`move ${(moves += 1)}`, nowMs),
      source: { address: 'sqlite:/old', log: source },
      target,
      foldSource: foldOf(source),
      foldTarget: foldOf(target),
      ...ports,
    },
    { reason: 'the test moves it', ...request },
  );
};
let moves = 0;

export const digestOf = ({ value: body }: NewRecord): string =>
  createHash('sha256').update(body).digest('hex');

export const everything = async (log: Pick<RecordLog, 'read'>): Promise<readonly LogRecord[]> =>
  value(await log.read(0, 0, 1_000_000));
