import type { Position } from '../../core/log/record.ts';
import { validForMsMax } from '../../core/markers/limits.ts';
import type { Slot } from '../../core/markers/marker.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { ProgramCall } from '../../ports/programs.ts';
import { textIn } from '../reading/line-fields.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import type { Checkpoint } from './exec-checkpoint.ts';
import { writeCheckpoint } from './exec-checkpoint.ts';
import { envOf, sentence } from './exec-lines.ts';

// The commands of `--exec` as they run: those of different slots side by side, those of one slot one after another.

/** A slow command of one slot must not keep the roll-backs of others waiting; a storm of them must not fill the machine. */
const runningMax = 8;

export type Followed = {
  readonly path: string;
  readonly command: ProgramCall['command'];
  readonly isJson: boolean;
  /** As it is now. What runs is pending in it: killed meanwhile, it runs again. */
  checkpoint: Checkpoint;
  /** As it was written last. */
  written: Checkpoint | null;
  /** Ends with the last write that was begun: none overtakes another. */
  writing: Promise<void>;
  /** Why it could not be written; then nothing more is begun. */
  unwritten: CliProblem | null;
  /** Whether the checkpoint is known to be of the log that is followed. */
  isOnLog: boolean;
  isFirst: boolean;
  /** The code that was told last, by position; of what is pending. */
  readonly told: Map<Position, string>;
  /**
   * By what is said, and by the key that says it: which pending decision stands for the others. One of each key, as a key
   * may be found compromised; then its oldest is the last to fall.
   */
  readonly waiting: Map<string, Map<string, Position>>;
  /** Slots of those that might be obeyed when they were asked about last. */
  readonly slots: Map<Position, string>;
  /** By slot: what ends when its command has ended and that is noted. */
  readonly running: Map<string, Promise<void>>;
  /** What each says that might be obeyed when it was asked about last: renewals say the same. */
  readonly acts: Map<Position, ActSaid>;
  /** By act, however many of its renewals are pending: one series of tries. */
  readonly failing: Map<string, Failing>;
  failures: number;
  /** Whether a command has ended since the last look, and what is called then. */
  hasEnded: boolean;
  wake: () => void;
};

export type ActSaid = {
  readonly id: string;
  /** That signed the record. */
  readonly key: string;
};

export type Failing = { readonly atMs: number; readonly tries: number };

/** What failed is tried again after so long, then after twice as long each time; a command that comes back is run soon. */
const againAfterMs = 1000;
const againAfterMsMax = 30_000;

/** Whether an act that may have failed is tried again now. */
export const isDue = (
  { clock }: Pick<CliPorts, 'clock'>,
  { failing }: Followed,
  id: string,
): boolean => {
  const last = failing.get(id);
  if (last === undefined) return true;
  const sinceMs = clock.nowMs() - last.atMs;
  // A clock may be set back.
  return sinceMs < 0 || sinceMs >= Math.min(againAfterMs * 2 ** (last.tries - 1), againAfterMsMax);
};

/** Whether there is nothing to ask: it runs, or would have to wait for what does. */
export const isQueued = ({ slots, running }: Followed, position: Position): boolean => {
  const slot = slots.get(position);
  return slot !== undefined && (running.size >= runningMax || running.has(slot));
};

/** Whether it is its turn, now that it may be obeyed. */
export const mayBegin = (followed: Followed, position: Position, act: Line): boolean => {
  followed.slots.set(position, slotOf(act));
  return !isQueued(followed, position);
};

const slotOf = (act: Line): string => {
  const target = textIn(act, 'target');
  const slot: Slot = {
    namespace: textIn(act, 'namespace'),
    environment: textIn(act, 'environment'),
    component: textIn(act, 'component'),
    target: target === '' ? null : target,
  };
  return slotKey(slot);
};

/**
 * Notes what a pending decision says. Of those of one key that say the same, two stay: the oldest is the last to fall where
 * the key is found compromised, and the newest stands where something else was decided in between.
 */
export const noteAct = (followed: Followed, position: Position, said: ActSaid): void => {
  const { acts, checkpoint } = followed;
  acts.set(position, said);
  const same = checkpoint.pending.filter((other) => {
    const { id, key } = acts.get(other) ?? {};
    return id === said.id && key === said.key;
  });
  const [oldest, newest] = [Math.min(...same), Math.max(...same)];
  for (const other of same) if (other !== oldest && other !== newest) dropPending(followed, other);
};

