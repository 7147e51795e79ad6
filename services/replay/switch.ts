import type { GenerationNote } from '../core/generation-note.ts';
import { beyondKept, filterOf, isBeingFolded } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import type { OperationRow } from '../core/operations.ts';
import { currentFoldVersion } from '../core/projection.ts';
import { filterText, noFilter } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { readRow } from '../core/row-text.ts';
import type { Checkpoint, Generation } from '../ports/read-model-store.ts';
import type {
  DroppedGeneration,
  ReplayProblem,
  Replaying,
  Switched,
  Watch,
} from '../ports/replaying.ts';
import {
  currentOf,
  loadCheckpoint,
  logEnd,
  madeByProjector,
  previousOf,
  refuse,
  storeFailed,
} from './generations.ts';
import type { ReplayPorts } from './ports.ts';
import { foldedAtOnceMax } from './run.ts';
import { statusOfOne } from './status.ts';

/** Going back folds so many records at most before; further behind it has to be said. */
const caughtUpOnTheWayMax = 20_000;
/** Share of the remembered signature checks that are made all the same on the way. */
const checkedAgainShare = 0.01;

export const switchTo = async (
  ports: ReplayPorts,
  generation: Generation,
  options: Parameters<Replaying['switchTo']>[1],
): Promise<Result<Switched, ReplayProblem>> => {
  const checkpoint = await loadCheckpoint(ports, generation);
  if (!checkpoint.ok) return checkpoint;
  const current = await currentOf(ports);
  if (!current.ok) return current;
  if (current.value === generation) return inUseAlready(ports, generation, checkpoint.value);
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok) return note;
  const filter = filterOf(note.value);
  if (filter !== null && !options.isForced)
    return refuse(
      'generation-filtered',
      `generation ${generation} was folded from a part of the log (${filterText(filter)}): readers would miss the rest`,
    );
  const sameFold = ofThisFold(generation, checkpoint.value);
  if (!sameFold.ok) return sameFold;
  const caughtUp = await foldPast(ports, generation, current.value, options);
  if (!caughtUp.ok) return caughtUp;
  return point(ports, current.value, generation, caughtUp.value, note.value);
};

export const back = async (
  ports: ReplayPorts,
  options: Parameters<Replaying['back']>[0],
): Promise<Result<Switched, ReplayProblem>> => {
  const current = await currentOf(ports);
  if (!current.ok) return current;
  const previous = await previousOf(ports, current.value);
  if (!previous.ok) return previous;
  if (previous.value === undefined)
    return refuse(
      'no-previous',
      current.value === undefined
        ? 'readers use no generation yet'
        : `readers were not switched to ${current.value} from a generation that is still there`,
    );
  const generation = previous.value;
  const checkpoint = await loadCheckpoint(ports, generation);
  if (!checkpoint.ok) return checkpoint;
  const sameFold = ofThisFold(generation, checkpoint.value);
  if (!sameFold.ok) return sameFold;
  let reached = checkpoint.value.next;
  if (!options.isStale) {
    const end = await logEnd(ports);
    if (!end.ok) return end;
    const lag = end.value - checkpoint.value.next;
    if (lag > caughtUpOnTheWayMax)
      return refuse(
        'generation-behind',
        `generation ${generation} is ${lag} records behind: readers would be sent back`,
      );
    const caughtUp = await foldPast(ports, generation, current.value, options);
    if (!caughtUp.ok) return caughtUp;
    reached = caughtUp.value;
  }
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok) return note;
  return point(ports, current.value, generation, reached, note.value);
};

/**
 * Where whoever switched was cut off before the log was told, `from` is the generation that readers used then: so who
 * says it again leaves the operation behind.
 */
const inUseAlready = async (
  ports: ReplayPorts,
  generation: Generation,
  { foldVersion }: Checkpoint,
): Promise<Result<Switched, ReplayProblem>> => {
  const note = await ports.notes.load(ports.store, generation);
  if (!note.ok) return note;
  const from = note.value?.switchedFrom ?? null;
  if (from === null || foldVersion !== currentFoldVersion)
    return switched(ports, generation, generation);
  // The operation may be on the log and not in the rows yet.
  const folded = await ports.fold(ports, generation, { recordsMax: foldedAtOnceMax });
  if (!folded.ok) return folded;
  const told = await lastSwitchTold(ports, generation);
  if (!told.ok) return told;
  return switched(ports, told.value === generation ? generation : from, generation);
};

