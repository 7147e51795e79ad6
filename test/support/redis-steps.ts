import type { Result } from '../../services/core/result.ts';
import { openRedisReadModelStore } from '../../services/adapters/redis/read-model-store.ts';
import { value } from './records.ts';
import type {
  Checkpoint,
  ReadModelStore,
  RowWrite,
  Step,
  StoreProblem,
} from '../../services/ports/read-model-store.ts';

export function problemOf<Problem>(result: Result<unknown, Problem>): Problem {
  if (result.ok) throw new Error(`unexpected success: ${JSON.stringify(result.value)}`);
  return result.problem;
}

export async function openStore(url: string, audience: string): Promise<ReadModelStore> {
  return value(await openRedisReadModelStore({ url, audience, orderedModels: ['timeline'] }));
}

export function checkpointAt(next: number, logId = 'log-1'): Checkpoint {
  return {
    logId,
    next,
    lastDigest: `digest-${next}`,
    foldVersion: 1,
    rowsDigest: String(next).padStart(32, '0'),
  };
}

/** The step that leads from `from` (undefined: nothing) to `next`. */
export function stepTo(next: number, from: number | undefined, writes: readonly RowWrite[]): Step {
  return {
    from: from === undefined ? undefined : checkpointAt(from),
    to: checkpointAt(next),
    writes,
  };
}

/**
 * A small fold: what position `next - 1` writes follows from the number alone. Each step adds an ordered row,
 * changes one of a few others, and takes an older ordered one away.
 */
export function writesOf(next: number): RowWrite[] {
  const old = next - 5;
  return [
    { model: 'timeline', key: String(next).padStart(6, '0'), value: `entry ${next}` },
    { model: 'current', key: `slot-${next % 7}`, value: `held since ${next}` },
    ...(old > 0 && old % 3 === 0
      ? [{ model: 'timeline', key: String(old).padStart(6, '0'), value: null }]
      : []),
  ];
}

/** What `dump` must say once steps 1 to `next` are applied. */
export function dumpAt(next: number): string[] {
  const rows = new Map<string, string>();
  for (let step = 1; step <= next; step += 1) {
    for (const { model, key, value: content } of writesOf(step)) {
      if (content === null) rows.delete(`${model}\n${key}`);
      else rows.set(`${model}\n${key}`, content);
    }
  }
  return [...rows].map(([place, content]) => `${place}\n${content}`).toSorted();
}

/** Applies steps until `next`, as a projector does: after any problem it reads the checkpoint and goes on there. */
export async function applyUntil(
  store: ReadModelStore,
  next: number,
  onProblem: (problem: StoreProblem) => Promise<void>,
): Promise<void> {
  for (;;) {
    const stored = await store.checkpoint('g1');
    if (!stored.ok) {
      await onProblem(stored.problem);
      continue;
    }
    const at = stored.value?.next ?? 0;
    if (at >= next) return;
    const done = await store.commit('g1', stepTo(at + 1, stored.value?.next, writesOf(at + 1)));
    if (!done.ok) await onProblem(done.problem);
  }
}
