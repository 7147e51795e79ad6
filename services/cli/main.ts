import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Foundation } from '../adapters/foundation/foundation.ts';
import { openFoundation } from '../adapters/foundation/foundation.ts';
import { keysFolder } from '../adapters/foundation/open-keys.ts';
import { newKeyFile, readKeyFile, readPublicKeyFile } from '../adapters/ed25519/key-file.ts';
import { createHttpClient } from '../adapters/http/client.ts';
import { openPlannedHere } from '../adapters/planned-here/folder.ts';
import type { AnalyserStatus } from '../analyser/start.ts';
import type { JudgePolicy } from '../core/canary/policy.ts';
import { parsePolicy, standardPreset } from '../core/canary/policy.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { parseSettings } from '../core/settings.ts';
import type { OwnNumbers } from '../ports/own-metrics.ts';
import type { RecordLog } from '../ports/record-log.ts';
import { openGeneration, rebuild } from '../projector/catch-up.ts';
import type { ProjectionPorts } from '../projector/project.ts';
import type { ProjectorStatus } from '../projector/start.ts';
import type { Request } from './arguments.ts';
import { neverFails, parseArguments, wantsJson } from './arguments.ts';
import { helpText } from './help.ts';
import type { Note } from './note.ts';
import { printNote, printProblem } from './output.ts';
import type {
  AtHand,
  CliPorts,
  FoldProgress,
  KeyFiles,
  Running,
  ServiceName,
  Terminal,
} from './ports.ts';
import type { CliProblem, ExitCode } from './problem.ts';
import { foldFailed, problem, refuse } from './problem.ts';
import { run } from './run.ts';

// The composition root of the command: it reads the environment and opens what a command asks for.

const args = process.argv.slice(2);
const isJson = wantsJson(args);

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: process.stdout.isTTY ? process.stdout.columns : null,
  hasColour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
};
const note = (told: Note): void => printNote(terminal, isJson, told);

const closeWithinMs = 2000;
const gitWithinMs = 2000;

type RunRequest = Extract<Request, { readonly ask: 'run' }>;

const answer = async (): Promise<ExitCode> => {
  const request = parseArguments(args);
  if (!request.ok) return refused(request.problem);
  switch (request.value.ask) {
    case 'help':
      terminal.out(helpText(request.value.about));
      return 0;
    case 'version':
      terminal.out(`${await packageVersion()}\n`);
      return 0;
    case 'run':
      return runCommand(request.value);
  }
};

const refused = (cause: CliProblem): ExitCode => {
  printProblem(terminal, isJson, cause);
  return neverFails(args) ? 0 : cause.exit;
};

const packageVersion = async (): Promise<string> => {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { readonly version: string };
  return version;
};

const runCommand = async ({ command, given }: RunRequest): Promise<ExitCode> => {
  const settings = parseSettings(process.env);
  if (!settings.ok)
    return refused(
      problem(settings.problem.code, settings.problem.message, 'plimsoll --help lists settings'),
    );
  for (const name of settings.value.unknown)
    note({ code: 'setting-unknown', message: `${name} is no setting`, hint: 'it is not obeyed' });
  const foundation = openFoundation(settings.value);
  try {
    return await run(
      portsOf(foundation, stopFor(command.name, given.has('follow'))),
      command.name,
      given,
    );
  } finally {
    // A driver that still looks for its server must not keep the command from ending.
    await Promise.race([foundation.close(), foundation.clock.sleep(closeWithinMs)]);
  }
};

/** Asks commands that stay to end in their own time; a second Ctrl-C ends them at once. */
const stopFor = (name: string, isFollowing: boolean): AbortSignal => {
  const stopping = new AbortController();
  if (isFollowing || ['up', 'gateway', 'projector', 'analyser'].includes(name))
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => stopping.abort());
  return stopping.signal;
};

