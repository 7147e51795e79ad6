import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { newKeyFile, readKeyFile, readPublicKeyFile } from '../../adapters/ed25519/key-file.ts';
import type { Basis } from '../../adapters/foundation/basis.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { databaseName } from '../../adapters/foundation/database-name.ts';
import { keysFolder } from '../../adapters/foundation/keys-folder.ts';
import { createHttpClient } from '../../adapters/http/client.ts';
import { openSpool, spoolDestination } from '../../adapters/spool/folder.ts';
import { bootTime } from '../../adapters/system/boot-time.ts';
import { whatLiesAt } from '../../adapters/system/plain-file.ts';
import { ok } from '../../core/result.ts';
import type { Settings } from '../../core/settings.ts';
import type { Git } from '../../ports/git.ts';
import type { Numbering } from '../../ports/numbering.ts';
import type { PlannedHereStore } from '../../ports/planned-here.ts';
import type { CliPorts, KeyFiles } from '../ports.ts';
import type { AtHandPorts } from './at-hand-ports.ts';
import { pinnedGateway } from './pinned-gateway.ts';
import { projectFilesAt } from './project-files.ts';
import { tokensPathOf } from './tokens-path.ts';
import { readPieces, readTextFile, writeTextFile } from './text-file.ts';

/**
 * What the commands stand on. Nothing is opened before it is asked for, and what only some commands need is not even
 * loaded: what pipelines run must start quickly, and through a gateway it needs no foundation.
 */
