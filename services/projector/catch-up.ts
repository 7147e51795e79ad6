import type { GenerationNote } from '../core/generation-note.ts';
import { beyondKept, filterOf, firstGeneration, nextGeneration } from '../core/generation-note.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { FoldState } from '../core/projection.ts';
import { currentFoldVersion } from '../core/projection.ts';
import { noFilter } from '../core/record-filter.ts';
import type { RecordFilter } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type {
  CaughtUp,
  FoldOptions,
  FoldToEnd,
  ProjectionPorts,
  ProjectionProblem,
} from '../ports/projecting.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { ReadProblem } from '../ports/record-log.ts';
import type { Checks } from './checks.ts';
import { openChecks } from './checks.ts';
import { generationNotes as notes } from './generation-notes.ts';
import { applyBatch, batchRecordsMax, loadState, openingOf, storeProblem } from './project.ts';

/**
 * The generation that readers use, made where there is none. One that another version of the fold wrote is folded
 * anew beside it and then switched; one that a newer version wrote is refused.
 */
export const openGeneration = async (
  ports: ProjectionPorts,
  options: FoldOptions = {},
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const current = await ports.store.current();
  if (!current.ok) return fail(storeProblem(current.problem));
  const generation = current.value ?? firstGeneration;
  const checkpoint = await ports.store.checkpoint(generation);
  if (!checkpoint.ok) return fail(storeProblem(checkpoint.problem));
  const wrote = checkpoint.value?.foldVersion ?? currentFoldVersion;
  if (wrote > currentFoldVersion)
    return refuse(
      'old-code',
      `the read models were written by fold ${wrote}; this program has fold ${currentFoldVersion}: install the newer release`,
    );
  if (wrote < currentFoldVersion) return rebuild(ports, { ...believing(ports), ...options });
  return current.value === undefined
    ? openFirst(ports, options)
    : foldToEnd(ports, generation, options);
};

/** What was checked before need not be checked for a new release's rows; a few are all the same. */
const believing = ({ store }: ProjectionPorts): Pick<FoldOptions, 'checks' | 'recordsMax'> => ({
  recordsMax: rebuildRecordsMax,
  checks: { aside: store.aside, sampleShare: checkedAgainShare, seed: currentFoldVersion },
});

/** Records of one commit where nobody waits for the next one to be visible. */
export const rebuildRecordsMax = 1000;
/** Share of the remembered signature checks that a rebuild makes all the same. */
export const checkedAgainShare = 0.01;

const openFirst = async (
  ports: ProjectionPorts,
  options: FoldOptions,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const folded = await foldToEnd(ports, firstGeneration, options);
  if (!folded.ok) return folded;
  // If we stop before this, the next one finds the generation folded and only points to it.
  const switched = await ports.store.switchTo(undefined, firstGeneration);
  if (!switched.ok) return fail(storeProblem(switched.problem));
  return switched.value ? folded : openGeneration(ports, options);
};

/**
 * Folds the whole log into a new generation beside the one in use, then switches to it. The one that was in use stays,
 * so that it can be switched back to; of older ones only a few stay. A projector may go on meanwhile; it finds its
 * generation no longer in use and goes on with the new one.
 */
export const rebuild = async (
  ports: ProjectionPorts,
  options: FoldOptions = {},
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const { store } = ports;
  const current = await store.current();
  if (!current.ok) return fail(storeProblem(current.problem));
  const own = await isOfThisLog(ports, current.value);
  if (!own.ok) return own;
  const known = await store.generations();
  if (!known.ok) return fail(storeProblem(known.problem));
  const begun = await beginGeneration(ports, options);
  if (!begun.ok) return begun;
  const generation = begun.value;
  const caughtUp = await foldPast(ports, generation, current.value, options);
  if (!caughtUp.ok) return caughtUp;
  const noted = await notes.save(store, generation, rebuiltNote(caughtUp.value, current.value));
  if (!noted.ok) return noted;
  const switched = await store.switchTo(current.value, generation);
  if (!switched.ok) return fail(storeProblem(switched.problem));
  // Another rebuild was faster. Ours stays for the next one to drop: a third may be about to switch to it.
  if (!switched.value) return openGeneration(ports, options);
  await dropBeyondKept(ports, known.value, current.value);
  // What was written to the old generation until now is on the log.
  return foldToEnd(ports, generation, options);
};

