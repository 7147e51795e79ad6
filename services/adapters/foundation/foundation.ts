import { availableParallelism } from 'node:os';
import { randomUUID } from 'node:crypto';
import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckTools } from '../../core/check/check-record.ts';
import { orderedInstanceModels } from '../../core/instances/fold.ts';
import { instanceKeptMs, instancePartitions } from '../../core/instances/instance.ts';
import { orderedModels } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Settings } from '../../core/settings.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { SignatureChecking } from '../../ports/signature-checking.ts';
import type { ReadModelStore } from '../../ports/read-model-store.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import { createSignatureChecking } from '../ed25519/signature-checking.ts';
import type { KeyProblem } from '../ed25519/key-file.ts';
import { whatLiesAt } from '../system/plain-file.ts';
import type { SqliteFile } from '../sqlite/file.ts';
import type { SqliteProblem } from '../sqlite/problem.ts';
import type { SqliteRecordLog } from '../sqlite/record-log.ts';
import type { ArchivedLogProblem } from './archived-log.ts';
import { withArchive } from './archived-log.ts';
import { databaseName } from './database-name.ts';
import type { Basis } from './basis.ts';
import { openBasis } from './basis.ts';
import { hasKeys, makeKeys, readKey } from './open-keys.ts';
import { hasInstancesFile, instancesFileIn, openInstancesFile } from './instances-file.ts';
import type { InstallationKeys } from './open-log.ts';
import { makeFolder } from './make-folder.ts';
import { openLog, openingRecordsMax } from './open-log.ts';
import { openOnce } from './opened-once.ts';

/** The streams of an audience, by the names they have on the foundation. */
export type StreamName =
  | 'log'
  | 'samples'
  | 'instances'
  | 'otlp_metrics'
  | 'otlp_spans'
  | 'otlp_logs';

type StreamPlan = {
  readonly partitions: number;
  readonly keptMs: number | 'for-ever';
  /** The OpenTelemetry Collector may have made it, with as many partitions as it likes. */
  readonly anyPartitions: boolean;
  /** On Kafka: how long a member that died keeps its partitions; ten seconds where it does not say. */
  readonly kafkaLeaseMs?: number;
};

const dayMs = 86_400_000;
/**
 * Whoever reads telemetry instead of one that was killed must do so before its windows close, and windows of five seconds are
 * waited for ten. Brokers allow no less than six unless they are told to.
 */
const telemetry: StreamPlan = {
  partitions: 1,
  keptMs: dayMs,
  anyPartitions: true,
  kafkaLeaseMs: 6_000,
};

const streams: { readonly [Name in StreamName]: StreamPlan } = {
  log: { partitions: 1, keptMs: 'for-ever', anyPartitions: false },
  samples: { partitions: 12, keptMs: 7 * dayMs, anyPartitions: false },
  instances: { partitions: instancePartitions, keptMs: instanceKeptMs, anyPartitions: false },
  otlp_metrics: telemetry,
  otlp_spans: telemetry,
  otlp_logs: telemetry,
};

export type FoundationProblem = {
  readonly code:
    | 'unreachable'
    | 'corrupt'
    | 'refused'
    | 'misfit'
    | 'key-problem'
    | 'missing'
    | 'migrating'
    | ArchivedLogProblem['code'];
  readonly message: string;
  readonly hint: string;
};

