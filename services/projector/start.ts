import type { Position } from '../core/log/record.ts';
import type { Outcome } from '../core/projection.ts';
import { currentFoldVersion } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import type { Clock, Stop } from '../ports/clock.ts';
import type {
  CaughtUp,
  Progress,
  ProjectionPorts,
  ProjectionProblem,
} from '../ports/projecting.ts';
import type { Generation, StoreReason } from '../ports/read-model-store.ts';
import type { RecordBatch, Subscription } from '../ports/record-log.ts';
import { openGeneration, readOn, refusedInRowMax } from './catch-up.ts';
import { openChecks } from './checks.ts';
import { projectorGroup } from './group.ts';
import type { Follower, Run } from './keep-following.ts';
import { Halted, keepFollowing, problemOf, problemOfEnding, started } from './keep-following.ts';
import { applyBatch, batchRecordsMax } from './project.ts';
import { openTurns } from './turns.ts';

export type ProjectorPorts = ProjectionPorts & {
  readonly clock: Clock;
  /** Says what an operator should know. Never called with what a record contains. */
  readonly tell: (event: ProjectorEvent) => void;
  /** Whoever counts and times what is done here. */
  readonly measure?: ProjectorMeasure;
};

/** Both answer at once and never throw. */
export type ProjectorMeasure = {
  /** Runs the application of one batch; looks at the clock before and after, and at what became of the records. */
  readonly batch: <Applied extends Result<{ readonly outcomes: readonly Outcome[] }, unknown>>(
    work: () => Promise<Applied>,
  ) => Promise<Applied>;
  /** What became of records that are now in the read models. */
  readonly outcomes: (outcomes: readonly Outcome[]) => void;
};

export type ProjectorEvent =
  | { readonly event: 'active' | 'standby' }
  | { readonly event: 'log'; readonly logId: string; readonly generation: Generation }
  /** A step was refused because somebody else has moved the checkpoint: nothing was written, and it goes on there. */
  | { readonly event: 'overtaken'; readonly generation: Generation; readonly next: Position }
  /** The log was sealed at a position and takes nothing more; `note`: where it went on. Told once. */
  | { readonly event: 'sealed'; readonly at: Position; readonly note: string | null }
  /** A marker came again with other content: the gate of that deployment's attempt is held. */
  | { readonly event: 'conflict'; readonly deployment: string; readonly position: Position }
  | {
      readonly event: 'stopped-by';
      readonly code: string;
      readonly message: string;
      readonly reason?: StoreReason;
      readonly retryInMs: number | null;
    };

export type ProjectorStatus = {
  readonly active: boolean;
  /** Next position to apply, or null where it was never active. */
  readonly next: Position | null;
  readonly lagRecords: number | null;
  /** When the oldest record that waits was appended. Null: none waits, or it is not known. */
  readonly waitingSinceMs: number | null;
  /** When the checkpoint was last written, or seen where it should be, on this machine's clock. */
  readonly checkpointSeenAtMs: number | null;
  readonly generation: Generation | null;
  /** Of all its rows at `next`, while it is active; see core/rows-digest.ts. */
  readonly rowsDigest: string | null;
  /**
   * Records by what became of them, since this process began; `overtaken`: steps that somebody else was ahead of;
   * `refused:<code>`: how often it could not go on, and why.
   */
  readonly counts: { readonly [outcome: string]: number };
  readonly problem: ProjectionProblem | null;
};

export type Projector = Follower<ProjectorStatus>;

/** Begins the names of counts that are of no record. */
export const refusedPrefix = 'refused:';

const hintEveryMs = 2000;
/** How often an idle projector looks whether the read models are still those that it left. */
const lookEveryMs = 2000;

/**
 * Follows the log and keeps the read models up to date. Of several on one audience the log lets one be active; if
 * two believe to be it, the store lets one win each step, and the other reads again where things stand.
 */
export const startProjector = (ports: ProjectorPorts): Projector => started(openRun(ports));

