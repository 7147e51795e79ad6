import type { Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

/**
 * Markers that are on their way to the log, or on it but perhaps not yet in the read models. Whoever sends one of
 * them again in that time is told where the first stands. It is a courtesy: the fold takes a marker once anyway.
 */
export type Recent = {
  /** `heldUpTo`: what stands up to this position was looked at already, and the marker was not accepted there. */
  readonly once: (
    identity: string,
    digest: string,
    heldUpTo: Position,
    append: () => Promise<Result<Position, Problem>>,
  ) => Promise<Result<{ readonly position: Position; readonly isFirst: boolean }, Problem>>;
};

/** The oldest are forgotten first. */
const markersMax = 10_000;

type Sending = { readonly digest: string; readonly done: Promise<Result<Position, Problem>> };

const again = (position: Position): Result<{ position: Position; isFirst: boolean }, never> =>
  ok({ position, isFirst: false });

const conflict = (position: Position): Result<never, Problem> =>
  refuse(
    'conflict',
    `the marker id stands at position ${position} with other content`,
    'a marker id is used once: emit anew with a new one',
  );

export const openRecent = (): Recent => {
  const sending = new Map<string, Sending>();

  return {
    once: async (identity, digest, heldUpTo, append) => {
      for (;;) {
        const first = sending.get(identity);
        if (first === undefined) break;
        const done = await first.done;
        if (!done.ok) return done;
        if (done.value > heldUpTo)
          return first.digest === digest ? again(done.value) : conflict(done.value);
        if (sending.get(identity) === first) sending.delete(identity);
      }
      const done = append();
      sending.set(identity, { digest, done });
      const oldest = sending.size > markersMax ? sending.keys().next().value : undefined;
      if (oldest !== undefined) sending.delete(oldest);
      const answer = await done;
      if (answer.ok) return ok({ position: answer.value, isFirst: true });
      // Sent again, it must be tried again.
      sending.delete(identity);
      return answer;
    },
  };
};
