import { audiencePattern, uuidPattern } from './markers/parse-marker.ts';
import type { Result } from './result.ts';
import { fail, ok } from './result.ts';

export type LogSetting =
  | { readonly foundation: 'sqlite'; readonly folder: string }
  | { readonly foundation: 'kafka'; readonly brokers: readonly string[] };
export type StoreSetting =
  | { readonly foundation: 'sqlite'; readonly folder: string }
  | { readonly foundation: 'memory' }
  | { readonly foundation: 'redis'; readonly url: string };

/** Everything that an installation can be told, parsed once at the door. */
export type Settings = {
  readonly audience: string;
  readonly log: LogSetting;
  readonly store: StoreSetting;
  /** Folder for keys, state and, with SQLite, the database. */
  readonly dataFolder: string;
  /** Gateway that commands go to, without a slash at the end; null: to the log itself. */
  readonly url: string | null;
  /** Where markers wait that could not be delivered. */
  readonly spool: { readonly folder: string; readonly bytesMax: number; readonly ageMaxMs: number };
  /** How long an emitting command may take that does not say. */
  readonly emitWithinMs: number;
  /** Key file of the emitter, or null: the one in the data folder. */
  readonly keyFile: string | null;
  readonly analyserKeyFile: string | null;
  readonly logId: string | null;
  /** Folder of the log's archive, which gives what the log no longer holds; null: there is none. */
  readonly archiveFolder: string | null;
  /** Policies of the analyser (a YAML file), or null: those set on the log. */
  readonly policyFile: string | null;
  /** When the analyser learns each night how much components scatter, milliseconds after midnight UTC. */
  readonly noiseAtMsOfDay: number;
  readonly host: string;
  readonly port: number;
  readonly otlpPort: number;
  /** File with the tokens of those who may send OTLP to the gateway, or null: it takes what anybody sends. */
  readonly otlpSourcesFile: string | null;
  /** The gateway's key file, or null: the one in the data folder. */
  readonly gatewayKeyFile: string | null;
  /** List of the tokens with which JSON markers are taken, or null: tokens.txt in the data folder. */
  readonly tokensFile: string | null;
  /** Where /metrics is served beside the gateway; null: nowhere. */
  readonly metricsPort: number | null;
  /** Names that look like settings and are none: said, never obeyed. */
  readonly unknown: readonly string[];
};

export type SettingProblem = {
  readonly code: 'setting-invalid';
  readonly setting: string;
  readonly message: string;
};

/** The settings by their names in the environment, with what they mean: help and documentation read this. */
export const settingNames: { readonly [name: string]: string } = {
  PLIMSOLL_CONFIG: 'a settings file (default: plimsoll.yaml here or above; none: no file)',
  PLIMSOLL_LOG: 'the log: sqlite:FOLDER (default ./plimsoll-data) or kafka://HOST:PORT,…',
  PLIMSOLL_STORE: 'the read models: sqlite:FOLDER (default: as the log), memory: or redis://…',
  PLIMSOLL_URL: 'a gateway that commands go to instead of the log, http(s)://HOST:PORT',
  PLIMSOLL_SPOOL: 'folder of markers that could not be delivered (default: in the data folder)',
  PLIMSOLL_SPOOL_MB: 'what the spool takes at most, in megabytes (default 64)',
  PLIMSOLL_SPOOL_DAYS: 'what lies there for longer is sent only when asked for (default 30)',
  PLIMSOLL_TIMEOUT: 'how long a command of a pipeline may take, such as 500ms or 5s (default 2s)',
  PLIMSOLL_RUN_ID: 'run of the pipeline, whose jobs share deployments (default: as the CI says)',
  PLIMSOLL_RUN_ATTEMPT: 'which try of the run this is (default: as the CI says)',
  PLIMSOLL_KEY: 'key file to sign with (default: keys/local.json in the data folder)',
  PLIMSOLL_ANALYSER_KEY:
    'key file of the analyser (default: keys/analyser.json in the data folder)',
  PLIMSOLL_AUDIENCE: 'the organisation or tenant whose log this is (default local)',
  PLIMSOLL_LOG_ID: 'the log id that is expected; another one is refused',
  PLIMSOLL_ARCHIVE: 'folder of an archive that gives the records which the log no longer holds',
  PLIMSOLL_POLICY: 'policies of the analyser, YAML (default: those set on the log)',
  PLIMSOLL_NOISE_AT: 'when noise is learned each night, HH:MM UTC (default 02:00)',
  PLIMSOLL_HOST: 'address that services listen on (default 127.0.0.1)',
  PLIMSOLL_PORT: 'port of the gateway (default 7464; 0 takes a free one)',
  PLIMSOLL_OTLP_PORT: 'port for OTLP/HTTP (default 4318; 0 takes a free one)',
  PLIMSOLL_OTLP_SOURCES: 'file of tokens that OTLP must be sent with (default: none is needed)',
  PLIMSOLL_TOKENS: 'list of tokens for JSON markers (default: tokens.txt in the data folder)',
  PLIMSOLL_GATEWAY_KEY: 'key file of the gateway (default: keys/gateway.json in the data folder)',
  PLIMSOLL_METRICS_PORT:
    'port for /metrics and /healthz of any service (default: only the gateway)',
};

