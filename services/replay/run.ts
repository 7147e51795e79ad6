import { rangeRecordsMin } from '../core/check/remembered.ts';
import type { GenerationNote } from '../core/generation-note.ts';
import { isBeingFolded, nextGeneration } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import type { Outcome } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { CaughtUp, FoldOptions, WrongChecks } from '../ports/projecting.ts';
import type { Aside, Generation } from '../ports/read-model-store.ts';
import type { ReplayProblem, ReplayRun, Replaying, RunWish } from '../ports/replaying.ts';
import { countOutcomes, countsOf } from './counts.ts';
import { loadCheckpoint, refuse } from './generations.ts';
import { openPace } from './pace.ts';
import type { ReplayPorts } from './ports.ts';

/** Records of one commit, where nobody waits for the next one to be visible. */
export const foldedAtOnceMax = 1000;
/** How often whoever folds says that it lives, and looks whether somebody asked it to pause, milliseconds. */
const seenEveryMs = 1000;
/** How often two that begin a generation at once may be in each other's way. */
const namesTriedMax = 20;

/**
 * What is remembered of checks is believed by whole ranges, and they would come as bursts where a rate is lower than
 * that. So few signatures are checked quickly.
 */
const nothingRemembered: Aside = {
  read: async () => ok(new Map()),
  scan: async () => ok([]),
  write: async () => ok(undefined),
};

type Begun = {
  readonly generation: Generation;
  readonly note: GenerationNote;
  /** Where this run begins, and what became of the records that it has folded since. */
  readonly from: Position;
  readonly outcomes: readonly Outcome[];
};

export const runReplay = async (
  ports: ReplayPorts,
  wish: RunWish,
  watch: Parameters<Replaying['run']>[1],
): Promise<Result<ReplayRun, ReplayProblem>> => {
  const begun = 'resume' in wish ? await resume(ports, wish.resume) : await begin(ports, wish);
  if (!begun.ok) return begun;
  const { generation, note, from } = begun.value;
  const { filter, to } = note;
  if (watch.onBegun !== undefined && !(await watch.onBegun({ generation, from, filter, to }))) {
    const left =
      'resume' in wish
        ? await ports.notes.save(ports.store, generation, { ...note, state: 'paused' })
        : await ports.notes.drop(ports.store, generation);
    return left.ok ? refuse('stopped', `generation ${generation} is not folded`) : left;
  }
  return foldOn(ports, begun.value, watch);
};

/** A name of its own: the first step of a generation is a compare-and-set, so of two that choose one name one wins. */
const begin = async (
  ports: ReplayPorts,
  wish: Exclude<RunWish, { readonly resume: Generation }>,
): Promise<Result<Begun, ReplayProblem>> => {
  const nowMs = ports.clock.nowMs();
  const note: GenerationNote = {
    madeAt: nowMs,
    madeBy: wish.by.principal,
    why: wish.by.reason,
    filter: wish.filter,
    to: wish.to,
    state: 'running',
    seenAt: nowMs,
    rate: wish.rate,
    sampleShare: wish.sampleShare,
    seed: wish.seed,
    switchedFrom: null,
  };
  for (let tries = 0; tries < namesTriedMax; tries += 1) {
    const taken = await ports.notes.namesTaken(ports.store);
    if (!taken.ok) return taken;
    const generation = nextGeneration(taken.value);
    // Record 0 is in every generation, whatever its filter, so nothing is wrong if we are killed before the note.
    const outcomes: Outcome[] = [];
    const opened = await ports.fold(ports, generation, {
      ...{ to: 1, filter: null, isNew: true },
      onFolded: (batch) => void outcomes.push(...batch),
    });
    if (!opened.ok && opened.problem.code === 'gap') continue;
    if (!opened.ok) return opened;
    const noted = await ports.notes.save(ports.store, generation, note);
    return noted.ok ? ok({ generation, note, from: 0, outcomes }) : noted;
  }
  return refuse('gap', 'others begin generations all the time; call again');
};

