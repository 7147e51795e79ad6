import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newKeyFile, readKeyFile, readPublicKeyFile } from '../../adapters/ed25519/key-file.ts';
import { diskCaptures } from '../../adapters/capture/disk.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { keysFolder } from '../../adapters/foundation/open-keys.ts';
import { createHttpClient } from '../../adapters/http/client.ts';
import { openNumbering } from '../../adapters/numbering/folder.ts';
import { openPlannedHere } from '../../adapters/planned-here/folder.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Git } from '../../ports/git.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { AtHand, CliPorts, FoldProgress, KeyFiles } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed } from '../problem.ts';
import type { Composition } from './composition.ts';
import { failed, openProjection } from './composition.ts';
import { readTextFile, writeTextFile } from './text-file.ts';

/**
 * What the commands stand on, put together for one foundation. Nothing is opened before it is asked for, and of the
 * rooms only what every command needs is loaded before: what pipelines run must start quickly.
 */
export const commandPorts = (
  foundation: Foundation,
  {
    env,
    terminal,
    note,
    stop,
  }: Pick<CliPorts, 'env' | 'terminal' | 'note'> & { readonly stop: AbortSignal },
): CliPorts => {
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
  const composition: Composition = { foundation, log, keys, note, stop };
  const fold = async (
    onProgress: (progress: FoldProgress) => void,
  ): Promise<Result<AtHand, CliProblem>> => {
    const projection = await openProjection(composition);
    if (!projection.ok) return projection;
    const { openGeneration } = await import('../../projector/catch-up.ts');
    const folded = await openGeneration(projection.value, { onProgress });
    if (!folded.ok) return fail(foldFailed(folded.problem));
    const { generation, state } = folded.value;
    return ok({ log: projection.value.log, store: projection.value.store, generation, state });
  };
  const git = async (): Promise<Git> => (await import('../../adapters/git/git.ts')).openGit(env);
  let services: Promise<CliPorts['start']> | undefined;
  const start: CliPorts['start'] = async (service) => {
    services ??= import('./services.ts').then(({ servicesOn }) => servicesOn(composition));
    return (await services)(service);
  };
  return {
    settings,
    env,
    host: hostname(),
    terminal,
    note,
    clock,
    ids,
    tools,
    keys,
    planned: openPlannedHere(join(settings.dataFolder, 'planned', settings.audience)),
    numbering: openNumbering({
      folder: join(settings.dataFolder, 'numbering'),
      log: JSON.stringify([settings.audience, settings.url ?? settings.log]),
      host: hostname(),
      mayBegin: () => existsSync(settings.dataFolder),
    }),
    gateway: settings.url === null ? null : createHttpClient(settings.url),
    repositoryAddress: async () => (await git()).address(),
    git: {
      address: async () => (await git()).address(),
      head: async () => (await git()).head(),
      commitsBetween: async (from, to, limits) => (await git()).commitsBetween(from, to, limits),
    },
    isMade: () =>
      settings.url !== null ||
      settings.log.foundation !== 'sqlite' ||
      existsSync(settings.log.folder),
    log,
    atHand: fold,
    atHandBefore: async (position, onProgress) =>
      (await import('./point-in-time.ts')).atHandBeforeOn(composition)(position, onProgress),
    replay: async () => (await import('./replaying.ts')).replayOn(composition),
    chance: () => randomInt(2 ** 32),
    start,
    archives: {
      write: async (request) =>
        (await import('./archiving.ts')).archivesOn(foundation).write(request),
      verify: async (request) =>
        (await import('./archiving.ts')).archivesOn(foundation).verify(request),
    },
    findProgram: async (program) => (await import('./programs.ts')).findProgramIn(env)(program),
    runProgram: async (call) => (await import('./programs.ts')).runProgramIn(env)(call),
    keptFile: {
      read: async (path) => (await import('./programs.ts')).keptFile.read(path),
      replace: async (path, text) => (await import('./programs.ts')).keptFile.replace(path, text),
      hold: async (path) => (await import('./programs.ts')).keptFile.hold(path),
    },
    migrate: async (command) =>
      (await import('./migration.ts')).migrateOn(foundation, hostname())(command),
    instances: {
      topic: async () => (await import('./instances.ts')).openInstanceTopic(composition),
    },
    problems: async (question, onProgress) =>
      (await import('./problems.ts')).problemsAtHand(composition, question, onProgress),
    readTextFile,
    writeTextFile,
    explaining: async () => (await import('./explaining.ts')).explainingOn(composition),
    captures: diskCaptures,
    readTelemetry: async () =>
      (await import('../../adapters/otlp/metrics-request.ts')).openTelemetryReader(),
    yaml: async () => (await import('./yaml.ts')).yaml,
    planRedrive: (atHand) => async (choice, options) =>
      (await import('./operating.ts')).planRedriveOn(foundation)(atHand)(choice, options),
    planRetention: (atHand) => async (options) =>
      (await import('./operating.ts')).planRetentionOn(foundation)(atHand)(options),
    verifying: async () => (await import('./verifying.ts')).verifyingOn(composition),
    measureVerifier: async (status) =>
      (await import('./verifying.ts')).measureVerifierOn(composition, status),
    prune: foundation.prune,
    stop,
  };
};

const keyFiles = (dataFolder: string): KeyFiles => ({
  read: readKeyFile,
  readPublic: readPublicKeyFile,
  create: async ({ principal, path }) => {
    const made = await newKeyFile({ principal, path });
    return made.ok ? ok({ key: made.value.signer, path, publicPath: made.value.publicPath }) : made;
  },
  pathOf: (name) => join(keysFolder(dataFolder), `${name}.json`),
});