const portsOf = (foundation: Foundation, stop: AbortSignal): CliPorts => {
  const { settings, clock, ids, tools } = foundation;
  const keys = keyFiles(settings.dataFolder);
  let isFirstUseTold = false;
  const tellFirstUse = (): void => {
    const made = foundation.firstUse();
    if (made === null || isFirstUseTold) return;
    isFirstUseTold = true;
    note({ code: 'first-use', message: made, hint: '' });
  };
  const log = async (): Promise<Result<RecordLog, CliProblem>> => {
    const opened = await foundation.stream('log');
    tellFirstUse();
    return opened.ok ? opened : failed(opened.problem);
  };
  const fold = async (
    work: typeof openGeneration | typeof rebuild,
    onProgress: (progress: FoldProgress) => void,
  ): Promise<Result<AtHand, CliProblem>> => {
    const projection = await openProjection(foundation, log);
    if (!projection.ok) return projection;
    const folded = await work(projection.value, { onProgress });
    if (!folded.ok) return fail(foldFailed(folded.problem));
    const { generation, state } = folded.value;
    return ok({ log: projection.value.log, store: projection.value.store, generation, state });
  };
  const alongside: Alongside = {};
  const ports: CliPorts = {
    settings,
    env: process.env,
    host: hostname(),
    terminal,
    note,
    clock,
    ids,
    tools,
    keys,
    planned: openPlannedHere(join(settings.dataFolder, 'planned', settings.audience)),
    gateway: settings.url === null ? null : createHttpClient(settings.url),
    repositoryAddress,
    log,
    atHand: (onProgress) => fold(openGeneration, onProgress),
    rebuild: (onProgress) => fold(rebuild, onProgress),
    start: (service) => {
      switch (service) {
        case 'gateway':
          return startGateway(foundation, log, alongside);
        case 'projector':
          return startProjector(foundation, log, stop, alongside);
        case 'analyser':
          return startAnalyser(foundation, log, keys, alongside);
      }
    },
    prune: foundation.prune,
    stop,
  };
  return ports;
};

type OpenLog = CliPorts['log'];

/** How the services of this process stand, as far as they were started. */
type Alongside = { projector?: () => ProjectorStatus; analyser?: () => AnalyserStatus };

const openProjection = async (
  { store, tools, settings }: Foundation,
  log: OpenLog,
): Promise<Result<ProjectionPorts, CliProblem>> => {
  const opened = await log();
  if (!opened.ok) return opened;
  const stored = await store();
  if (!stored.ok) return failed(stored.problem);
  const { audience, logId: pinnedLogId } = settings;
  return ok({ log: opened.value, store: stored.value, tools, audience, pinnedLogId });
};

const failed = ({
  code,
  message,
  hint,
}: {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}): Result<never, CliProblem> => refuse(code, message, hint);

const keyFiles = (dataFolder: string): KeyFiles => ({
  read: readKeyFile,
  readPublic: readPublicKeyFile,
  create: async ({ principal, path }) => {
    const made = await newKeyFile({ principal, path });
    return made.ok ? ok({ key: made.value.signer, path, publicPath: made.value.publicPath }) : made;
  },
  pathOf: (name) => join(keysFolder(dataFolder), `${name}.json`),
});

/** Address of the repository around the working folder, as git knows it. Without git there is none. */
const repositoryAddress = (): Promise<string | null> =>
  new Promise((done) => {
    const options = { timeout: gitWithinMs, encoding: 'utf8' } as const;
    execFile('git', ['config', '--get', 'remote.origin.url'], options, (error, stdout) =>
      done(error === null && stdout.trim() !== '' ? stdout.trim() : null),
    );
  });

const startProjector = async (
  foundation: Foundation,
  log: OpenLog,
  stop: AbortSignal,
  alongside: Alongside,
): Promise<Result<Running, CliProblem>> => {
  const projection = await openProjection(foundation, log);
  if (!projection.ok) return projection;
  const service = await import('../projector/start.ts');
  const projector = service.startProjector({
    ...projection.value,
    clock: foundation.clock,
    tell: (event) => {
      switch (event.event) {
        case 'log':
          note({ code: 'log', message: `projector: log ${event.logId}`, hint: '' });
          return;
        case 'standby':
          // Who stops stands by too, and that is no news.
          if (stop.aborted) return;
          note({ code: 'standby', message: 'projector: stands by', hint: standbyHint });
          return;
        case 'stopped-by': {
          const { code, message, retryInMs } = event;
          const then = retryInMs === null ? '' : `; again in ${retryInMs} ms`;
          note({ code, message: `projector: ${message}${then}`, hint: '' });
          return;
        }
        case 'conflict':
          note({
            code: 'conflict',
            message: `projector: CONFLICT: a marker of deployment ${event.deployment} came again with other content (position ${event.position}); its gate is held`,
            hint: `plimsoll show ${event.deployment}`,
          });
          return;
        case 'active':
        // A command that folded by itself was faster: nothing is lost.
        case 'overtaken':
      }
    },
  });
  alongside.projector = projector.status;
  await measured('projector', () => {
    const { lagRecords, counts } = projector.status();
    return { lagRecords, totals: counts };
  });
  return ok({
    name: 'projector',
    lines: [`projector: follows ${projection.value.log.name}`],
    ended: projector.ended.then((why) => (why === undefined ? undefined : foldFailed(why))),
    stop: projector.stop,
  });
};

