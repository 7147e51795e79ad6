import type { CliPorts, Running, ServiceName } from '../../services/cli/ports.ts';
import type { CliProblem } from '../../services/cli/problem.ts';
import { parseCommandLine, wantsJson } from '../../services/cli/terminal/arguments.ts';
import { commands } from '../../services/cli/commands.ts';
import { commandsWithFlags, shapeFields } from '../../services/cli/main/emit-command.ts';
import { printNote, printProblem } from '../../services/cli/terminal/output.ts';
import { foldFailed, problem, refuse } from '../../services/cli/problem.ts';
import { run } from '../../services/cli/run.ts';
import { diskCaptures } from '../../services/adapters/capture/disk.ts';
import { openBodyFiller } from '../../services/adapters/avro/fill-body.ts';
import { loadSchemas } from '../../services/adapters/avro/schema-files.ts';
import { openTelemetryReader } from '../../services/adapters/otlp/metrics-request.ts';
import { pinnedGateway } from '../../services/cli/main/pinned-gateway.ts';
import { projectFilesAt } from '../../services/cli/main/project-files.ts';
import { writeTextFile } from '../../services/cli/main/text-file.ts';
import { verifyArchive } from '../../services/adapters/archive/verify.ts';
import { writeArchive } from '../../services/adapters/archive/write.ts';
import { printYaml } from '../../services/adapters/yaml/print-yaml.ts';
import { readYaml } from '../../services/adapters/yaml/read-yaml.ts';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { orderedInstanceModels } from '../../services/core/instances/fold.ts';
import { createMemoryIds } from '../../services/adapters/memory/ids.ts';
import { createHttpClient } from '../../services/adapters/http/client.ts';
import { openSpool } from '../../services/adapters/spool/folder.ts';
import { tokenListAt } from '../../services/adapters/tokens/tokens-file.ts';
import { openPlannedHere } from '../../services/adapters/planned-here/folder.ts';
import { fail, ok } from '../../services/core/result.ts';
import { orderedModels } from '../../services/core/read-models.ts';
import type { Result } from '../../services/core/result.ts';
import { parseSettings } from '../../services/core/settings.ts';
import type { Git } from '../../services/ports/git.ts';
import type { HttpClient } from '../../services/ports/http.ts';
import type { Numbering } from '../../services/ports/numbering.ts';
import { foldToEnd, openGeneration } from '../../services/projector/catch-up.ts';
import { generationNotes } from '../../services/projector/generation-notes.ts';
import { foldInstancesToEnd } from '../../services/projector/instances.ts';
import { openExplaining } from '../../services/cli/main/explaining.ts';
import { openSampleArchive } from '../../services/adapters/archive/samples.ts';
import { readProblems } from '../../services/projector/problems.ts';
import { openPlanRetention } from '../../services/replay/plan-retention.ts';
import { openReplay } from '../../services/replay/replay.ts';
import { openVerifier } from '../../services/replay/verify.ts';
import { openPlanRedrive } from '../../services/replay/redrive.ts';
import type { GatewayHouse } from './gateway.ts';
import { openGatewayHouse } from './gateway.ts';
import type { Step } from './given.ts';
import { emptyStore, keyOf, tools, trusts } from './given.ts';
import { audience } from './markers.ts';
import { value } from './records.ts';

// The commands of plimsoll in this process, over a log in memory that each call leaves a minute older.

export type Said = {
  readonly exit: number;
  /** Lines of stdout and stderr. */
  readonly out: readonly string[];
  readonly err: readonly string[];
};

export type Desk = {
  readonly house: GatewayHouse;
  readonly plimsoll: (...args: readonly string[]) => Promise<Said>;
  /** The same log, seen by another pipeline: another environment, key or folder. */
  readonly elsewhere: (change: DeskOptions) => Desk;
};

export type DeskOptions = {
  /** Folder for what plans leave behind. */
  readonly folder?: string;
  readonly env?: { readonly [name: string]: string };
  /** Commands go through the gateway. */
  readonly isRemote?: boolean;
  readonly repository?: string;
  /** Without it there is no repository here, and no git. */
  readonly git?: Git;
  /** Texts of files, by their paths. */
  /** How what is emitted is counted; without it nothing is. */
  readonly numbering?: Numbering;
  readonly files?: { readonly [path: string]: string };
  readonly columns?: number;
  readonly hasColour?: boolean;
  readonly change?: (ports: CliPorts) => CliPorts;
};

const minuteMs = 60_000;

/** A desk before a log that trusts the key `local`, and whomever the steps name. */
export const openDesk = async (
  options: DeskOptions & { readonly folder: string; readonly steps?: readonly Step[] },
): Promise<Desk> => {
  const house = await openGatewayHouse([trusts('local'), ...(options.steps ?? [])]);
  return deskBefore(house, options);
};

