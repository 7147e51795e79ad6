import type { ProjectionProblem } from '../ports/projecting.ts';
import type { GenerationNote } from '../core/generation-note.ts';
import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Checkpoint, Generation, StoreProblem } from '../ports/read-model-store.ts';
import type { ReadProblem } from '../ports/record-log.ts';
import type { ReplayProblem } from '../ports/replaying.ts';
import type { ReplayPorts } from './ports.ts';

// What is asked of the store about one generation, in the words of replay.

export const storeFailed = ({ code, message }: StoreProblem): Result<never, ReplayProblem> =>
  refuse(code === 'corrupt' ? 'corrupt' : 'unreachable', message);

export const refuse = (
  code: ReplayProblem['code'],
  message: string,
): Result<never, ReplayProblem> => fail({ code, message });

/** Of a generation that a projector made by itself. */
export const madeByProjector: Pick<GenerationNote, 'madeBy' | 'why'> = {
  madeBy: 'projector',
  why: 'made by a projector',
};

export const loadCheckpoint = async (
  { store }: ReplayPorts,
  generation: Generation,
): Promise<Result<Checkpoint, ReplayProblem>> => {
  const read = await store.checkpoint(generation);
  if (!read.ok) return storeFailed(read.problem);
  return read.value === undefined
    ? refuse('generation-unknown', `there is no generation ${generation}`)
    : ok(read.value);
};

export const logEnd = async ({ log }: ReplayPorts): Promise<Result<Position, ReplayProblem>> => {
  const range = await log.range(0);
  return range.ok ? ok(range.value.end) : refuse(readCode(range.problem), range.problem.message);
};

/** Why the log could not be read, as a projection tells it. */
export const readCode = ({ code }: ReadProblem): ProjectionProblem['code'] => {
  switch (code) {
    case 'corrupt':
    case 'archive-damaged':
      return code;
    case 'before-start':
    case 'beyond-end':
      return 'log-shortened';
    case 'unreachable':
    case 'closed':
      return 'unreachable';
  }
};

export const currentOf = async ({
  store,
}: ReplayPorts): Promise<Result<Generation | undefined, ReplayProblem>> => {
  const current = await store.current();
  return current.ok ? current : storeFailed(current.problem);
};

/** The generation that readers were switched from to this one, if it is still there. */
export const previousOf = async (
  ports: ReplayPorts,
  current: Generation | undefined,
): Promise<Result<Generation | undefined, ReplayProblem>> => {
  if (current === undefined) return ok(undefined);
  const note = await ports.notes.load(ports.store, current);
  if (!note.ok) return note;
  const from = note.value?.switchedFrom ?? null;
  if (from === null) return ok(undefined);
  const checkpoint = await ports.store.checkpoint(from);
  if (!checkpoint.ok) return storeFailed(checkpoint.problem);
  return ok(checkpoint.value === undefined ? undefined : from);
};
