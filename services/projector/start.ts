import type { LogRecord, Position } from '../core/log/record.ts';
import type { FoldState, Outcome } from '../core/projection.ts';
import type { Clock, Stop } from '../ports/clock.ts';
import type { Generation } from '../ports/read-model-store.ts';
import type { RecordBatch, Subscription } from '../ports/record-log.ts';
import { openGeneration, openState } from './catch-up.ts';
import type { ProjectionPorts, ProjectionProblem } from './project.ts';
import { applyBatch, batchRecordsMax } from './project.ts';

export type ProjectorPorts = ProjectionPorts & {
  readonly clock: Clock;
  /** Says what an operator should know. Never called with what a record contains. */
  readonly tell: (event: ProjectorEvent) => void;
};

export type ProjectorEvent =
  | { readonly event: 'active' | 'standby' }
  | { readonly event: 'log'; readonly logId: string; readonly generation: Generation }
  | {
      readonly event: 'stopped-by';
      readonly code: string;
      readonly message: string;
      readonly retryInMs: number | null;
    };

export type ProjectorStatus = {
  readonly active: boolean;
  /** Next position to apply, or null where it was never active. */
  readonly next: Position | null;
  readonly lagRecords: number | null;
  readonly counts: { readonly [outcome: string]: number };
  readonly problem: ProjectionProblem | null;
};

export type Projector = {
  readonly status: () => ProjectorStatus;
  /** Settles when it has ended for good: a problem that trying again cannot mend, or `stop`. */
  readonly ended: Promise<ProjectionProblem | undefined>;
  readonly stop: () => Promise<void>;
};

const retryMsFirst = 200;
const retryMsMax = 10_000;
const hintEveryMs = 2000;

/**
 * Follows the log and keeps the read models up to date. Of several on one audience the log lets one be active; if
 * two believe to be it, the store lets one win each step, and the other reads again where things stand.
 */
export const startProjector = (ports: ProjectorPorts): Projector => {
  const run = openRun(ports);
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

type Run = {
  readonly status: () => ProjectorStatus;
  readonly follow: () => Promise<ProjectionProblem | undefined>;
  readonly stop: () => Promise<void>;
};

const openRun = (ports: ProjectorPorts): Run => {
  const stopping = openStop();
  const counts: Record<string, number> = {};
  let generation: Generation | undefined;
  let state: FoldState | undefined;
  let end: Position | null = null;
  let problem: ProjectionProblem | null = null;
  let subscription: Subscription | undefined;
  let hintedAtMs = 0;

  const takeOver = async (): Promise<Position> => {
    const opened = await openGeneration(ports);
    if (!opened.ok) throw new Halted(opened.problem);
    ({ generation, state } = opened.value);
    problem = null;
    ports.tell({ event: 'log', logId: state.trust.logId, generation });
    ports.tell({ event: 'active' });
    return state.next;
  };

  const reload = async (upTo: Position): Promise<void> => {
    if (generation === undefined) throw new Halted(notActive);
    const current = await ports.store.current();
    if (!current.ok) throw new Halted({ code: 'unreachable', message: current.problem.message });
    // A rebuild has switched: go on with the generation that readers use.
    generation = current.value ?? generation;
    const read = await openState(ports, generation, upTo);
    if (!read.ok) throw new Halted(read.problem);
    state = read.value;
  };

  const apply = async (records: readonly LogRecord[], upTo: Position): Promise<void> => {
    let rest = records;
    while (rest.length > 0) {
      if (generation === undefined) throw new Halted(notActive);
      const applied = await applyBatch(ports, generation, state, rest);
      if (applied.ok) {
        state = applied.value.state;
        for (const outcome of applied.value.outcomes) count(counts, outcome);
        return;
      }
      if (applied.problem.code !== 'gap') throw new Halted(applied.problem);
      await reload(upTo);
      const next: Position = state?.next ?? 0;
      const first = rest[0]?.position ?? next;
      if (next < first) throw new Halted(applied.problem);
      rest = rest.filter(({ position }) => position >= next);
    }
  };

  const onBatch = async (batch: RecordBatch): Promise<void> => {
    end = batch.end;
    for (let index = 0; index < batch.records.length; index += batchRecordsMax)
      await apply(batch.records.slice(index, index + batchRecordsMax), batch.end);
    const nowMs = ports.clock.nowMs();
    if (state !== undefined && nowMs - hintedAtMs > hintEveryMs) {
      hintedAtMs = nowMs;
      await subscription?.hint(0, state.next);
    }
  };

  const once = async (): Promise<ProjectionProblem | undefined> => {
    subscription = await ports.log.subscribe(`plimsoll.${ports.audience}.projector`, {
      startFrom: takeOver,
      onBatch,
      onLost: () => {
        generation = undefined;
        ports.tell({ event: 'standby' });
      },
    });
    if (stopping.stop.aborted) await subscription.stop();
    const why = await subscription.ended;
    generation = undefined;
    if (why === undefined) return undefined;
    if (why.code !== 'subscriber') return { code: 'unreachable', message: why.message };
    return why.cause instanceof Halted
      ? why.cause.problem
      : { code: 'unreachable', message: why.message };
  };

  const follow = async (): Promise<ProjectionProblem | undefined> => {
    let retryMs = retryMsFirst;
    while (!stopping.stop.aborted) {
      const before: Position = state?.next ?? 0;
      const why = await once().catch((cause: unknown): ProjectionProblem => ({
        code: 'unreachable',
        message: String(cause),
      }));
      if (why === undefined) return undefined;
      problem = why;
      const final = isFinal(why);
      if ((state?.next ?? 0) > before) retryMs = retryMsFirst;
      ports.tell({ event: 'stopped-by', ...why, retryInMs: final ? null : retryMs });
      if (final) return why;
      await ports.clock.sleep(retryMs, stopping.stop);
      retryMs = Math.min(retryMs * 2, retryMsMax);
    }
    return undefined;
  };

  return {
    follow,
    status: () => ({
      active: generation !== undefined && (subscription?.owned().length ?? 0) > 0,
      next: state?.next ?? null,
      lagRecords: state === undefined || end === null ? null : Math.max(0, end - state.next),
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
      return true;
    case 'log-empty':
    case 'gap':
    case 'unreachable':
      return false;
  }
};

const notActive: ProjectionProblem = {
  code: 'unreachable',
  message: 'the partition belongs to another projector',
};

/** Carries a problem out of a subscriber; caught in `once` and nowhere else. */
class Halted extends Error {
  readonly problem: ProjectionProblem;
  constructor(problem: ProjectionProblem) {
    super(`${problem.code}: ${problem.message}`);
    this.problem = problem;
  }
}

const count = (counts: Record<string, number>, outcome: Outcome): void => {
  const name = outcome.outcome === 'dead-letter' ? `dead-letter:${outcome.code}` : outcome.outcome;
  counts[name] = (counts[name] ?? 0) + 1;
};

const openStop = (): { readonly stop: Stop; readonly abort: () => void } => {
  const listeners = new Set<() => void>();
  let aborted = false;
  return {
    stop: {
      get aborted() {
        return aborted;
      },
      addEventListener: (_type, listener) => listeners.add(listener),
      removeEventListener: (_type, listener) => listeners.delete(listener),
    },
    abort: () => {
      aborted = true;
      for (const listener of listeners) listener();
    },
  };
};