const defaultFolder = './plimsoll-data';

export const parseSettings = (env: {
  readonly [name: string]: string | undefined;
}): Result<Settings, SettingProblem> => {
  const text = (name: string): string | null =>
    env[name] === undefined || env[name] === '' ? null : env[name];
  const audience = text('PLIMSOLL_AUDIENCE') ?? 'local';
  if (!audiencePattern.test(audience))
    return refuse('PLIMSOLL_AUDIENCE', 'must be 1 to 63 of a-z, 0-9, dot, dash and underscore');
  const log = parseLog(text('PLIMSOLL_LOG') ?? `sqlite:${defaultFolder}`);
  if (log === undefined)
    return refuse('PLIMSOLL_LOG', 'must be sqlite:FOLDER or kafka://HOST:PORT[,HOST:PORT…]');
  const dataFolder = log.foundation === 'sqlite' ? log.folder : defaultFolder;
  const store = parseStore(text('PLIMSOLL_STORE') ?? `sqlite:${dataFolder}`);
  if (store === undefined)
    return refuse('PLIMSOLL_STORE', 'must be sqlite:FOLDER, memory: or redis://HOST:PORT');
  const spoolMegabytes = parseCount(text('PLIMSOLL_SPOOL_MB') ?? '64');
  if (spoolMegabytes === undefined)
    return refuse('PLIMSOLL_SPOOL_MB', 'must be a whole number of megabytes, from 1 on');
  const spoolDays = parseCount(text('PLIMSOLL_SPOOL_DAYS') ?? '30');
  if (spoolDays === undefined)
    return refuse('PLIMSOLL_SPOOL_DAYS', 'must be a whole number of days, from 1 on');
  const emitWithinMs = durationMs(text('PLIMSOLL_TIMEOUT') ?? '2s');
  if (emitWithinMs === undefined || emitWithinMs < 1 || emitWithinMs > emitWithinMsMax)
    return refuse('PLIMSOLL_TIMEOUT', 'must be a time such as 500ms or 5s, at most an hour');
  const url = text('PLIMSOLL_URL');
  if (url !== null && !/^https?:\/\/[^\s/]+$/.test(url.replace(/\/+$/, '')))
    return refuse('PLIMSOLL_URL', 'must be http(s)://HOST[:PORT]');
  const logId = text('PLIMSOLL_LOG_ID');
  if (logId !== null && !uuidPattern.test(logId))
    return refuse('PLIMSOLL_LOG_ID', 'must be a UUID in lower case');
  const noiseAtMsOfDay = parseTimeOfDay(text('PLIMSOLL_NOISE_AT') ?? '02:00');
  if (noiseAtMsOfDay === undefined)
    return refuse('PLIMSOLL_NOISE_AT', 'must be a time of day in UTC, 00:00 to 23:59');
  const port = parsePort(text('PLIMSOLL_PORT') ?? '7464');
  if (port === undefined) return refuse('PLIMSOLL_PORT', 'must be a port, 0 to 65535');
  const otlpPort = parsePort(text('PLIMSOLL_OTLP_PORT') ?? '4318');
  if (otlpPort === undefined) return refuse('PLIMSOLL_OTLP_PORT', 'must be a port, 0 to 65535');
  const metricsPort = parsePort(text('PLIMSOLL_METRICS_PORT') ?? '0');
  if (metricsPort === undefined)
    return refuse('PLIMSOLL_METRICS_PORT', 'must be a port, 0 to 65535');
  return ok({
    audience,
    log,
    store,
    dataFolder,
    url: url === null ? null : url.replace(/\/+$/, ''),
    spool: {
      folder: text('PLIMSOLL_SPOOL') ?? `${dataFolder}/spool`,
      bytesMax: spoolMegabytes * megabyte,
      ageMaxMs: spoolDays * dayMs,
    },
    emitWithinMs,
    keyFile: text('PLIMSOLL_KEY'),
    analyserKeyFile: text('PLIMSOLL_ANALYSER_KEY'),
    logId,
    archiveFolder: text('PLIMSOLL_ARCHIVE'),
    policyFile: text('PLIMSOLL_POLICY'),
    noiseAtMsOfDay,
    host: text('PLIMSOLL_HOST') ?? '127.0.0.1',
    port,
    otlpPort,
    otlpSourcesFile: text('PLIMSOLL_OTLP_SOURCES'),
    gatewayKeyFile: text('PLIMSOLL_GATEWAY_KEY'),
    tokensFile: text('PLIMSOLL_TOKENS'),
    metricsPort: text('PLIMSOLL_METRICS_PORT') === null ? null : metricsPort,
    unknown: Object.keys(env).filter(
      (name) =>
        name.startsWith('PLIMSOLL_') &&
        !name.startsWith('PLIMSOLL_TEST_') &&
        !Object.hasOwn(settingNames, name),
    ),
  });
};

