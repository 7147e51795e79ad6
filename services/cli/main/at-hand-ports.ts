import type { Foundation } from '../../adapters/foundation/foundation.ts';
import { hostname } from 'node:os';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { RecordLog } from '../../ports/record-log.ts';
import type { AtHand, CliPorts, FoldProgress } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed } from '../problem.ts';
import type { Composition } from './composition.ts';
import { failed, openProjection } from './composition.ts';

/** The ports that stand on a foundation: the log at hand, its read models, and what is built on them. */
export type AtHandPorts = Pick<
  CliPorts,
  | 'log'
  | 'atHand'
  | 'atHandBefore'
  | 'replay'
  | 'start'
  | 'archives'
  | 'migrate'
  | 'instances'
  | 'problems'
  | 'explaining'
  | 'planRedrive'
  | 'planRetention'
  | 'verifying'
  | 'measureVerifier'
  | 'prune'
>;

/** Put together for one foundation; of the rooms only what is asked for is loaded. */
export const atHandPorts = (
  foundation: Foundation,
  { keys, note, stop }: Pick<Composition, 'keys' | 'note' | 'stop'>,
): AtHandPorts => {
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
  let services: Promise<CliPorts['start']> | undefined;
  const start: CliPorts['start'] = async (service) => {
    services ??= import('./services.ts').then(({ servicesOn }) => servicesOn(composition));
    return (await services)(service);
  };
  return {
    log,
    atHand: fold,
    atHandBefore: async (position, onProgress) =>
      (await import('./point-in-time.ts')).atHandBeforeOn(composition)(position, onProgress),
    replay: async () => (await import('./replaying.ts')).replayOn(composition),
    start,
    archives: {
      write: async (request) =>
        (await import('./archiving.ts')).archivesOn(foundation).write(request),
      verify: async (request) =>
        (await import('./archiving.ts')).archivesOn(foundation).verify(request),
    },
    migrate: async (command) =>
      (await import('./migration.ts')).migrateOn(foundation, hostname())(command),
    instances: {
      topic: async () => (await import('./instances.ts')).openInstanceTopic(composition),
    },
    problems: async (question, onProgress) =>
      (await import('./problems.ts')).problemsAtHand(composition, question, onProgress),
    explaining: async () => (await import('./explaining.ts')).explainingOn(composition),
    planRedrive: (atHand) => async (choice, options) =>
      (await import('./operating.ts')).planRedriveOn(foundation)(atHand)(choice, options),
    planRetention: (atHand) => async (options) =>
      (await import('./operating.ts')).planRetentionOn(foundation)(atHand)(options),
    verifying: async () => (await import('./verifying.ts')).verifyingOn(composition),
    measureVerifier: async (status) =>
      (await import('./verifying.ts')).measureVerifierOn(composition, status),
    prune: foundation.prune,
  };
};