/** Nothing is begun beside the read models of another log: a store behind a wrong address stays as it is. */
const isOfThisLog = async (
  ports: ProjectionPorts,
  used: Generation | undefined,
): Promise<Result<void, ProjectionProblem>> => {
  if (used === undefined) return ok(undefined);
  const stands = await ports.store.checkpoint(used);
  if (!stands.ok) return fail(storeProblem(stands.problem));
  if (stands.value === undefined) return ok(undefined);
  const records = await ports.log.read(0, 0, firstBatchRecords);
  if (!records.ok) return logFailed(records.problem);
  const [opening] = records.value;
  if (opening === undefined) return logShortened(ports, 0, stands.value.next);
  const opened = openingOf(ports, opening);
  if (!opened.ok) return opened;
  return sameLog(ports, stands.value.logId, opened.value.state.trust.logId);
};

const sameLog = (
  { log }: ProjectionPorts,
  used: string,
  read: string,
): Result<void, ProjectionProblem> =>
  used === read
    ? ok(undefined)
    : refuse(
        'foreign-log',
        `the read models in use are of the log ${used}, ${log.name} is the log ${read}: another log needs a store of its own`,
      );

const namesTriedMax = 20;

/** A generation that is ours alone: a replay that takes the name first may have a filter, and would have us fold by it. */
const beginGeneration = async (
  ports: ProjectionPorts,
  options: FoldOptions,
): Promise<Result<Generation, ProjectionProblem>> => {
  for (let tries = 0; tries < namesTriedMax; tries++) {
    const taken = await notes.namesTaken(ports.store);
    if (!taken.ok) return taken;
    const generation = nextGeneration(taken.value);
    const first = { ...options, to: 1, filter: null, isNew: true };
    const opened = await foldToEnd(ports, generation, first);
    if (opened.ok) return ok(generation);
    if (opened.problem.code !== 'gap') return opened;
  }
  return refuse('gap', 'others begin generations all the time');
};

/** Times are the log's own: the projector asks no clock. */
const rebuiltNote = (
  { state }: CaughtUp,
  switchedFrom: Generation | undefined,
): GenerationNote => ({
  madeAt: state.logTimeMs,
  madeBy: 'projector',
  why: 'folded again from record 0',
  filter: noFilter,
  to: null,
  state: 'complete',
  seenAt: state.logTimeMs,
  rate: null,
  sampleShare: 1,
  seed: 0,
  switchedFrom: switchedFrom ?? null,
});

/** Also what rebuilds left that were killed. What cannot be dropped now, the next rebuild drops. */
const dropBeyondKept = async (
  { store }: ProjectionPorts,
  known: readonly Generation[],
  previous: Generation | undefined,
): Promise<void> => {
  const used = new Set([previous]);
  for (const generation of known) {
    const note = await notes.load(store, generation);
    // Somebody may still fold it, or means to.
    if (!note.ok || (note.value !== undefined && note.value.state !== 'complete'))
      used.add(generation);
  }
  for (const generation of beyondKept(known, (one) => used.has(one)))
    await notes.drop(store, generation);
};

/**
 * Folds until the new generation is as far as the one that readers use: they are never sent back, nor to another log.
 * Where that cannot be, the new one is dropped and the answer says why.
 */