const deskBefore = (
  house: GatewayHouse,
  options: DeskOptions & { readonly folder: string },
): Desk => ({
  house,
  elsewhere: (change) => deskBefore(house, { ...options, ...change }),
  plimsoll: async (...args) => {
    const out: string[] = [];
    const err: string[] = [];
    const isJson = wantsJson(args);
    const terminal: CliPorts['terminal'] = {
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      columns: options.columns ?? null,
      hasColour: options.hasColour ?? false,
    };
    const ended = (exit: number): Said => ({ exit, out: linesOf(out), err: linesOf(err) });
    const request = parseCommandLine(args, commandsWithFlags(commands));
    if (!request.ok) {
      printProblem(terminal, isJson, request.problem);
      return ended(request.problem.exit);
    }
    if (request.value.ask !== 'run') throw new Error(`${args.join(' ')} asks for no command`);
    const ports = portsOf(house, options, terminal, isJson);
    const { command, given } = request.value;
    const exit = await run(options.change?.(ports) ?? ports, command.name, given);
    await house.ports.clock.sleep(minuteMs);
    return ended(exit);
  },
});

const unconfigured: CliPorts['settingSources'] = {
  file: null,
  defaults: {},
  // The desk names its folder.
  setting: (name) => ({
    from: name === 'PLIMSOLL_LOG' ? 'environment' : 'default',
    value: null,
    line: null,
  }),
};