/** What an installation stands on: its log and streams, its read models, and the pure tools around them. */
export type Foundation = {
  readonly settings: Settings;
  readonly kind: 'embedded' | 'stack' | 'mixed';
  readonly tools: CheckTools;
  /** Further cores for signature checks, where there are any. */
  readonly signatureChecking: SignatureChecking | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly stream: (name: StreamName) => Promise<Result<RecordLog, FoundationProblem>>;
  readonly store: () => Promise<Result<ReadModelStore, FoundationProblem>>;
  /** What is counted of instances: apart from the read models, and no generation of theirs. */
  readonly instanceStore: () => Promise<Result<ReadModelStore, FoundationProblem>>;
  /** Whether instances were ever kept here, as far as that is told without making a place for them. */
  readonly mayHaveInstances: () => boolean;
  /** What was made because it was not there: one line for whoever started it, or nothing. */
  readonly firstUse: () => string | null;
  /** Removes telemetry and samples that are past their time; rejects where it cannot. Kafka does that itself. */
  readonly prune: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type FoundationOptions = {
  /** Routine words of the drivers; silent without it. */
  readonly note?: (line: string) => void;
  /** How long a service that died, or hangs, keeps others waiting; each foundation has its own default. */
  readonly leaseMs?: number;
  /** Where somebody has it already. */
  readonly basis?: Basis;
};

/** Instances are kept apart from what the log feeds. */
type StorePart = 'read models' | 'instances';

/** More than these cores a log's one reader cannot feed. */
const verifyThreadsMax = 7;

/** Opens nothing yet: each part is opened when it is first asked for, and only then is its driver loaded. */
export const openFoundation = (settings: Settings, options: FoundationOptions = {}): Foundation => {
  const { tools, clock, ids } = options.basis ?? openBasis();
  const threads = Math.min(availableParallelism() - 1, verifyThreadsMax);
  const signatureChecking: SignatureChecking | undefined =
    threads < 1 ? undefined : createSignatureChecking({ crypto: tools.crypto, threads });
  let firstUse: string | null = null;
  const lease = options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs };

  const say = (line: string): void => {
    firstUse ??= line;
  };
  const files = openOnce((folder: string) =>
    openDatabase({ settings, tools, clock, ids, say }, folder),
  );

  const instanceFiles = openOnce(
    async (folder: string): Promise<Result<SqliteFile, FoundationProblem>> => {
      const file = await openInstancesFile(folder, clock);
      return file.ok ? file : databaseFailed(file.problem, instancesFileIn(folder));
    },
  );

  const openTheLog = async (log: RecordLog): Promise<Result<RecordLog, FoundationProblem>> => {
    const joined = await withArchive(settings, tools, log);
    return joined.ok ? openIfEmpty({ settings, tools, clock, ids, say }, joined.value) : joined;
  };

  const openStream = async (name: StreamName): Promise<Result<RecordLog, FoundationProblem>> => {
    const setting = settings.log;
    const plan = { name: streamName(settings.audience, name), ...streams[name] };
    switch (setting.foundation) {
      case 'sqlite': {
        const file = await (name === 'instances' ? instanceFiles : files).get(setting.folder);
        if (!file.ok) return file;
        if (name === 'log') {
          const taken = await refuseCopy(file.value, plan.name);
          if (!taken.ok) return taken;
        }
        const log = await openSqliteLog(file.value, clock, { ...plan, ...lease });
        return log.ok && name === 'log' ? openTheLog(log.value) : log;
      }
      case 'kafka': {
        const { openKafkaRecordLog } = await import('../kafka/record-log.ts');
        const log = await openKafkaRecordLog({
          brokers: setting.brokers,
          topic: plan.name,
          partitions: plan.partitions,
          anyPartitions: plan.anyPartitions,
          keptMs: plan.keptMs,
          ...(plan.kafkaLeaseMs === undefined ? {} : { leaseMs: plan.kafkaLeaseMs }),
          ...lease,
          note: ({ from, message }) => options.note?.(`${from}: ${message}`),
        });
        if (!log.ok) return log;
        if (name !== 'log') return ok(log.value);
        const opened = await openTheLog(log.value);
        if (!opened.ok) await log.value.close();
        return opened;
      }
    }
  };

  const openStore = async (part: StorePart): Promise<Result<ReadModelStore, FoundationProblem>> => {
    const setting = settings.store;
    const { audience } = settings;
    const ordered = part === 'instances' ? orderedInstanceModels : orderedModels;
    switch (setting.foundation) {
      case 'sqlite': {
        const file = await (part === 'instances' ? instanceFiles : files).get(setting.folder);
        if (!file.ok) return file;
        const { openSqliteReadModelStore } = await import('../sqlite/read-model-store.ts');
        return ok(openSqliteReadModelStore(file.value, { audience, orderedModels: ordered }));
      }
      case 'memory': {
        const { createMemoryReadModelStore } = await import('../memory/read-model-store.ts');
        // Nobody else can fill it, so nobody else's projector is to be waited for.
        return ok(
          createMemoryReadModelStore({ orderedModels: ordered, name: `memory ${ids.uuidV7()}` }),
        );
      }
      case 'redis': {
        const { openRedisReadModelStore } = await import('../redis/read-model-store.ts');
        const store = await openRedisReadModelStore({
          url: setting.url,
          audience,
          ...(part === 'instances' ? { prefix: 'plimsoll.instances' } : {}),
          orderedModels: ordered,
          ...(options.note === undefined ? {} : { onLog: options.note }),
        });
        return store.ok
          ? store
          : fail({ ...store.problem, hint: 'see PLIMSOLL_STORE; is Redis up?' });
      }
    }
  };

  const logs = openOnce(openStream);
  const stores = openOnce(openStore);

  return {
    settings,
    kind: kindOf(settings),
    tools,
    signatureChecking,
    clock,
    ids,
    firstUse: () => firstUse,
    stream: logs.get,
    store: () => stores.get('read models'),
    instanceStore: () => stores.get('instances'),
    mayHaveInstances: () =>
      settings.log.foundation === 'kafka' || hasInstancesFile(settings.log.folder),
    prune: async () => {
      for (const [name, opening] of logs.all()) {
        const { keptMs } = streams[name];
        const log = await opening;
        if (keptMs === 'for-ever' || !log.ok || !('prune' in log.value)) continue;
        const { prune } = log.value as RecordLog & {
          readonly prune: SqliteRecordLog['prune'];
        };
        for (let partition = 0; partition < log.value.partitions; partition++) {
          const pruned = await prune(partition, clock.nowMs() - keptMs);
          if (!pruned.ok) throw new Error(pruned.problem.message);
        }
      }
    },
    close: async () => {
      await signatureChecking?.close();
      for (const [, opening] of logs.all()) {
        const log = await opening;
        if (log.ok) await log.value.close();
      }
      for (const [, opening] of stores.all()) {
        const store = await opening;
        if (store.ok) await store.value.close();
      }
      for (const [, opening] of [...files.all(), ...instanceFiles.all()]) {
        const file = await opening;
        if (file.ok) file.value.close();
      }
    },
  };
};