/** Reads `sqlite:FOLDER` or `kafka://HOST:PORT,…`; undefined for anything else. */
export const parseLog = (value: string): LogSetting | undefined => {
  const folder = /^sqlite:(.+)$/.exec(value)?.[1];
  if (folder !== undefined) return { foundation: 'sqlite', folder };
  const brokers = /^kafka:\/\/(.+)$/.exec(value)?.[1]?.split(',');
  return brokers?.every(isBroker) ? { foundation: 'kafka', brokers } : undefined;
};

const isBroker = (address: string): boolean => {
  const port = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})$/.exec(address)?.[1];
  return port !== undefined && parsePort(port) !== undefined;
};

const parseStore = (value: string): StoreSetting | undefined => {
  if (value === 'memory:') return { foundation: 'memory' };
  const folder = /^sqlite:(.+)$/.exec(value)?.[1];
  if (folder !== undefined) return { foundation: 'sqlite', folder };
  return /^rediss?:\/\/\S+$/.test(value) ? { foundation: 'redis', url: value } : undefined;
};

const parseTimeOfDay = (value: string): number | undefined => {
  const [, hours, minutes] = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(value) ?? [];
  return hours === undefined ? undefined : (Number(hours) * 60 + Number(minutes)) * 60_000;
};

const megabyte = 1_000_000;
const dayMs = 86_400_000;
const emitWithinMsMax = 3_600_000;

const parseCount = (value: string): number | undefined =>
  /^[1-9][0-9]{0,4}$/.test(value) ? Number(value) : undefined;

const unitsMs: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `10s` or `2m` in milliseconds; undefined for anything else: a bare number is refused, of what? */
export const durationMs = (written: string): number | undefined => {
  const [, count, unit] = /^([0-9]{1,7}(?:\.[0-9]{1,3})?)(ms|s|m|h)$/.exec(written) ?? [];
  return unit === undefined ? undefined : Math.round(Number(count) * (unitsMs[unit] ?? 0));
};

const parsePort = (value: string): number | undefined =>
  /^[0-9]{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined;

// The value is not repeated: it may hold a password.
const refuse = (setting: string, message: string): Result<never, SettingProblem> =>
  fail({ code: 'setting-invalid', setting, message: `${setting} ${message}` });