const portsOf = (
  house: GatewayHouse,
  {
    folder,
    env = {},
    isRemote = false,
    repository,
    git,
    files = {},
    numbering,
  }: DeskOptions & { readonly folder: string },
  terminal: CliPorts['terminal'],
  isJson: boolean,
): CliPorts => {
  const note: CliPorts['note'] = (told) => printNote(terminal, isJson, told);
  const { log, store } = house;
  const { nowMs } = house.ports.clock;
  const projection = { log, store, tools, audience, pinnedLogId: null };
  const fold = async (work: typeof openGeneration): ReturnType<CliPorts['atHand']> => {
    const folded = await work(projection, {});
    return folded.ok ? ok({ log, store, ...folded.value }) : fail(foldFailed(folded.problem));
  };
  const settings = value(parseSettings({ ...env, PLIMSOLL_LOG: `sqlite:${folder}` }));
  return {
    settings,
    readSettings: () => ok({ settings, settingSources: unconfigured }),
    projectFiles: () => projectFilesAt(folder),
    settingSources: unconfigured,
    env,
    host: 'desk',
    terminal,
    note,
    holdNotes: () => () => [],
    isJson,
    // No whole number, as a real one is.
    sinceStartMs: () => 0.07,
    // Nothing here takes so long that anybody would give up waiting.
    clock: { nowMs, sleep: (_ms, signal) => untilAborted(signal) },
    ids: createMemoryIds(`desk ${nowMs()}`, nowMs),
    tools,
    keys: {
      read: async (path) =>
        path.endsWith('missing.json')
          ? fail({ code: 'key-file-missing', message: `${path}: no such file`, hint: 'make one' })
          : ok(keyOf(nameIn(path))),
      readPublic: async (path) => {
        const { keyId, principal, algorithm, publicKey } = keyOf(nameIn(path));
        return ok({ keyId, principal, algorithm, publicKey });
      },
      create: async ({ principal, path }) => {
        const { keyId, algorithm, publicKey } = keyOf(principal);
        const key = { keyId, principal, algorithm, publicKey };
        return ok({ key, path, publicPath: path.replace(/\.json$/, '.pub.json') });
      },
      pathOf: (name) => `keys/${name}.json`,
    },
    tokens: async () => tokenListAt(env['PLIMSOLL_TOKENS'] ?? `${folder}/tokens.txt`),
    explaining: async () =>
      ok(
        openExplaining({
          audience,
          log,
          store,
          samples: house.samples,
          archive: openSampleArchive(`${folder}/archive`, house.samples.name),
          tools,
          clock: house.ports.clock,
        }),
      ),
    captures: diskCaptures,
    readTelemetry: async () => openTelemetryReader(),
    writeTextFile,
    planned: openPlannedHere(folder),
    spool: openSpool({
      root: folder,
      destination: { name: 'spool', label: 'desk' },
      tools,
      now: () => ({ wallMs: nowMs(), boot: null }),
      bytesMax: 1_000_000,
      ageMaxMs: 30 * 86_400_000,
    }),
    spoolNow: () => ({ wallMs: nowMs(), boot: null }),
    flushApart: async () => undefined,
    readPieces: async function* (path) {
      yield files[path] ?? '';
    },
    numbering: numbering ?? { take: async () => null, giveBack: async () => undefined },
    gateway: isRemote ? pinnedGateway(clientOf(house), value(parseSettings(env)).logId) : null,
    httpTo: createHttpClient,
    repositoryAddress: async () => repository ?? null,
    git: git ?? {
      isHere: () => false,
      address: async () => null,
      head: async () => null,
      commitsBetween: async () => null,
    },
    isMade: async () => true,
    isLogThere: async () => ok(true),
    log: async () => ok(log),
    atHandBefore: async (position) => {
      const memory = emptyStore();
      const folded = await foldToEnd({ ...projection, store: memory }, 'g1', { to: position });
      return folded.ok
        ? ok({ log, store: memory, ...folded.value })
        : fail(foldFailed(folded.problem));
    },
    atHand: () => fold(openGeneration),
    replay: async () =>
      ok(
        openReplay({
          ...projection,
          // The clock of the desk sleeps until it is told to end, and a rate asks for naps.
          clock: { nowMs, sleep: async () => undefined },
          fold: foldToEnd,
          notes: generationNotes,
          scratch: async () => ok(createMemoryReadModelStore({ orderedModels })),
        }),
      ),
    chance: () => 1,
    archives: {
      write: (request) => writeArchive({ tools, audience, nowMs }, request),
      verify: (request) => verifyArchive({ tools, audience }, { ...request, topic: log.name }),
    },
    migrate: async () => refuse('internal', 'nothing moves here', ''),
    start: async (name: ServiceName): Promise<Result<Running, CliProblem>> =>
      refuse('internal', `${name} is not started here`, ''),
    instances: { topic: async () => ok(house.instances) },
    problems: async (question) => {
      const folded = await openGeneration(projection);
      if (!folded.ok) return fail(foldFailed(folded.problem));
      const instanceStore = createMemoryReadModelStore({ orderedModels: orderedInstanceModels });
      value(await foldInstancesToEnd({ instances: house.instances, instanceStore, projection }));
      const { generation } = folded.value;
      return ok(value(await readProblems(tools)({ store, generation, instanceStore }, question)));
    },
    readTextFile: async (path) => {
      const text = files[path];
      return text === undefined ? refuse('file-invalid', `${path}: no such file`, '') : ok(text);
    },
    bodyFiller: async () => openBodyFiller(loadSchemas()),
    shapeFields: async () => shapeFields(),
    yaml: async () => ({ read: readYaml, print: printYaml }),
    planRedrive: ({ generation, state }) =>
      openPlanRedrive(
        { ...projection, clock: house.ports.clock, foldToEnd },
        { generation, state },
      ),
    planRetention: ({ generation, state }) =>
      openPlanRetention(store, { generation, state, nowMs: nowMs() }),
    verifying: async () =>
      ok({
        current: async () => ok(value(await store.current())),
        open: openVerifier({
          ...projection,
          clock: house.ports.clock,
          fold: foldToEnd,
          scratch: async () => ok(emptyStore()),
        }),
      }),
    findProgram: async () => ok(undefined),
    runProgram: async () => ok({ exit: 0 }),
    wrapProgram: async () => ({
      ...{ exit: 0, signal: null, asked: null, tail: '', tailMissing: null, problem: null },
    }),
    keptFile: {
      read: async () => ok(undefined),
      replace: async () => ok(undefined),
      hold: async () => ok(() => undefined),
    },
    measureVerifier: async () => ok([]),
    prune: async () => undefined,
    stop: new AbortController().signal,
  };
};

/** `keys/ci.json` and `ci.pub.json` are of the key `ci`. */
const nameIn = (path: string): string =>
  (path.split('/').at(-1) ?? '').replace(/(?:\.pub)?\.json$/, '');

const clientOf =
  (house: GatewayHouse): HttpClient =>
  async ({ method, path, headers, body }) => {
    await house.project();
    const answer = await house.send(method, path, {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    await house.project();
    return ok({
      status: answer.status,
      header: (name) => answer.headers[name],
      body: answer.bytes,
    });
  };

const untilAborted = (signal: Parameters<CliPorts['clock']['sleep']>[1]): Promise<void> =>
  new Promise((done) => signal?.addEventListener('abort', done));

const linesOf = (written: readonly string[]): readonly string[] =>
  written.join('') === '' ? [] : written.join('').replace(/\n$/, '').split('\n');

/** A problem as a port would answer it. */
export const unreachable = (message: string): Result<never, CliProblem> =>
  fail(problem('unreachable', message, 'wait'));

/** The one JSON line that was printed. */
export const jsonOf = ({ out }: Said): { readonly [field: string]: unknown } => {
  if (out.length !== 1) throw new Error(`expected one line: ${out.join('\n')}`);
  return JSON.parse(out[0] ?? '') as { readonly [field: string]: unknown };
};