const openRun = (ports: ProjectorPorts): Run<ProjectorStatus> => {
  const stopping = new AbortController();
  const alone = openTurns();
  const group = projectorGroup(ports.tools.crypto, ports.audience, ports.store.name);
  const measured: ProjectorMeasure['batch'] = ports.measure?.batch ?? ((work) => work());
  const counts: Record<string, number> = {};
  /** What we write to, while the partition is ours. */
  let held: CaughtUp | undefined;
  const checks = openChecks(ports.tools, ports.audience, ports.store.aside);
  let losses = 0;
  let isSealedTold = false;
  let progress: Progress | null = null;
  let problem: ProjectionProblem | null = null;
  let subscription: Subscription | undefined;
  let hintedAtMs = 0;
  let waitingSinceMs: number | null = null;
  let checkpointSeenAtMs: number | null = null;
  /** Read models that are filled again meet old conflicts again. */
  let conflictTold: Position = 0;

  /** What it could not go on for, by the store's own word where there is one. */
  const countRefusal = ({ code, reason }: ProjectionProblem): void => {
    const name = `${refusedPrefix}${reason ?? code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const reached = (next: Position, end: Position): void => {
    progress = { next, end: Math.max(next, end) };
  };
  const notice = (outcomes: readonly Outcome[]): void => {
    ports.measure?.outcomes(outcomes);
    for (const outcome of outcomes) {
      count(counts, outcome);
      if (outcome.outcome !== 'dead-letter' || outcome.holds === undefined) continue;
      const { holds: deployment, position } = outcome;
      if (position > conflictTold) ports.tell({ event: 'conflict', deployment, position });
      conflictTold = Math.max(conflictTold, position);
    }
  };

  /**
   * Opens the read models that readers use and folds what is new. Undefined: the partition was lost since it was ours
   * (`lossesBefore`), and nobody wants it any more.
   */
  const catchUp = async (lossesBefore: number): Promise<CaughtUp | undefined> => {
    const isWanted = (): boolean => losses === lossesBefore && !stopping.signal.aborted;
    const opened = await openGeneration(ports, {
      isWanted,
      onProgress: ({ next, end }) => reached(next, end),
      onFolded: notice,
    });
    if (!isWanted()) return undefined;
    if (!opened.ok) throw new Halted(opened.problem);
    held = opened.value;
    checkpointSeenAtMs = ports.clock.nowMs();
    return held;
  };

  const takeOver = async (lossesBefore: number): Promise<Position> => {
    const opened = await catchUp(lossesBefore);
    // Where the partition was lost meanwhile nobody reads from here.
    if (opened === undefined) return 0;
    const { generation, state } = opened;
    problem = null;
    ports.tell({ event: 'log', logId: state.trust.logId, generation });
    ports.tell({ event: 'active' });
    tellSealed();
    return state.next;
  };

  const tellSealed = (): void => {
    const sealed = held?.state.trust.sealed ?? null;
    if (isSealedTold || sealed === null) return;
    isSealedTold = true;
    ports.tell({ event: 'sealed', at: sealed.at, note: sealed.note });
  };

  const lose = (): void => {
    losses += 1;
    if (held !== undefined) ports.tell({ event: 'standby' });
    held = undefined;
  };

  const apply = async ({ records, end }: RecordBatch): Promise<void> => {
    const lossesBefore = losses;
    let refusedInRow = 0;
    // If the partition is lost meanwhile, the next owner applies the rest.
    while (held !== undefined) {
      const { generation, state, filter } = held;
      reached(state.next, end);
      const to = (records.at(-1)?.position ?? -1) + 1;
      // What we caught up with by ourselves is handed to us all the same.
      if (state.next >= to) break;
      // In one piece with the record that they follow: the batch may be of another log that stood here for a moment.
      const news = await readOn(ports, state, Math.min(to, state.next + batchRecordsMax));
      if (!news.ok) throw new Halted(news.problem);
      if (news.value.length === 0)
        throw new Halted({
          code: 'gap',
          message: `the log was handed over up to ${to}, and ends at ${state.next}`,
        });
      waitingSinceMs = news.value[0]?.appendedAtMs ?? null;
      const applied = await measured(() =>
        applyBatch(ports, generation, state, news.value, { checks, filter }),
      );
      if (applied.ok) {
        refusedInRow = 0;
        reached(applied.value.state.next, end);
        // The one behind it came no earlier.
        waitingSinceMs = applied.value.state.logTimeMs;
        checkpointSeenAtMs = ports.clock.nowMs();
        notice(applied.value.outcomes);
        if (held !== undefined) held = { generation, state: applied.value.state, filter };
      } else if (applied.problem.code === 'gap') {
        ports.tell({ event: 'overtaken', generation, next: state.next });
        counts['overtaken'] = (counts['overtaken'] ?? 0) + 1;
        refusedInRow += 1;
        // Somebody is faster each time, or the store contradicts itself: begin again after a pause.
        if (refusedInRow > refusedInRowMax) throw new Halted(applied.problem);
        if ((await catchUp(lossesBefore)) === undefined) return;
      } else throw new Halted(applied.problem);
    }
    tellSealed();
    const nowMs = ports.clock.nowMs();
    if (held !== undefined && nowMs - hintedAtMs > hintEveryMs) {
      hintedAtMs = nowMs;
      // Not waited for: it is a hint, and it may take long while the log cannot be reached.
      void subscription?.hint(0, held.state.next);
    }
  };

  /**
   * While nothing comes, the store may lose its tail or all, or a rebuild that has switched may be killed before it
   * drops the generation that we would write to.
   */
  const look = async (): Promise<void> => {
    if (held === undefined) return;
    const lossesBefore = losses;
    const { generation, state } = held;
    const current = await ports.store.current();
    const checkpoint = await ports.store.checkpoint(generation);
    // An outage passes; who has something to write will speak of it.
    if (!current.ok || !checkpoint.ok) return;
    const stands =
      current.value === generation &&
      checkpoint.value?.next === state.next &&
      checkpoint.value.lastDigest === state.lastDigest &&
      checkpoint.value.foldVersion === currentFoldVersion;
    if (stands) checkpointSeenAtMs = ports.clock.nowMs();
    else await catchUp(lossesBefore);
  };

  const keepLooking = async (over: Stop): Promise<ProjectionProblem | undefined> => {
    while (!over.aborted) {
      await ports.clock.sleep(lookEveryMs, over);
      try {
        await alone(look);
      } catch (cause) {
        return problemOf(cause);
      }
    }
    return undefined;
  };

  const once = async (): Promise<ProjectionProblem | undefined> => {
    const following = await ports.log.subscribe(group, {
      startFrom: () => {
        const lossesBefore = losses;
        return alone(() => takeOver(lossesBefore));
      },
      onBatch: (batch) => alone(() => apply(batch)),
      onLost: lose,
      batchRecordsMax,
    });
    subscription = following;
    if (stopping.signal.aborted) await following.stop();
    const over = new AbortController();
    const ended = following.ended.then(problemOfEnding);
    const why = await Promise.race([ended, keepLooking(over.signal)]);
    over.abort();
    await following.stop();
    lose();
    await checks.end();
    return why;
  };

  const follow = (): Promise<ProjectionProblem | undefined> =>
    keepFollowing(
      { clock: ports.clock, stop: stopping.signal },
      {
        once,
        done: () => progress?.next ?? 0,
        isFinal,
        onStopped: (why, retryInMs) => {
          problem = why;
          countRefusal(why);
          ports.tell({ event: 'stopped-by', ...why, retryInMs });
        },
      },
    );

  return {
    follow,
    status: () => ({
      active: held !== undefined,
      next: progress?.next ?? null,
      lagRecords: progress === null ? null : progress.end - progress.next,
      waitingSinceMs: progress !== null && progress.end > progress.next ? waitingSinceMs : null,
      checkpointSeenAtMs,
      generation: held?.generation ?? null,
      rowsDigest: held?.state.rowsDigest ?? null,
      counts: { ...counts },
      problem,
    }),
    stop: async () => {
      stopping.abort();
      await subscription?.stop();
    },
  };
};

/** What trying again cannot mend: an operator must look. */
const isFinal = ({ code }: ProjectionProblem): boolean => {
  switch (code) {
    case 'foreign-log':
    case 'log-shortened':
    case 'log-not-opened':
    case 'old-code':
    case 'corrupt':
    case 'archive-damaged':
      return true;
    case 'log-empty':
    case 'gap':
    case 'stopped':
    case 'unreachable':
      return false;
  }
};

const count = (counts: Record<string, number>, outcome: Outcome): void => {
  const name = outcome.outcome === 'dead-letter' ? `dead-letter:${outcome.code}` : outcome.outcome;
  counts[name] = (counts[name] ?? 0) + 1;
};
