import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newKeyFile, readKeyFile, readPublicKeyFile } from '../../adapters/ed25519/key-file.ts';
import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { keysFolder } from '../../adapters/foundation/open-keys.ts';
import { createHttpClient } from '../../adapters/http/client.ts';
import { openNumbering } from '../../adapters/numbering/folder.ts';
import { openPlannedHere } from '../../adapters/planned-here/folder.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import { openGeneration } from '../../projector/catch-up.ts';
import type { AtHand, CliPorts, FoldProgress, KeyFiles } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed } from '../problem.ts';
import { startAnalyser } from './analyser-service.ts';
import { archivesOn } from './archiving.ts';
import type { Composition } from './composition.ts';
import { failed, openProjection } from './composition.ts';
import { startGateway } from './gateway-service.ts';
import { openInstanceTopic } from './instances.ts';
import { withMetrics } from './metrics-server.ts';
import { migrateOn } from './migration.ts';
import { openOwnMetrics } from './own-metrics.ts';
import { planRedriveOn, planRetentionOn } from './operating.ts';
import { atHandBeforeOn } from './point-in-time.ts';
import { problemsAtHand, readTextFile } from './problems.ts';
import { startProjector } from './projector-service.ts';
import { replayOn } from './replaying.ts';
import { measureVerifierOn, verifyingOn } from './verifying.ts';

const gitWithinMs = 2000;

/** What the commands stand on, put together for one foundation. Nothing is opened before it is asked for. */
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
  const metrics = openOwnMetrics();
  const composition: Composition = {
    ...{ foundation, log, keys, note, stop, metrics },
    alongside: {},
  };
  const fold = async (
    work: typeof openGeneration,
    onProgress: (progress: FoldProgress) => void,
  ): Promise<Result<AtHand, CliProblem>> => {
    const projection = await openProjection(composition);
    if (!projection.ok) return projection;
    const folded = await work(projection.value, { onProgress });
    if (!folded.ok) return fail(foldFailed(folded.problem));
    const { generation, state } = folded.value;
    return ok({ log: projection.value.log, store: projection.value.store, generation, state });
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
    repositoryAddress,
    log,
    atHand: (onProgress) => fold(openGeneration, onProgress),
    atHandBefore: atHandBeforeOn(composition),
    replay: () => replayOn(composition),
    chance: () => randomInt(2 ** 32),
    start: withMetrics(composition, (service) => {
      switch (service) {
        case 'gateway':
          return startGateway(composition);
        case 'projector':
          return startProjector(composition);
        case 'analyser':
          return startAnalyser(composition);
      }
    }),
    archives: archivesOn(foundation),
    migrate: migrateOn(foundation, hostname()),
    instances: { topic: () => openInstanceTopic(composition) },
    problems: (question, onProgress) => problemsAtHand(composition, question, onProgress),
    readTextFile,
    planRedrive: planRedriveOn(foundation),
    planRetention: planRetentionOn(foundation),
    verifying: () => verifyingOn(composition),
    measureVerifier: (status) => measureVerifierOn(composition, status),
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

/** Address of the repository around the working folder, as git knows it. Without git there is none. */
const repositoryAddress = (): Promise<string | null> =>
  new Promise((done) => {
    const options = { timeout: gitWithinMs, encoding: 'utf8' } as const;
    execFile('git', ['config', '--get', 'remote.origin.url'], options, (error, stdout) =>
      done(error === null && stdout.trim() !== '' ? stdout.trim() : null),
    );
  });