export const commandPorts = (
  { settings, clock, ids, tools }: Basis & { readonly settings: Settings },
  openFoundation: () => Promise<Foundation>,
  {
    env,
    settingSources,
    readSettings,
    terminal,
    note,
    holdNotes,
    isJson,
    stop,
  }: Pick<
    CliPorts,
    'env' | 'settingSources' | 'readSettings' | 'terminal' | 'note' | 'holdNotes' | 'isJson'
  > & {
    readonly stop: AbortSignal;
  },
): CliPorts => {
  const keys = keyFiles(settings.dataFolder);
  const git = async (): Promise<Omit<Git, 'isHere'>> =>
    (await import('../../adapters/git/git.ts')).openGit(env);
  let opening: Promise<AtHandPorts> | undefined;
  const atHand = (): Promise<AtHandPorts> =>
    (opening ??= Promise.all([import('./at-hand-ports.ts'), openFoundation()]).then(
      ([{ atHandPorts }, foundation]) => atHandPorts(foundation, { keys, note, stop }),
    ));
  const planned = async (): Promise<PlannedHereStore> => {
    const { openPlannedHereOrSpare } = await import('../../adapters/planned-here/spare.ts');
    return openPlannedHereOrSpare(join(settings.dataFolder, 'planned', settings.audience));
  };
  const numbering = async (): Promise<Numbering> => {
    const { openNumbering } = await import('../../adapters/numbering/folder.ts');
    return openNumbering({
      folder: join(settings.dataFolder, 'numbering'),
      log: JSON.stringify([settings.audience, settings.url ?? settings.log]),
      host: hostname(),
      mayBegin: () => existsSync(settings.dataFolder),
    });
  };
  return {
    settings,
    settingSources,
    readSettings,
    env,
    host: hostname(),
    terminal,
    note,
    holdNotes,
    isJson,
    clock,
    // From the start of the process, before any of our code was loaded.
    // As performance.now() says it, whose module need not be loaded.
    sinceStartMs: () => process.uptime() * 1000,
    ids,
    tools,
    keys,
    tokens: async () =>
      (await import('../../adapters/tokens/tokens-file.ts')).tokenListAt(tokensPathOf(settings)),
    spool: openSpool({
      ...settings.spool,
      root: settings.spool.folder,
      destination: spoolDestination(settings.audience, addressOf(settings)),
      tools,
      now: spoolNow,
    }),
    spoolNow,
    flushApart: async (keyFile, toldLine) =>
      (await import('./flush-apart.ts')).flushApart(keyFile, toldLine),
    readPieces: (path) => readPieces(path),
    planned: {
      names: async () => (await planned()).names(),
      last: async (deployName) => (await planned()).last(deployName),
      begin: async (deployName, plan, before) => (await planned()).begin(deployName, plan, before),
      end: async (deployName, deployment) => (await planned()).end(deployName, deployment),
    },
    numbering: {
      take: async (keyId) => (await numbering()).take(keyId),
      giveBack: async (keyId, taken) => (await numbering()).giveBack(keyId, taken),
    },
    gateway:
      settings.url === null ? null : pinnedGateway(createHttpClient(settings.url), settings.logId),
    httpTo: createHttpClient,
    repositoryAddress: async () => (await git()).address(),
    git: {
      isHere: () => isInRepository(process.cwd()),
      address: async () => (await git()).address(),
      head: async () => (await git()).head(),
      commitsBetween: async (from, to, limits) => (await git()).commitsBetween(from, to, limits),
    },
    isMade: async () =>
      settings.url !== null ||
      settings.log.foundation !== 'sqlite' ||
      (await whatLiesAt(join(settings.log.folder, databaseName)).catch(() => null)) !== null,
    isLogThere: async () =>
      settings.log.foundation === 'kafka'
        ? (await import('./log-there.ts')).isLogOnKafka(settings.log.brokers, settings.audience)
        : ok(existsSync(join(settings.log.folder, databaseName))),
    log: async () => (await atHand()).log(),
    atHand: async (onProgress) => (await atHand()).atHand(onProgress),
    atHandBefore: async (position, onProgress) =>
      (await atHand()).atHandBefore(position, onProgress),
    replay: async () => (await atHand()).replay(),
    chance: () => randomInt(2 ** 32),
    start: async (service) => (await atHand()).start(service),
    archives: {
      write: async (request) => (await atHand()).archives.write(request),
      verify: async (request) => (await atHand()).archives.verify(request),
    },
    findProgram: async (program) => (await import('./programs.ts')).findProgramIn(env)(program),
    runProgram: async (call) => (await import('./programs.ts')).runProgramIn(env)(call),
    wrapProgram: async (command, options) =>
      (await import('./wrapping.ts')).wrapProgram(command, options),
    keptFile: {
      read: async (path) => (await import('./programs.ts')).keptFile.read(path),
      replace: async (path, text) => (await import('./programs.ts')).keptFile.replace(path, text),
      hold: async (path) => (await import('./programs.ts')).keptFile.hold(path),
    },
    migrate: async (command) => (await atHand()).migrate(command),
    instances: { topic: async () => (await atHand()).instances.topic() },
    problems: async (question, onProgress) => (await atHand()).problems(question, onProgress),
    projectFiles: () => projectFilesAt(process.cwd()),
    readTextFile,
    writeTextFile,
    explaining: async () => (await atHand()).explaining(),
    captures: {
      filesAt: async (path) => (await diskCaptures()).filesAt(path),
      open: async (path, lineBytesMax) => (await diskCaptures()).open(path, lineBytesMax),
      tail: async (path, bytes) => (await diskCaptures()).tail(path, bytes),
    },
    readTelemetry: async () =>
      (await import('../../adapters/otlp/metrics-request.ts')).openTelemetryReader(),
    bodyFiller: async () => {
      const [{ openBodyFiller }, { loadSchemas }] = await Promise.all([
        import('../../adapters/avro/fill-body.ts'),
        import('../../adapters/avro/schema-files.ts'),
      ]);
      return openBodyFiller(loadSchemas());
    },
    shapeFields: async () => (await import('./emit-command.ts')).shapeFields(),
    yaml: async () => (await import('./yaml.ts')).yaml,
    planRedrive: (models) => async (choice, options) =>
      (await atHand()).planRedrive(models)(choice, options),
    planRetention: (models) => async (options) => (await atHand()).planRetention(models)(options),
    verifying: async () => (await atHand()).verifying(),
    measureVerifier: async (status) => (await atHand()).measureVerifier(status),
    prune: async () => (await atHand()).prune(),
    stop,
  };
};

const diskCaptures = async (): Promise<CliPorts['captures']> =>
  (await import('../../adapters/capture/disk.ts')).diskCaptures;
/** What names the log that markers go to. A folder may be written in many ways, and may move with its own spool. */
const addressOf = ({ url, log, spool, dataFolder }: Settings): string => {
  if (url !== null) return url;
  switch (log.foundation) {
    case 'kafka':
      return `kafka://${log.brokers.toSorted().join(',')}`;
    case 'sqlite':
      return resolve(spool.folder).startsWith(`${resolve(dataFolder)}${sep}`)
        ? 'sqlite:beside the spool'
        : `sqlite:${resolve(log.folder)}`;
  }
};

const spoolNow: CliPorts['spoolNow'] = () => ({ wallMs: Date.now(), boot: bootTime() });

const keyFiles = (dataFolder: string): KeyFiles => ({
  read: readKeyFile,
  readPublic: readPublicKeyFile,
  create: async ({ principal, path }) => {
    const made = await newKeyFile({ principal, path });
    return made.ok ? ok({ key: made.value.signer, path, publicPath: made.value.publicPath }) : made;
  },
  pathOf: (name) => join(keysFolder(dataFolder), `${name}.json`),
});

/** Without asking git: most jobs that only tell have no repository at hand. */
const isInRepository = (folder: string): boolean =>
  existsSync(join(folder, '.git')) ||
  (dirname(folder) !== folder && isInRepository(dirname(folder)));