export const streamName = (audience: string, name: StreamName): string =>
  `plimsoll.${audience}.${name}`;

/** A log that is only being copied into the file must not get another one beside it. */
const refuseCopy = async (
  file: SqliteFile,
  name: string,
): Promise<Result<void, FoundationProblem>> => {
  const { isBeingCopied } = await import('../sqlite/copy-target.ts');
  const copied = await isBeingCopied(file, name);
  if (!copied.ok) return databaseFailed(copied.problem, file.path);
  return copied.value
    ? fail({
        code: 'migrating',
        message: `${file.path}: a log is being copied into it, and it is not whole yet`,
        hint: 'run the same plimsoll migrate again: it goes on where it stopped',
      })
    : ok(undefined);
};

const kindOf = ({ log, store }: Settings): Foundation['kind'] => {
  if (log.foundation === 'sqlite' && store.foundation !== 'redis') return 'embedded';
  return log.foundation === 'kafka' && store.foundation === 'redis' ? 'stack' : 'mixed';
};

type Building = {
  readonly settings: Settings;
  readonly tools: CheckTools;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly say: (line: string) => void;
};

/**
 * The database of a folder, made on first use: keys first, then a whole database with record 0 under a temporary
 * name, linked into place. Of several processes one wins and the others use its work. If we stop in between, the
 * keys are there and the next one makes the database with them.
 */
const openDatabase = async (
  building: Building,
  folder: string,
): Promise<Result<SqliteFile, FoundationProblem>> => {
  const { clock, settings } = building;
  const { openSqliteFile } = await import('../sqlite/file.ts');
  const path = join(folder, databaseName);
  const holdsLog = settings.log.foundation === 'sqlite' && settings.log.folder === folder;
  // On first use of a log the keys come first, and the folder with them.
  const folderMade = holdsLog ? ok(undefined) : await makeFolder(folder, 'PLIMSOLL_STORE');
  if (!folderMade.ok) return folderMade;
  const open = (): ReturnType<typeof openSqliteFile> =>
    openSqliteFile(path, { create: !holdsLog, sleep: clock.sleep });
  // Where nothing answers, a thread waits, and not all of us.
  await whatLiesAt(path).catch(() => null);
  let file = await open();
  // Asked of the file itself: a lost file whose write-ahead log is still there must not get a new one beside it.
  if (!file.ok && file.problem.code === 'missing' && holdsLog) {
    const made = await makeDatabase(building, folder, path);
    if (!made.ok) return made;
    file = await open();
  }
  return file.ok ? file : databaseFailed(file.problem, path);
};

const databaseFailed = (problem: SqliteProblem, path: string): Result<never, FoundationProblem> => {
  switch (problem.code) {
    case 'corrupt':
      return fail({
        code: 'corrupt',
        message: problem.message,
        hint: `nothing was changed; restore ${path} from a backup, or move it away to begin anew`,
      });
    case 'missing':
    case 'refused':
    case 'unreachable':
      return fail({
        code: problem.code,
        message: problem.message,
        hint: 'is the folder there and writable, and the disk not full?',
      });
    case 'closed':
    case 'unknown':
      return fail({ code: 'unreachable', message: problem.message, hint: 'try again' });
  }
};