const startGateway = async (
  foundation: Foundation,
  log: OpenLog,
  alongside: Alongside,
): Promise<Result<Running, CliProblem>> => {
  const projection = await openProjection(foundation, log);
  if (!projection.ok) return projection;
  const streams = await Promise.all([
    foundation.stream('otlp_metrics'),
    foundation.stream('otlp_spans'),
    foundation.stream('otlp_logs'),
  ]);
  const [metrics, traces, logs] = streams;
  if (!metrics.ok) return failed(metrics.problem);
  if (!traces.ok) return failed(traces.problem);
  if (!logs.ok) return failed(logs.problem);
  // Nobody reads traces and logs from the embedded log: there they are answered and let go.
  const isKept = foundation.settings.log.foundation === 'kafka';
  const [service, http, schemas, canonical, otlp, split, gunzip, response, status] =
    await Promise.all([
      import('../gateway/start.ts'),
      import('../adapters/http/server.ts'),
      import('../adapters/avro/schema-files.ts'),
      import('../adapters/avro/canonical-form.ts'),
      import('../adapters/otlp/metrics-request.ts'),
      import('../adapters/otlp/split-request.ts'),
      import('../adapters/otlp/gunzip.ts'),
      import('../adapters/otlp/metrics-response.ts'),
      import('../adapters/otlp/status-response.ts'),
    ]);
  const { host, port, otlpPort } = foundation.settings;
  const gateway = await service.startGateway({
    ...projection.value,
    clock: foundation.clock,
    schemas: schemas
      .loadSchemas()
      .map((schema) => ({ ...schema, digest: canonical.schemaDigest(schema.text) })),
    telemetry: {
      metrics: metrics.value,
      traces: isKept ? traces.value : null,
      logs: isKept ? logs.value : null,
    },
    otlp: {
      readMetrics: otlp.openMetricsReader(),
      split: split.splitOtlp,
      gunzip: gunzip.gunzipCapped,
      writeMetricsResponse: response.encodeMetricsResponse,
      writeStatus: status.encodeStatus,
    },
    alongside: () => ({
      ...(alongside.projector === undefined ? {} : { projector: alongside.projector() }),
      ...(alongside.analyser === undefined ? {} : { analyser: openOnly(alongside.analyser()) }),
    }),
    serve: http.serveHttp,
    host,
    port,
    otlpPort,
    onError: (error) =>
      note({ code: 'internal', message: `gateway: ${String(error)}`, hint: 'please report it' }),
  });
  if (!gateway.ok) return failed(gateway.problem);
  await measured('gateway', () => ({
    lagRecords: null,
    totals: gateway.value.status().answers,
  }));
  const at = (atPort: number): string => `http://${host}:${atPort}`;
  return ok({
    name: 'gateway',
    lines: [
      `gateway: ${at(gateway.value.port)}`,
      `gateway: OTLP/HTTP at ${gateway.value.otlpPorts.map(at).join(' and ')}`,
    ],
    // It has no end of its own.
    ended: new Promise(() => undefined),
    stop: gateway.value.stop,
  });
};

/** Only a service that runs loads the OpenTelemetry API. */
const measured = async (service: ServiceName, read: () => OwnNumbers): Promise<void> => {
  const { measureService } = await import('../adapters/telemetry/own-metrics.ts');
  measureService(service, read);
};

/** Analyses that ended are told by their decisions. */
const openOnly = (status: AnalyserStatus): AnalyserStatus => ({
  ...status,
  analyses: status.analyses.filter(({ ended }) => ended === null),
});

