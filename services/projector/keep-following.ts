import type { Clock, Stop } from '../ports/clock.ts';
import type { ProjectionProblem } from '../ports/projecting.ts';
import type { Subscription } from '../ports/record-log.ts';

// What every follower of a topic does: begin again after a pause, until nothing can mend it or nobody wants it.

/** Something that goes on in the background. */
export type Follower<Status> = {
  readonly status: () => Status;
  /** Settles when it has ended for good: a problem that trying again cannot mend, or `stop`. */
  readonly ended: Promise<ProjectionProblem | undefined>;
  readonly stop: () => Promise<void>;
};

export type Run<Status> = {
  readonly status: () => Status;
  readonly follow: () => Promise<ProjectionProblem | undefined>;
  readonly stop: () => Promise<void>;
};

export const started = <Status>(run: Run<Status>): Follower<Status> => {
  const ended = run.follow();
  return {
    status: run.status,
    ended,
    stop: async () => {
      await run.stop();
      await ended;
    },
  };
};

const retryMsFirst = 200;
const retryMsMax = 5_000;

/**
 * Runs `once` until it ends without a problem, with one that is final, or `stop` aborts. Pauses between grow from 0.2 to
 * 5 s, and begin anew after a run that got further.
 */
export const keepFollowing = async (
  { clock, stop }: { readonly clock: Clock; readonly stop: Stop },
  {
    once,
    done,
    isFinal,
    onStopped,
  }: {
    /** One subscription; whatever it throws is `unreachable`, unless it is `Halted`. */
    readonly once: () => Promise<ProjectionProblem | undefined>;
    /** How far it is: larger after a run that got further. */
    readonly done: () => number;
    readonly isFinal: (problem: ProjectionProblem) => boolean;
    /** `retryInMs` null: it is over. */
    readonly onStopped: (problem: ProjectionProblem, retryInMs: number | null) => void;
  },
): Promise<ProjectionProblem | undefined> => {
  let retryMs = retryMsFirst;
  while (!stop.aborted) {
    const before = done();
    const why = await once().catch(problemOf);
    if (why === undefined) return undefined;
    if (done() > before) retryMs = retryMsFirst;
    const isOver = isFinal(why);
    onStopped(why, isOver ? null : retryMs);
    if (isOver) return why;
    await clock.sleep(retryMs, stop);
    retryMs = Math.min(retryMs * 2, retryMsMax);
  }
  return undefined;
};

/** Why a subscription ended, in the words of a projection. */
export const problemOfEnding = (
  ending: Awaited<Subscription['ended']>,
): ProjectionProblem | undefined => {
  if (ending === undefined) return undefined;
  return ending.code === 'subscriber' ? problemOf(ending.cause) : unreachable(ending.message);
};

const unreachable = (message: string): ProjectionProblem => ({ code: 'unreachable', message });

export const problemOf = (cause: unknown): ProjectionProblem =>
  cause instanceof Halted ? cause.problem : unreachable(String(cause));

/** Carries a problem out of a subscriber; `problemOf` takes it out again. */
export class Halted extends Error {
  readonly problem: ProjectionProblem;
  constructor(problem: ProjectionProblem) {
    super(`${problem.code}: ${problem.message}`);
    this.problem = problem;
  }
}