const makeDatabase = async (
  building: Building,
  folder: string,
  path: string,
): Promise<Result<void, FoundationProblem>> => {
  const { clock, settings, say } = building;
  const { openSqliteFile } = await import('../sqlite/file.ts');
  const folderMade = await makeFolder(folder, 'PLIMSOLL_LOG');
  if (!folderMade.ok) return folderMade;
  const keyed = await ensureKeys(folder);
  if (!keyed.ok) return keyed;
  const temporary = `${path}.new-${randomUUID()}`;
  try {
    const file = await openSqliteFile(temporary, { create: true, sleep: clock.sleep });
    if (!file.ok) return databaseFailed(file.problem, path);
    const log = await openSqliteLog(file.value, clock, {
      name: streamName(settings.audience, 'log'),
      ...streams.log,
    });
    if (!log.ok) return log;
    const opened = await openIfEmpty({ ...building, say: () => undefined }, log.value);
    await log.value.close();
    file.value.close();
    if (!opened.ok) return opened;
    await link(temporary, path);
    say(
      `first use: made ${folder} (database, keys, and a log for the audience ${settings.audience})`,
    );
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    for (const ending of ['', '-wal', '-shm']) await rm(`${temporary}${ending}`, { force: true });
  }
  return ok(undefined);
};

const ensureKeys = async (folder: string): Promise<Result<void, FoundationProblem>> => {
  if (hasKeys(folder)) return ok(undefined);
  const made = await makeKeys(folder);
  if (made.ok) return made;
  const { code, message, hint } = made.problem;
  // A full disk is nobody's key.
  return code === 'key-file-not-written'
    ? fail({ code: 'refused', message, hint })
    : keyFailed(made.problem);
};

const keyFailed = (problem: {
  readonly message: string;
  readonly hint: string;
}): Result<never, FoundationProblem> =>
  fail({ code: 'key-problem', message: problem.message, hint: problem.hint });

/** The log with its opening. Keys are made where the log is empty; else it is opened as it is, with or without them. */
const openIfEmpty = async (
  { settings, tools, clock, ids, say }: Building,
  log: RecordLog,
): Promise<Result<RecordLog, FoundationProblem>> => {
  const range = await log.range(0);
  if (!range.ok) return unreadable(range.problem);
  // It forgot its opening, which was long complete then.
  if (range.value.start > 0) return ok(log);
  const isEmpty = range.value.end === 0;
  if (isEmpty) {
    const keyed = await ensureKeys(settings.dataFolder);
    if (!keyed.ok) return keyed;
  } else if (range.value.end >= openingRecordsMax || !hasKeys(settings.dataFolder)) return ok(log);
  const keys = await installationKeys(settings.dataFolder);
  // Who only uses a log that is open may have put its administrator's key away.
  if (!keys.ok) return isEmpty ? keyFailed(keys.problem) : ok(log);
  const { audience } = settings;
  const opened = await openLog(
    { audience, tools, clock, ids, newLogId: randomUUID },
    log,
    keys.value,
  );
  if (!opened.ok)
    return fail({
      code: opened.problem.code === 'corrupt' ? 'corrupt' : 'unreachable',
      message: opened.problem.message,
      hint: 'nothing was lost; try again',
    });
  if (opened.value.isFirst)
    say(`first use: opened ${log.name} with the keys in ${settings.dataFolder}`);
  return ok(log);
};

const installationKeys = async (
  dataFolder: string,
): Promise<Result<InstallationKeys, KeyProblem>> => {
  const admin = await readKey(dataFolder, 'admin');
  if (!admin.ok) return admin;
  const local = await readKey(dataFolder, 'local');
  if (!local.ok) return local;
  const analyser = await readKey(dataFolder, 'analyser');
  if (!analyser.ok) return analyser;
  const gateway = await readKey(dataFolder, 'gateway');
  if (!gateway.ok) return gateway;
  return ok({
    admin: admin.value,
    trusted: [
      { signer: local.value, roles: ['emitter', 'operator'] },
      { signer: analyser.value, roles: ['analyser'] },
      { signer: gateway.value, roles: ['gateway'] },
    ],
  });
};

const unreadable = (problem: {
  readonly code: string;
  readonly message: string;
}): Result<never, FoundationProblem> =>
  fail({
    code: problem.code === 'corrupt' ? 'corrupt' : 'unreachable',
    message: problem.message,
    hint: problem.code === 'corrupt' ? 'restore it from a backup' : 'is it up?',
  });

const openSqliteLog = async (
  file: SqliteFile,
  clock: Clock,
  plan: { readonly name: string; readonly partitions: number; readonly leaseMs?: number },
): Promise<Result<RecordLog, FoundationProblem>> => {
  const { openSqliteRecordLog } = await import('../sqlite/record-log.ts');
  const log = await openSqliteRecordLog(file, {
    ...plan,
    nowMs: clock.nowMs,
    sleep: clock.sleep,
  });
  return log.ok ? log : databaseFailed(log.problem, file.path);
};