/** Which generation readers were last switched to, as the log tells it. */
const lastSwitchTold = async (
  { store }: ReplayPorts,
  generation: Generation,
): Promise<Result<Generation | null, ReplayProblem>> => {
  let after: string | undefined;
  for (;;) {
    const page = await store.scan(generation, 'operation', {
      ...{ newestFirst: true, rowsMax: operationsAtOnce },
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return storeFailed(page.problem);
    const { rows } = page.value;
    for (const { value } of rows) {
      const operation = readRow<OperationRow>('operation', value);
      if (operation.kind === 'generation-switched') return ok(operation.generation);
    }
    if (rows.length < operationsAtOnce) return ok(null);
    after = rows.at(-1)?.key;
  }
};

const operationsAtOnce = 200;

/** The release that wrote other rows reads them, too; this one would fold all of them anew at once. */
const ofThisFold = (
  generation: Generation,
  { foldVersion }: Checkpoint,
): Result<void, ReplayProblem> =>
  foldVersion === currentFoldVersion
    ? ok(undefined)
    : refuse(
        'generation-other-fold',
        `generation ${generation} was written by fold ${foldVersion}; this release has fold ${currentFoldVersion}`,
      );

/** Folds until it is as far as the one that readers use, so that they are never sent back, nor to another log; how far. */
const foldPast = async (
  ports: ReplayPorts,
  generation: Generation,
  used: Generation | undefined,
  watch: Watch,
): Promise<Result<Position, ReplayProblem>> => {
  let usedBefore: Position = 0;
  for (;;) {
    const folded = await ports.fold(ports, generation, {
      recordsMax: foldedAtOnceMax,
      checks: { aside: ports.store.aside, sampleShare: checkedAgainShare, seed: usedBefore },
      ...watch,
    });
    if (!folded.ok) return folded;
    const { next, trust } = folded.value.state;
    if (next < usedBefore)
      return refuse(
        'log-shortened',
        `the log ends at ${next}, and readers have seen ${usedBefore}: it was shortened or replaced`,
      );
    if (used === undefined) return ok(next);
    const stands = await ports.store.checkpoint(used);
    if (!stands.ok) return storeFailed(stands.problem);
    if (stands.value === undefined) return ok(next);
    if (stands.value.logId !== trust.logId)
      return refuse(
        'foreign-log',
        `readers use read models of the log ${stands.value.logId}; ${generation} is of the log ${trust.logId}`,
      );
    if (stands.value.next <= next) return ok(next);
    // More came meanwhile, or the log has lost its tail: the next round tells.
    usedBefore = stands.value.next;
  }
};

/** What a generation was switched from is noted first: if we are killed between, nobody is misled. */
const point = async (
  ports: ReplayPorts,
  from: Generation | undefined,
  to: Generation,
  reached: Position,
  note: GenerationNote | undefined,
): Promise<Result<Switched, ReplayProblem>> => {
  const noted = await ports.notes.save(ports.store, to, {
    ...(note ?? firstNote(ports.clock.nowMs())),
    // Readers go on from here to the end of the log.
    to: null,
    switchedFrom: from ?? null,
  });
  if (!noted.ok) return noted;
  const pointed = await ports.store.switchTo(from, to);
  if (!pointed.ok) return storeFailed(pointed.problem);
  if (!pointed.value)
    return refuse('switched-meanwhile', 'somebody else switched at the same time');
  const stands = await ports.store.checkpoint(to);
  if (!stands.ok) return storeFailed(stands.problem);
  // From now on nobody drops it; whoever did before has taken away what readers need.
  const isGone = stands.value === undefined || stands.value.next < reached;
  if (!isGone || from === undefined) return switched(ports, from ?? null, to);
  const left = await ports.store.switchTo(to, from);
  if (!left.ok) return storeFailed(left.problem);
  return refuse(
    'generation-unknown',
    `generation ${to} was dropped at the same time: readers use ${from} as before`,
  );
};

const firstNote = (nowMs: number): GenerationNote => ({
  madeAt: null,
  ...madeByProjector,
  filter: noFilter,
  to: null,
  state: 'complete',
  seenAt: nowMs,
  rate: null,
  sampleShare: 1,
  seed: 0,
  switchedFrom: null,
});

const switched = async (
  ports: ReplayPorts,
  from: Generation | null,
  to: Generation,
): Promise<Result<Switched, ReplayProblem>> => {
  const checkpoint = await loadCheckpoint(ports, to);
  if (!checkpoint.ok) return checkpoint;
  const end = await logEnd(ports);
  if (!end.ok) return end;
  const { next, rowsDigest } = checkpoint.value;
  return ok({ from, to, next, lag: Math.max(0, end.value - next), rowsDigest });
};

export const drop = async (
  ports: ReplayPorts,
  generation: Generation,
  { isForced }: { readonly isForced: boolean },
): ReturnType<Replaying['drop']> => {
  const status = await statusOfOne(ports, generation);
  if (!status.ok) return status;
  const found = status.value;
  if (found === undefined)
    return refuse('generation-unknown', `there is no generation ${generation}`);
  if (found.isCurrent)
    return refuse('generation-in-use', `readers use generation ${generation}: it stays`);
  if (found.isPrevious && !isForced)
    return refuse(
      'generation-in-use',
      `readers used generation ${generation} before: plimsoll replay back needs it`,
    );
  if (found.state === 'running' && !isForced)
    return refuse('generation-in-use', `somebody folds generation ${generation} at this time`);
  const dropped = await ports.notes.drop(ports.store, generation);
  return dropped.ok ? ok(found) : dropped;
};

export const dropBeyondKept = async (
  ports: ReplayPorts,
): ReturnType<Replaying['dropBeyondKept']> => {
  const current = await currentOf(ports);
  if (!current.ok) return current;
  const previous = await previousOf(ports, current.value);
  if (!previous.ok) return previous;
  const known = await ports.store.generations();
  if (!known.ok) return storeFailed(known.problem);
  const used = new Set([current.value, previous.value]);
  for (const generation of known.value) {
    const note = await ports.notes.load(ports.store, generation);
    // Somebody may fold it on, or look at it.
    if (
      !note.ok ||
      isBeingFolded(note.value, ports.clock.nowMs()) ||
      note.value?.state === 'paused'
    )
      used.add(generation);
  }
  const gone: DroppedGeneration[] = [];
  for (const generation of beyondKept(known.value, (one) => used.has(one))) {
    const checkpoint = await loadCheckpoint(ports, generation);
    if (!checkpoint.ok) return checkpoint;
    const counts = await ports.store.counts(generation);
    if (!counts.ok) return storeFailed(counts.problem);
    const dropped = await ports.notes.drop(ports.store, generation);
    if (!dropped.ok) return dropped;
    const rows = [...counts.value.values()].reduce((sum, count) => sum + count, 0);
    gone.push({ generation, rows, next: checkpoint.value.next });
  }
  return ok(gone);
};