/** Begins the command of a decision; what comes of it is kept when it has ended. */
export const begin = (ports: CliPorts, followed: Followed, position: Position, act: Line): void => {
  const slot = slotOf(act);
  const end = runAndKeep(ports, followed, position, act).then((kept) => {
    if (!kept.ok) followed.unwritten ??= kept.problem;
    // The next one of the slot begins behind the note, or a kill would repeat them in another order.
    followed.running.delete(slot);
    followed.hasEnded = true;
    followed.wake();
  });
  followed.running.set(slot, end);
};

const runAndKeep = async (
  ports: CliPorts,
  followed: Followed,
  position: Position,
  act: Line,
): Promise<Result<void, CliProblem>> => {
  const id = textIn(act, 'id');
  const hasRun = await runFor(ports, followed, position, act);
  dropPending(followed, position);
  const { checkpoint, failing } = followed;
  if (hasRun) {
    followed.checkpoint = { ...checkpoint, obeyed: [...checkpoint.obeyed, id] };
    failing.delete(id);
  } else {
    // It is tried again while it counts, behind what waits already.
    followed.checkpoint = { ...checkpoint, pending: [...checkpoint.pending, position] };
    failing.set(id, { atMs: ports.clock.nowMs(), tries: (failing.get(id)?.tries ?? 0) + 1 });
  }
  return keep(ports, followed);
};

export const dropPending = (followed: Followed, position: Position): void => {
  const { checkpoint } = followed;
  followed.checkpoint = {
    ...checkpoint,
    pending: checkpoint.pending.filter((other) => other !== position),
  };
};

export const endOfOne = async ({ running }: Followed): Promise<void> =>
  Promise.race(running.values());

export const endOfAll = async ({ running }: Followed): Promise<void> => {
  await Promise.all(running.values());
};

/** Writes the checkpoint as it is when those before it are written. */
export const keep = async (
  ports: CliPorts,
  followed: Followed,
): Promise<Result<void, CliProblem>> => {
  const write = followed.writing.then(() => writeNow(ports, followed));
  followed.writing = write.then(() => undefined);
  return write;
};

const writeNow = async (ports: CliPorts, followed: Followed): Promise<Result<void, CliProblem>> => {
  const { checkpoint, written, path, slots } = followed;
  if (written !== null && isSame(checkpoint, written)) return ok(undefined);
  const kept = await writeCheckpoint(ports, path, checkpoint, new Set(slots.keys()));
  if (kept.ok) followed.written = checkpoint;
  return kept;
};

const isSame = (a: Checkpoint, b: Checkpoint): boolean =>
  a.log === b.log &&
  a.after === b.after &&
  a.obeyed === b.obeyed &&
  a.pending.length === b.pending.length &&
  a.pending.every((position, index) => position === b.pending[index]);

/** Whether the command was run and ended well. */
const runFor = async (
  ports: CliPorts,
  followed: Followed,
  position: Position,
  act: Line,
): Promise<boolean> => {
  const ran = await ports.runProgram({
    command: followed.command,
    input: `${JSON.stringify(act)}\n`,
    env: envOf(act),
    timeoutMs: validForMsMax,
  });
  if (ran.ok && ran.value.exit === 0) {
    followed.told.delete(position);
    if (followed.isJson) printLines(ports.terminal, [{ ...act, exit: 0 }]);
    else printText(ports.terminal, [sentence(act)]);
    return true;
  }
  followed.failures += 1;
  const how = ran.ok
    ? ran.value.exit === null
      ? 'it was killed'
      : `it ended with ${ran.value.exit}`
    : ran.problem.message;
  const { told, failing } = followed;
  const toldLast = told.get(position) ?? (failing.has(textIn(act, 'id')) ? 'exec-failed' : '');
  told.set(position, 'exec-failed');
  if (toldLast !== 'exec-failed') {
    ports.note({
      code: 'exec-failed',
      message: `the command for the decision at position ${textIn(act, 'position')} failed: ${how}`,
      hint: 'it is tried again while the decision counts',
    });
  }
  return false;
};