const resume = async (
  ports: ReplayPorts,
  generation: Generation,
): Promise<Result<Begun, ReplayProblem>> => {
  const checkpoint = await loadCheckpoint(ports, generation);
  if (!checkpoint.ok) return checkpoint;
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok) return note;
  if (note.value === undefined)
    return refuse(
      'generation-unknown',
      `nobody noted what generation ${generation} is for: it was not begun by a replay, or was killed at its first step`,
    );
  const pauseAsked = await ports.notes.isPauseAsked(ports.store, generation);
  if (!pauseAsked.ok) return pauseAsked;
  const nowMs = ports.clock.nowMs();
  if (isBeingFolded(note.value, nowMs) && !pauseAsked.value)
    return refuse('generation-in-use', `somebody folds generation ${generation} at this time`);
  const running: GenerationNote = {
    ...note.value,
    state: 'running',
    seenAt: nowMs,
  };
  const goesOn = await ports.notes.askPause(ports.store, generation, false);
  if (!goesOn.ok) return goesOn;
  const noted = await ports.notes.save(ports.store, generation, running);
  if (!noted.ok) return noted;
  return ok({ generation, note: running, from: checkpoint.value.next, outcomes: [] });
};

const foldOn = async (
  ports: ReplayPorts,
  { generation, note, from, outcomes: before }: Begun,
  watch: Parameters<Replaying['run']>[1],
): Promise<Result<ReplayRun, ReplayProblem>> => {
  const { clock } = ports;
  const startedAtMs = clock.nowMs();
  const outcomes = new Map<string, number>();
  countOutcomes(outcomes, before);
  const wrongChecks: WrongChecks[] = [];
  let seenAtMs = startedAtMs;
  let isPauseAsked = false;
  const pace = openPace(ports, generation, note.rate);

  /** Says that this run lives, and hears whether somebody wants it to pause. Losing a word of it harms nothing. */
  const beSeen = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    if (nowMs - seenAtMs < seenEveryMs) return;
    seenAtMs = nowMs;
    const kept = await ports.notes.load(ports.store, generation);
    if (!kept.ok || kept.value === undefined) return;
    await ports.notes.save(ports.store, generation, { ...kept.value, seenAt: nowMs });
    const asked = await ports.notes.isPauseAsked(ports.store, generation);
    isPauseAsked ||= asked.ok && asked.value;
  };
  const options: FoldOptions = {
    ...(note.to === null ? {} : { to: note.to }),
    filter: note.filter,
    recordsMax: pace.recordsMax,
    checks: {
      aside: pace.recordsMax < rangeRecordsMin ? nothingRemembered : ports.store.aside,
      sampleShare: note.sampleShare,
      seed: note.seed,
      onWrong: (range) => void wrongChecks.push(range),
    },
    pace: async (progress) => {
      await beSeen();
      await pace.wait(progress, () => !isPauseAsked && watch.isWanted?.() !== false);
    },
    isWanted: () => !isPauseAsked && watch.isWanted?.() !== false,
    onFolded: (folded: readonly Outcome[]) => countOutcomes(outcomes, folded),
    ...(watch.onProgress === undefined ? {} : { onProgress: watch.onProgress }),
  };

  let folded: Result<CaughtUp, ReplayProblem> = await ports.fold(ports, generation, options);
  // Once more, for what came meanwhile.
  if (folded.ok && note.to === null) folded = await ports.fold(ports, generation, options);
  const isPaused = !folded.ok && folded.problem.code === 'stopped';
  if (!folded.ok && !isPaused) return folded;
  const state = isPaused ? 'paused' : 'complete';
  const kept = await ports.notes.load(ports.store, generation);
  if (!kept.ok) return kept;
  const noted = await ports.notes.save(ports.store, generation, {
    ...(kept.value ?? note),
    state,
    seenAt: clock.nowMs(),
  });
  if (!noted.ok) return noted;
  const heard = await ports.notes.askPause(ports.store, generation, false);
  if (!heard.ok) return heard;
  const checkpoint = await loadCheckpoint(ports, generation);
  if (!checkpoint.ok) return checkpoint;
  const { next, rowsDigest } = checkpoint.value;
  return ok({
    generation,
    state,
    next,
    folded: next - from,
    leftOut: outcomes.get('left-out') ?? 0,
    seconds: (clock.nowMs() - startedAtMs) / 1000,
    rowsDigest,
    outcomes: countsOf(outcomes),
    wrongChecks,
    filter: note.filter,
    to: note.to,
  });
};
