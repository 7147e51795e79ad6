import type { LogRecord, NewRecord, Position } from '../core/log/record.ts';
import type { Outcome } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { FoldToEnd, ProjectionPorts, ProjectionProblem } from '../ports/projecting.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { RecordLog } from '../ports/record-log.ts';
import { overlayStore } from './overlay-store.ts';

/** Times that a rehearsal begins anew because the read models moved on meanwhile. */
const triesMax = 5;

/**
 * What would become of records that were appended now, in their order: the fold itself answers, over the read models
 * as they are, and nothing of it is kept.
 */
export const rehearse = async (
  ports: ProjectionPorts,
  foldToEnd: FoldToEnd,
  generation: Generation,
  records: readonly NewRecord[],
  nowMs: number,
): Promise<Result<readonly Outcome[], ProjectionProblem>> => {
  if (records.length === 0) return ok([]);
  for (let tries = 1; ; tries++) {
    const base = await ports.store.checkpoint(generation);
    if (!base.ok)
      return fail({
        code: base.problem.code === 'corrupt' ? 'corrupt' : 'unreachable',
        message: base.problem.message,
      });
    if (base.value === undefined)
      return fail({ code: 'gap', message: `the generation ${generation} is gone` });
    const { next } = base.value;
    const { codec, crypto, text } = ports.tools;
    const outcomes: Outcome[] = [];
    const folded = await foldToEnd(
      {
        ...ports,
        // What is remembered of checks is of positions, and these are not taken yet.
        tools: { codec, crypto, text },
        log: extended(ports.log, next, placed(records, next, nowMs)),
        store: overlayStore(ports.store, generation, base.value),
      },
      generation,
      { onFolded: (batch) => void outcomes.push(...batch) },
    );
    if (folded.ok) return ok(outcomes);
    if (tries === triesMax || folded.problem.code !== 'unreachable') return folded;
  }
};

const placed = (
  records: readonly NewRecord[],
  from: Position,
  nowMs: number,
): readonly LogRecord[] =>
  records.map((record, index) => ({ ...record, position: from + index, appendedAtMs: nowMs }));

/** The log up to `end`, and behind it other records than it has there. */
const extended = (log: RecordLog, end: Position, behind: readonly LogRecord[]): RecordLog => ({
  ...log,
  append: async () =>
    fail({ code: 'refused', message: 'nothing is appended while a fold is tried' }),
  range: async () => ok({ start: 0, end: end + behind.length }),
  read: async (partition, from, recordsMax) => {
    const wanted = Math.min(recordsMax, end - from);
    const real = wanted > 0 ? await log.read(partition, from, wanted) : ok([]);
    if (!real.ok) return real;
    // A read may bring fewer than were asked for; what follows comes with the next one.
    const reached = from + real.value.length;
    return ok(
      reached < end
        ? real.value
        : [
            ...real.value,
            ...behind.slice(reached - end, reached - end + recordsMax - real.value.length),
          ],
    );
  },
});