const foldPast = async (
  ports: ProjectionPorts,
  generation: Generation,
  used: Generation | undefined,
  options: FoldOptions,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const abandoned = async (
    problem: Result<never, ProjectionProblem>,
  ): Promise<Result<never, ProjectionProblem>> => {
    await notes.drop(ports.store, generation);
    return problem;
  };
  let usedBefore: Position = 0;
  for (;;) {
    const folded = await foldToEnd(ports, generation, options);
    if (!folded.ok || used === undefined) return folded;
    const { next, trust } = folded.value.state;
    // It was there before this fold went to the end.
    if (next < usedBefore) return abandoned(logShortened(ports, next, usedBefore));
    const stands = await ports.store.checkpoint(used);
    if (!stands.ok) return fail(storeProblem(stands.problem));
    if (stands.value === undefined) return folded;
    const { logId, next: usedNext } = stands.value;
    // Asked before it began: the log may have been replaced since.
    const own = sameLog(ports, logId, trust.logId);
    if (!own.ok) return abandoned(own);
    if (usedNext <= next) return folded;
    // Either more came meanwhile, or the log has lost its tail: the next round tells.
    usedBefore = usedNext;
  }
};

/**
 * Reads from the checkpoint at least to the end that the log has now, or to `to`. Safe beside a projector: of two
 * writers one wins each step, and the other reads again where things stand.
 */
export const foldToEnd: FoldToEnd = async (ports, generation, options = {}) => {
  if (options.to !== undefined && options.to < 1)
    throw new RangeError('the record that opens the log is always folded');
  for (let refused = 0; ; refused++) {
    const folded = await foldOnce(ports, generation, options);
    const isOver = folded.ok || folded.problem.code !== 'gap' || options.isNew === true;
    if (isOver || refused === refusedInRowMax) return folded;
  }
};

/** Folds that somebody else was ahead of, one after the other: then whoever asked decides about trying again. */
export const refusedInRowMax = 100;

const foldOnce = async (
  ports: ProjectionPorts,
  generation: Generation,
  options: FoldOptions,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const { store, tools, audience } = ports;
  const checks = openChecks(tools, audience, options.checks?.aside ?? store.aside, options.checks);
  const folded = await foldOn(ports, generation, checks, options);
  if (folded.ok || folded.problem.code === 'stopped') await checks.end();
  return folded;
};

const foldOn = async (
  ports: ProjectionPorts,
  generation: Generation,
  checks: Checks,
  {
    to,
    isNew,
    recordsMax = batchRecordsMax,
    pace,
    onProgress,
    onFolded,
    isWanted,
    ...how
  }: FoldOptions,
): Promise<Result<CaughtUp, ProjectionProblem>> => {
  const note = how.filter === undefined ? await notes.load(ports.store, generation) : ok(undefined);
  if (!note.ok) return note;
  const filter = how.filter ?? filterOf(note.value);
  const opened = await openState(ports, generation);
  if (!opened.ok) return opened;
  if (isNew === true && opened.value.state !== undefined)
    return refuse('gap', `generation ${generation} is there already`);
  const end = Math.min(opened.value.end, to ?? opened.value.end);
  let { state } = opened.value;
  for (;;) {
    const next = state?.next ?? 0;
    const progress = { next, end: Math.max(end, next) };
    onProgress?.(progress);
    if (state !== undefined && next >= (to ?? Infinity)) return ok({ generation, state, filter });
    await pace?.(progress);
    if (isWanted?.() === false) return refuse('stopped', 'nobody waits for the fold any more');
    const folded = await foldBatch(ports, generation, state, checks, {
      to,
      recordsMax,
      filter,
      onFolded,
    });
    if (!folded.ok) return folded;
    const isAtEnd = folded.value === state;
    state = folded.value;
    if (state === undefined) return refuse('log-empty', `${ports.log.name} has no record 0 yet`);
    if (isAtEnd || state.next >= end) {
      onProgress?.({ next: state.next, end: Math.max(end, state.next) });
      return ok({ generation, state, filter });
    }
  }
};

/**
 * Folds the next batch; answers the state after it, or the one before where nothing comes. A function of its own, so that
 * nobody holds a batch while the next one is folded: the garbage collector would carry it along.
 */
