import type { Position } from '../../core/log/record.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';

// What an `--exec` has done. It is written behind each run: who is killed in between runs the same decision again. What
// was looked at and is not done stands in `pending`, so `after` may go on while commands run.

export type Checkpoint = {
  /** Audience and address of the log. */
  readonly of: string;
  /** Id of the log that the positions are of; null: nothing was looked at yet. */
  readonly log: string | null;
  /** The last decision that was looked at, or null. */
  readonly after: Position | null;
  /** Decisions that may be obeyed yet: their command runs, waits or failed, or they wait for a person. */
  readonly pending: readonly Position[];
  /** Decisions that were obeyed, newest last. */
  readonly obeyed: readonly string[];
};

/** A decision lapses long before so many others were obeyed. */
const obeyedMax = 10_000;
const pendingMax = 1000;

type Ports = Pick<CliPorts, 'keptFile' | 'settings'>;

/** Names the log by where it is reached. */
export const sourceOf = ({ settings }: Pick<CliPorts, 'settings'>): string =>
  JSON.stringify([settings.audience, settings.url ?? settings.log]);

/** Whoever works with a checkpoint has it to itself: two would run each command twice. */
export const holdCheckpoint = async (
  { keptFile }: Ports,
  path: string,
): Promise<Result<() => void, CliProblem>> => {
  const held = await keptFile.hold(path);
  if (held.ok) return held;
  const { problem: cause } = held;
  if (cause.code === 'unusable') return fail(unusable(path, cause.message));
  const { holder } = cause;
  const who = holder === null ? 'another process' : `the process ${holder}`;
  return refuse(
    'checkpoint-held',
    `${path} is in use: ${who} runs decisions --exec with it, and two would run every command twice`,
    `end ${holder === null ? 'that one' : `it (kill ${holder})`}, or name a file of its own for another command: --checkpoint=FILE`,
  );
};

/** Undefined: nothing was done yet. */
export const readCheckpoint = async (
  { keptFile, settings }: Ports,
  path: string,
): Promise<Result<Checkpoint | undefined, CliProblem>> => {
  const text = await keptFile.read(path);
  if (!text.ok) return fail(unusable(path, text.problem.message));
  if (text.value === undefined) return ok(undefined);
  const checkpoint = parse(text.value);
  if (checkpoint === undefined) return fail(unusable(path, 'it is no checkpoint of decisions'));
  return checkpoint.of === sourceOf({ settings })
    ? ok(checkpoint)
    : refuse(
        'checkpoint-foreign',
        `${path} is of ${checkpoint.of}, and ${sourceOf({ settings })} is followed`,
        'name another file: --checkpoint=FILE',
      );
};

export const writeCheckpoint = async (
  { keptFile }: Ports,
  path: string,
  checkpoint: Checkpoint,
  /** Those whose commands run or wait for their turn: they are never left out. */
  mayRun: ReadonlySet<Position>,
): Promise<Result<void, CliProblem>> => {
  const tooMany = checkpoint.pending.length - pendingMax;
  const kept = {
    ...checkpoint,
    pending: checkpoint.pending.filter(
      (position, index) => index >= tooMany || mayRun.has(position),
    ),
    obeyed: checkpoint.obeyed.slice(-obeyedMax),
  };
  const written = await keptFile.replace(path, `${JSON.stringify(kept)}\n`);
  return written.ok ? ok(undefined) : fail(unusable(path, written.problem.message));
};

/** The checkpoint with the log that it is of, where that is the one that is followed. */
export const onLog = (
  checkpoint: Checkpoint,
  path: string,
  logId: string,
): Result<Checkpoint, CliProblem> =>
  checkpoint.log === null || checkpoint.log === logId
    ? ok({ ...checkpoint, log: logId })
    : refuse(
        'checkpoint-foreign',
        `${path} is of the log ${checkpoint.log}, and ${logId} is followed: its positions are others`,
        'was the log made anew? Then name another file: --checkpoint=FILE',
      );

const unusable = (path: string, message: string): CliProblem =>
  problem('file-invalid', `${path}: ${message}`, 'name another file: --checkpoint=FILE');

const parse = (text: string): Checkpoint | undefined => {
  try {
    const {
      of,
      log = null,
      after,
      pending,
      obeyed,
    } = JSON.parse(text) as { readonly [name: string]: unknown };
    const isGood =
      typeof of === 'string' &&
      (log === null || typeof log === 'string') &&
      (after === null || Number.isSafeInteger(after)) &&
      Array.isArray(pending) &&
      pending.every(Number.isSafeInteger) &&
      Array.isArray(obeyed) &&
      obeyed.every((id) => typeof id === 'string');
    return isGood ? ({ of, log, after, pending, obeyed } as Checkpoint) : undefined;
  } catch {
    return undefined;
  }
};
