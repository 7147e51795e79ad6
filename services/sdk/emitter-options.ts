import type { Settings } from '../core/settings.ts';
import { parseSettings } from '../core/settings.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { CiJob, Environment } from './ci/ci-job.ts';
import { ciJob, isCi } from './ci/ci-job.ts';
import type { ExportNote } from './export-marker.ts';
import type { Cause } from './send-or-keep.ts';

/** What `env` says counts where an option is left out. */
export type EmitterOptions = {
  /**
   * The environment, such as `process.env`, of which is read what the command reads: the settings (`plimsoll help
   * settings`), `TRACEPARENT`, the exporter that `OTEL_*` names, and what a CI job says of itself. Nothing is read unless told; the settings file never is.
   */
  readonly env?: Environment;
  /** Of the gateway, as PLIMSOLL_URL. */
  readonly url?: string;
  /** File of the key that signs, as PLIMSOLL_KEY. */
  readonly key?: string;
  /** As PLIMSOLL_AUDIENCE; `local` unless told. */
  readonly audience?: string;
  /** Id of the log that is meant, as PLIMSOLL_LOG_ID: the gateway of another one refuses. Whichever it is unless told. */
  readonly logId?: string;
  /** Who says it, for readers: the name of the program; the CI job's address unless told. */
  readonly source?: string;
  /** By when a marker is delivered or kept, milliseconds, as PLIMSOLL_TIMEOUT; 2000 unless told. */
  readonly timeoutMs?: number;
  /** Folder where markers are kept that nobody took, as PLIMSOLL_SPOOL; the command's own unless told. */
  readonly spool?: string;
  /** What it takes at most, in megabytes, as PLIMSOLL_SPOOL_MB; 64 unless told. */
  readonly spoolMegabytes?: number;
  /** What lies there for longer is sent only by `plimsoll flush --expired`, in days, as PLIMSOLL_SPOOL_DAYS; 30 unless told. */
  readonly spoolDays?: number;
  /** W3C trace context that goes with each marker, as TRACEPARENT; what is none is left out. */
  readonly traceparent?: string | undefined;
  /** Whether what looks like a secret is written over; unless told it is refused, and nothing is sent. */
  readonly redact?: boolean;
  /**
   * Takes the line `plimsoll-marker:v1:…` that holds a marker whole, which `plimsoll flush --from-log` delivers: of what was
   * not delivered in a CI job, whose disk goes with it, and of what no disk would take. To stderr unless told.
   */
  readonly onMarkerLine?: (line: string) => void;
  /** Told what goes wrong beside a marker, which is not harmed by it: that OpenTelemetry was not told. */
  readonly onNote?: (note: ExportNote) => void;
};

/** Options and environment, read once. */
export type EmitterSettings = Pick<
  Settings,
  'audience' | 'logId' | 'emitWithinMs' | 'spool' | 'dataFolder'
> & {
  readonly url: string;
  readonly keyFile: string;
  readonly job: CiJob | null;
  readonly isCi: boolean;
  readonly source: string;
  readonly traceparent: string | undefined;
};

export const readEmitterOptions = (options: EmitterOptions): Result<EmitterSettings, Cause> => {
  const { env = {} } = options;
  const told: Environment = {
    PLIMSOLL_URL: options.url,
    PLIMSOLL_KEY: options.key,
    PLIMSOLL_AUDIENCE: options.audience,
    PLIMSOLL_LOG_ID: options.logId,
    PLIMSOLL_TIMEOUT: options.timeoutMs === undefined ? undefined : `${options.timeoutMs}ms`,
    PLIMSOLL_SPOOL: options.spool,
    PLIMSOLL_SPOOL_MB: textOf(options.spoolMegabytes),
    PLIMSOLL_SPOOL_DAYS: textOf(options.spoolDays),
  };
  const isTold = (name: string): boolean => told[name] !== undefined;
  const settings = parseSettings({
    ...env,
    ...Object.fromEntries(Object.entries(told).filter(([name]) => isTold(name))),
  });
  if (!settings.ok) {
    const { code, message, setting } = settings.problem;
    const hint = isTold(setting) ? `it was told as ${optionOf[setting] ?? setting}` : '';
    return fail({ code, message, hint: hint === '' ? 'plimsoll help settings lists them' : hint });
  }
  const { url, keyFile } = settings.value;
  if (url === null) return missing('gateway', 'url, or env with PLIMSOLL_URL');
  if (keyFile === null)
    return missing(
      'key',
      'key, or env with PLIMSOLL_KEY; plimsoll keys new --principal=NAME --out=FILE makes one, which an administrator has to trust',
    );
  const job = ciJob(env);
  return ok({
    ...settings.value,
    url,
    keyFile,
    job,
    isCi: isCi(env),
    source: options.source ?? job?.source ?? 'plimsoll/sdk',
    traceparent: 'traceparent' in options ? options.traceparent : env['TRACEPARENT'],
  });
};

const textOf = (count: number | undefined): string | undefined =>
  count === undefined ? undefined : String(count);

const optionOf: { readonly [setting: string]: keyof EmitterOptions } = {
  PLIMSOLL_URL: 'url',
  PLIMSOLL_AUDIENCE: 'audience',
  PLIMSOLL_LOG_ID: 'logId',
  PLIMSOLL_TIMEOUT: 'timeoutMs',
  PLIMSOLL_SPOOL_MB: 'spoolMegabytes',
  PLIMSOLL_SPOOL_DAYS: 'spoolDays',
};

const missing = (what: string, hint: string): Result<never, Cause> =>
  fail({ code: 'setting-missing', message: `no ${what} is named`, hint: `name it: ${hint}` });