const foldBatch = async (
  ports: ProjectionPorts,
  generation: Generation,
  state: FoldState | undefined,
  checks: Checks,
  {
    to = Infinity,
    recordsMax,
    filter,
    onFolded,
  }: {
    readonly to: Position | undefined;
    readonly recordsMax: number;
    readonly filter: RecordFilter | null;
    readonly onFolded: FoldOptions['onFolded'];
  },
): Promise<Result<FoldState | undefined, ProjectionProblem>> => {
  const cut =
    state === undefined
      ? firstBatchRecords
      : await checks.cut(state.trust.logId, state.next, recordsMax);
  const records = await readOn(ports, state, Math.min(cut, to));
  if (!records.ok) return records;
  if (records.value.length === 0) return ok(state);
  const applied = await applyBatch(ports, generation, state, records.value, { checks, filter });
  if (!applied.ok) return applied;
  onFolded?.(applied.value.outcomes);
  return ok(applied.value.state);
};

/** What is remembered of checks goes by the log id, and that is in record 0. */
const firstBatchRecords = 1;

/** The state of a generation, and the end of the log, after making sure that the log was not shortened below it. */
const openState = async (
  ports: ProjectionPorts,
  generation: Generation,
): Promise<
  Result<{ readonly state: FoldState | undefined; readonly end: Position }, ProjectionProblem>
> => {
  const state = await loadState(ports, generation);
  if (!state.ok) return state;
  // Asked after the state was read: another projector may be ahead of any end that was known before.
  const range = await ports.log.range(0);
  if (!range.ok) return logFailed(range.problem);
  const { end } = range.value;
  if (state.value === undefined) return ok({ state: undefined, end });
  const { next, trust } = state.value;
  if (next > end) return logShortened(ports, end, next);
  if (ports.pinnedLogId !== null && ports.pinnedLogId !== trust.logId)
    return refuse(
      'foreign-log',
      `the read models are of the log ${trust.logId}; PLIMSOLL_LOG_ID asks for ${ports.pinnedLogId}`,
    );
  return ok({ state: state.value, end });
};

/**
 * The records from `state.next` on, below `to`; none at the end. It reads the last applied record with them, and
 * makes sure that it is the one that was applied: the log may have been replaced while we were connected to it.
 */
export const readOn = async (
  ports: ProjectionPorts,
  state: FoldState | undefined,
  to: Position,
): Promise<Result<readonly LogRecord[], ProjectionProblem>> => {
  const from = state === undefined ? 0 : state.next - 1;
  const records = await ports.log.read(0, from, to - from);
  if (!records.ok) return logFailed(records.problem);
  if (state === undefined) return ok(records.value);
  const [last, ...rest] = records.value;
  const judged = isLastApplied(ports, state, last);
  return judged.ok ? ok(rest) : judged;
};

const isLastApplied = (
  ports: ProjectionPorts,
  { next, lastDigest }: FoldState,
  record: LogRecord | undefined,
): Result<void, ProjectionProblem> => {
  if (record === undefined) return logShortened(ports, next - 1, next);
  return ports.tools.crypto.sha256Hex(record.value) === lastDigest
    ? ok(undefined)
    : refuse(
        'foreign-log',
        `record ${next - 1} of ${ports.log.name} is not the one that the read models were folded from: it is another log, or its records were replaced`,
      );
};

const logShortened = (
  { log }: ProjectionPorts,
  end: Position,
  next: Position,
): Result<never, ProjectionProblem> =>
  refuse(
    'log-shortened',
    `${log.name} ends at ${end}, the read models were folded up to ${next}: the log was shortened or replaced`,
  );

const logFailed = (problem: ReadProblem): Result<never, ProjectionProblem> => {
  switch (problem.code) {
    case 'corrupt':
    case 'archive-damaged':
      return refuse(problem.code, problem.message);
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
