import type { LogRecord, Position } from '../core/log/record.ts';
import type { FoldState } from '../core/projection.ts';
import { currentFoldVersion } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { ReadProblem } from '../ports/record-log.ts';
import type { ProjectionPorts, ProjectionProblem } from './project.ts';
import { applyBatch, batchRecordsMax, loadState } from './project.ts';

/** Read models that are as new as the log was when they were asked for. */
export type CaughtUp = {
  readonly generation: Generation;
  readonly state: FoldState;
};

export type Progress = { readonly next: Position; readonly end: Position };

const firstGeneration = 'g1';

/**
 * The generation that readers use, made where there is none. One that another version of the fold wrote is folded
 * anew beside it and then switched; one that a newer version wrote is refused.
 */
export const openGeneration = async (
  ports: ProjectionPorts,
  onProgress?: (progress: Progress) => void,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const current = await ports.store.current();
  if (!current.ok) return storeFailed(current.problem);
  if (current.value === undefined) return openFirst(ports, onProgress);
  const checkpoint = await ports.store.checkpoint(current.value);
  if (!checkpoint.ok) return storeFailed(checkpoint.problem);
  const wrote = checkpoint.value?.foldVersion ?? currentFoldVersion;
  if (wrote > currentFoldVersion)
    return refuse(
      'old-code',
      `the read models were written by fold ${wrote}; this program has fold ${currentFoldVersion}: install the newer release`,
    );
  if (wrote < currentFoldVersion) return rebuild(ports, onProgress);
  return foldToEnd(ports, current.value, onProgress);
};

const openFirst = async (
  ports: ProjectionPorts,
  onProgress?: (progress: Progress) => void,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const folded = await foldToEnd(ports, firstGeneration, onProgress);
  if (!folded.ok) return folded;
  // If we stop before this, the next one finds the generation folded and only points to it.
  const switched = await ports.store.switchTo(undefined, firstGeneration);
  if (!switched.ok) return storeFailed(switched.problem);
  return switched.value ? folded : openGeneration(ports, onProgress);
};

/** Folds the whole log into a new generation beside the one in use, then switches to it and drops the old one. */
export const rebuild = async (
  ports: ProjectionPorts,
  onProgress?: (progress: Progress) => void,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const current = await ports.store.current();
  if (!current.ok) return storeFailed(current.problem);
  const known = await ports.store.generations();
  if (!known.ok) return storeFailed(known.problem);
  const generation = nextGeneration(known.value);
  const folded = await foldToEnd(ports, generation, onProgress);
  if (!folded.ok) return folded;
  const switched = await ports.store.switchTo(current.value, generation);
  if (!switched.ok) return storeFailed(switched.problem);
  if (!switched.value) {
    await ports.store.drop(generation);
    return openGeneration(ports, onProgress);
  }
  if (current.value !== undefined) await ports.store.drop(current.value);
  return folded;
};

const nextGeneration = (known: readonly Generation[]): Generation => {
  const numbers = known.map((name) => Number(/^g([0-9]+)$/.exec(name)?.[1] ?? 0));
  return `g${Math.max(0, ...numbers) + 1}`;
};

/** Reads from the checkpoint to the end that the log has now. Safe beside a projector: of two writers one wins. */
export const foldToEnd = async (
  ports: ProjectionPorts,
  generation: Generation,
  onProgress?: (progress: Progress) => void,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const range = await ports.log.range(0);
  if (!range.ok) return logFailed(range.problem);
  const { end } = range.value;
  let state: FoldState | undefined;
  let loaded = false;
  for (;;) {
    if (!loaded) {
      const opened = await openState(ports, generation, end);
      if (!opened.ok) return opened;
      state = opened.value;
      loaded = true;
    }
    const next = state?.next ?? 0;
    onProgress?.({ next, end });
    if (state !== undefined && next >= end) return ok({ generation, state });
    const records = await ports.log.read(0, next, batchRecordsMax);
    if (!records.ok) return logFailed(records.problem);
    if (records.value.length === 0)
      return refuse('log-empty', `${ports.log.name} has no record ${next} yet`);
    const applied = await applyBatch(ports, generation, state, records.value);
    if (applied.ok) state = applied.value.state;
    else if (applied.problem.code === 'gap') loaded = false;
    else return applied;
  }
};

/** The state of a generation, after making sure that it is this log's and not ahead of it. */
export const openState = async (
  ports: ProjectionPorts,
  generation: Generation,
  end: Position,
): Promise<Result<FoldState | undefined, ProjectionProblem>> => {
  const state = await loadState(ports, generation);
  if (!state.ok || state.value === undefined) return state;
  const { next, lastDigest, trust } = state.value;
  if (next > end)
    return refuse(
      'log-shortened',
      `${ports.log.name} ends at ${end}, the read models were folded up to ${next}: the log was shortened or replaced`,
    );
  if (ports.pinnedLogId !== null && ports.pinnedLogId !== trust.logId)
    return refuse(
      'foreign-log',
      `the read models are of the log ${trust.logId}; PLIMSOLL_LOG_ID asks for ${ports.pinnedLogId}`,
    );
  const last = await ports.log.read(0, next - 1, 1);
  if (!last.ok) return logFailed(last.problem);
  return isLastApplied(ports, last.value[0], lastDigest)
    ? state
    : refuse(
        'foreign-log',
        `record ${next - 1} of ${ports.log.name} is not the one that the read models were folded from: it is another log, or its records were replaced`,
      );
};

const isLastApplied = (
  { tools }: ProjectionPorts,
  record: LogRecord | undefined,
  lastDigest: string,
): boolean => record !== undefined && tools.crypto.sha256Hex(record.value) === lastDigest;

const storeFailed = (problem: {
  readonly code: string;
  readonly message: string;
}): Result<never, ProjectionProblem> =>
  refuse(problem.code === 'corrupt' ? 'corrupt' : 'unreachable', problem.message);

const logFailed = (problem: ReadProblem): Result<never, ProjectionProblem> => {
  switch (problem.code) {
    case 'corrupt':
      return refuse('corrupt', problem.message);
    case 'beyond-end':
    case 'before-start':
      return refuse('log-shortened', problem.message);
    case 'unreachable':
    case 'closed':
      return refuse('unreachable', problem.message);
  }
};

const refuse = (
  code: ProjectionProblem['code'],
  message: string,
): Result<never, ProjectionProblem> => fail({ code, message });