const startAnalyser = async (
  foundation: Foundation,
  log: OpenLog,
  keys: KeyFiles,
  alongside: Alongside,
): Promise<Result<Running, CliProblem>> => {
  const projection = await openProjection(foundation, log);
  if (!projection.ok) return projection;
  const { settings, clock } = foundation;
  const policy = await readPolicy(settings.policyFile);
  if (!policy.ok) return policy;
  const signer = await keys.read(settings.analyserKeyFile ?? keys.pathOf('analyser'));
  if (!signer.ok) return failed(signer.problem);
  const metrics = await foundation.stream('otlp_metrics');
  if (!metrics.ok) return failed(metrics.problem);
  const samples = await foundation.stream('samples');
  if (!samples.ok) return failed(samples.problem);
  const [service, otlp] = await Promise.all([
    import('../analyser/start.ts'),
    import('../adapters/otlp/metrics-request.ts'),
  ]);
  const analyser = service.startAnalyser({
    ...projection.value,
    clock,
    metrics: metrics.value,
    samples: samples.value,
    signer: signer.value,
    readMetrics: otlp.openMetricsReader(),
    otlpContentTypeOf: otlp.otlpContentTypeOf,
    policy: policy.value,
    tell: (event) => {
      switch (event.event) {
        case 'key-untrusted':
          note({
            code: 'key-untrusted',
            message: `analyser: the log does not trust its key ${event.keyId}`,
            hint: 'plimsoll keys trust FILE --role=analyser …',
          });
          return;
        case 'part-stopped':
          note({
            code: 'unreachable',
            message: `analyser: ${event.part}: ${event.message}; again in ${event.retryInMs} ms`,
            hint: '',
          });
          return;
        case 'excluded': {
          const counts = Object.entries(event.points).map(([why, count]) => `${why} ${count}`);
          const message =
            event.deployment === null
              ? `telemetry that was not taken: ${counts.join(', ')}`
              : `points that are no evidence for deployment ${event.deployment}: ${counts.join(', ')}`;
          note({
            code: 'excluded',
            message: `analyser: ${message}`,
            hint: 'does the service send its service.version, deployment.environment.name and its own time?',
          });
          return;
        }
        case 'analysis-opened': {
          const message = `analyser: compares deployment ${event.deployment}, attempt ${event.attempt}`;
          note({ code: 'analysis-opened', message, hint: '' });
          return;
        }
        case 'decided':
          if (event.position === null) return;
          note({
            code: 'decided',
            message: `analyser: ${event.kind} for deployment ${event.deployment} (position ${event.position})`,
            hint: '',
          });
          return;
        case 'started':
        case 'renewed':
      }
    },
  });
  alongside.analyser = analyser.status;
  await measured('analyser', () => {
    const { parts, rejected } = analyser.status();
    return {
      lagRecords: parts.reduce((sum, part) => sum + part.lagRecords, 0),
      totals: { ...rejected.telemetry, ...rejected.samples },
    };
  });
  return ok({
    name: 'analyser',
    lines: [
      `analyser: signs with key ${signer.value.keyId}, policy ${settings.policyFile ?? 'standard'}`,
    ],
    ended: new Promise(() => undefined),
    stop: analyser.stop,
  });
};

const readPolicy = async (path: string | null): Promise<Result<JudgePolicy, CliProblem>> => {
  if (path === null) return ok(standardPreset);
  let overrides: unknown;
  try {
    overrides = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    return refuse(
      'policy-invalid',
      `${path}: ${String(cause)}`,
      'PLIMSOLL_POLICY names a JSON file',
    );
  }
  const policy = parsePolicy(overrides);
  return policy.ok
    ? policy
    : refuse('policy-invalid', `${path}: ${policy.problem.message}`, 'mend it');
};

const standbyHint = 'another one is active, or the log or the read models cannot be reached';

/** Whoever reads our output may stop early, as `head` does. */
const endQuietly = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode);
};
process.stdout.on('error', endQuietly);
process.stderr.on('error', endQuietly);

try {
  process.exitCode = await answer();
} catch (cause) {
  const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  process.exitCode = refused(
    problem('internal', told, 'this is a fault of Plimsoll; please report it'),
  );
}
// What is written to a pipe may still be on its way; what was opened may keep the process alive.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
