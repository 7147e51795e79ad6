// Where telemetry goes, by the standard variables:
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/

export type Signal = 'traces' | 'logs';

export type OtlpTarget = {
  readonly signal: Signal;
  /** Scheme, host and port. */
  readonly base: string;
  readonly path: string;
  /** They may hold passwords: not to be shown. */
  readonly headers: { readonly [name: string]: string };
  readonly encoding: 'protobuf' | 'json';
  /** How long the exporter may take at most, milliseconds; null: nobody says. */
  readonly withinMs: number | null;
};

export type TargetNote = {
  readonly code: 'exporter-unread' | 'exporter-not-spoken';
  readonly message: string;
  readonly hint: string;
};

type Environment = { readonly [name: string]: string | undefined };

/** The receivers that are named, and what of it cannot be obeyed. No note holds a value: it may be a password. */
export const readOtlpTargets = (
  env: Environment,
): { readonly targets: readonly OtlpTarget[]; readonly notes: readonly TargetNote[] } => {
  if (textOf(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return { targets: [], notes: [] };
  const targets: OtlpTarget[] = [];
  // Both signals mostly rest on one variable, and one line is enough.
  const notes = new Map<string, TargetNote>();
  for (const signal of ['traces', 'logs'] as const) {
    const target = targetOf(env, signal);
    if (target === undefined) continue;
    if ('code' in target) notes.set(target.message, target);
    else targets.push(target);
  }
  return { targets, notes: [...notes.values()] };
};

const defaultEndpoint = 'http://localhost:4318';

const targetOf = (env: Environment, signal: Signal): OtlpTarget | TargetNote | undefined => {
  const upper = signal.toUpperCase();
  const ownName = `OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`;
  const own = textOf(env, ownName);
  const shared = textOf(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporters = textOf(env, `OTEL_${upper}_EXPORTER`)
    ?.split(',')
    .map((name) => name.trim().toLowerCase());
  // What else it may name, such as console, is for other programs.
  if (exporters === undefined ? (own ?? shared) === null : !exporters.includes('otlp'))
    return undefined;
  const [protocolName, protocol] = firstOf(env, [
    `OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`,
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ]);
  const encoding = encodingOf(protocol ?? 'http/protobuf');
  if (encoding === undefined) return notSpoken(protocolName);
  const [, base = '', path = ''] =
    /^(https?:\/\/[^\s/?#]+)([/?][^\s#]*)?$/i.exec(own ?? shared ?? defaultEndpoint) ?? [];
  if (base === '') return unread(own === null ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : ownName);
  return {
    signal,
    base,
    path: own === null ? sharedPath(path, signal) : path.replace(/^(?!\/)/, '/'),
    headers: {
      ...headersOf(env, 'OTEL_EXPORTER_OTLP_HEADERS'),
      ...headersOf(env, `OTEL_EXPORTER_OTLP_${upper}_HEADERS`),
    },
    encoding,
    withinMs: timeoutOf(env, upper),
  };
};

const sharedPath = (path: string, signal: Signal): string => {
  const [folder = '', query] = path.split(/(?=\?)/, 2);
  return `${folder.replace(/\/+$/, '')}/v1/${signal}${query ?? ''}`;
};

const encodingOf = (protocol: string): OtlpTarget['encoding'] | undefined => {
  switch (protocol.toLowerCase()) {
    case 'http/protobuf':
      return 'protobuf';
    case 'http/json':
      return 'json';
    default:
      return undefined;
  }
};

const notSpoken = (name: string): TargetNote => ({
  code: 'exporter-not-spoken',
  message: `${name} asks for what is not spoken here, so the deployment is not told to OpenTelemetry`,
  hint: 'http/protobuf and http/json are (usually at port 4318); OTEL_TRACES_EXPORTER=none and OTEL_LOGS_EXPORTER=none keep it quiet',
});

const unread = (name: string): TargetNote => ({
  code: 'exporter-unread',
  message: `${name} is no address, so the deployment is not told to OpenTelemetry`,
  hint: 'write http(s)://HOST:PORT',
});

const textOf = (env: Environment, name: string): string | null => {
  const value = env[name]?.trim() ?? '';
  return value === '' ? null : value;
};

const firstOf = (
  env: Environment,
  names: readonly string[],
): readonly [name: string, value: string | null] => {
  for (const name of names) {
    const value = textOf(env, name);
    if (value !== null) return [name, value];
  }
  return ['', null];
};

const timeoutOf = (env: Environment, signal: string): number | null => {
  const names = [`OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`, 'OTEL_EXPORTER_OTLP_TIMEOUT'];
  const [, value] = firstOf(env, names);
  return value !== null && /^[1-9][0-9]{0,8}$/.test(value) ? Number(value) : null;
};

/** Those that HTTP has no header for, or that we write ourselves, are left out. */
const headersOf = (env: Environment, name: string): { readonly [name: string]: string } =>
  Object.fromEntries(
    (textOf(env, name) ?? '').split(',').flatMap((part): [string, string][] => {
      const at = part.indexOf('=');
      const header = decoded(part.slice(0, Math.max(0, at)).trim()).toLowerCase();
      const value = decoded(part.slice(at + 1).trim());
      const isHeader = /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header) && /^[\t\x20-\x7e]*$/.test(value);
      return isHeader && !ownHeaders.has(header) ? [[header, value]] : [];
    }),
  );

const ownHeaders: ReadonlySet<string> = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection'],
]);

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
