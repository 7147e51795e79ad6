import { claimsOf } from '../core/check/claims.ts';
import type { CheckedInstance } from '../core/instances/fold.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProjectionProblem } from '../ports/projecting.ts';
import type { RecordBatch, Subscription } from '../ports/record-log.ts';
import type { InstancePorts, InstanceTrust, PartitionState } from './instances.ts';
import { applyInstances, checkInstances, openPartition, readInstanceTrust } from './instances.ts';
import type { Follower, Run } from './keep-following.ts';
import { Halted, keepFollowing, problemOfEnding, started } from './keep-following.ts';
import { openTurns } from './turns.ts';

export type InstanceFollowerPorts = InstancePorts & {
  readonly clock: Clock;
  /** Says what an operator should know. Never called with what a record contains. */
  readonly tell: (event: InstanceEvent) => void;
};

export type InstanceEvent = {
  readonly event: 'stopped-by';
  readonly code: string;
  readonly message: string;
  readonly retryInMs: number | null;
};

export type InstanceFollowerStatus = {
  readonly partitions: readonly number[];
  readonly lagRecords: number;
  readonly counts: { readonly [outcome: string]: number };
  readonly problem: ProjectionProblem | null;
};

export type InstanceFollower = Follower<InstanceFollowerStatus>;

/** Records of one commit. */
const batchRecordsMax = 50;
/** Records that are checked in one go: some 2 ms of the thread that the log's projector needs. */
const sliceRecordsMax = 25;
/** After each piece of work the thread is left alone for so many times as long: a flood gets a quarter of it at most. */
const restTimes = 3;
/** A clock that was set meanwhile makes no longer rest than this. */
const restMsMax = 200;
const hintEveryMs = 2_000;
/** A key that was found compromised is refused after this at the latest. */
const trustFreshMs = 2_000;
/** Until the read models are asked again for a key that is not known. */
const trustAgainMs = 200;
/** How long an unknown key is waited for: it may be on the log, and not yet in its read models. */
const keyWaitMs = 2_000;
/** How far the clocks of the log and of this machine may be apart. */
const clocksApartMs = 500;

/**
 * Follows `instances` and counts what runs. It has a quarter of the thread at most, however much comes: what it cannot
 * take waits on the topic, and nothing that follows the log waits for it.
 */
export const followInstances = (ports: InstanceFollowerPorts): InstanceFollower =>
  started(openRun(ports));

type Trusted = {
  readonly value: InstanceTrust;
  readonly readAtMs: number;
  /** When the read models last held the whole log. */
  readonly wholeAtMs: number;
};

const openRun = (ports: InstanceFollowerPorts): Run<InstanceFollowerStatus> => {
  const stopping = new AbortController();
  const { nowMs, sleep } = ports.clock;
  const alone = openTurns();
  const states = new Map<number, PartitionState>();
  const lags = new Map<number, number>();
  const counts: Record<string, number> = {};
  let trust: Trusted | undefined;
  let problem: ProjectionProblem | null = null;
  let subscription: Subscription | undefined;
  let hintedAtMs = 0;
  let applied = 0;

  const lookAtTrust = async (): Promise<Trusted> => {
    const readAtMs = nowMs();
    const end = await ports.projection.log.range(0);
    const read = await readInstanceTrust(ports);
    if (!read.ok) throw new Halted(read.problem);
    const isWhole = end.ok && read.value.next >= end.value.end;
    trust = {
      value: read.value,
      readAtMs,
      wholeAtMs: isWhole ? readAtMs : (trust?.wholeAtMs ?? 0),
    };
    return trust;
  };

  /**
   * The keys, fresh enough for these records. A key is on the log before it signs: whoever is unknown to read models that
   * held the whole log after the record came is unknown, and for the others they are waited for a little.
   */
  const trustFor = async (records: readonly LogRecord[]): Promise<InstanceTrust> => {
    const ageMs = trust === undefined ? Number.POSITIVE_INFINITY : nowMs() - trust.readAtMs;
    let known = trust;
    if (known === undefined || ageMs < 0 || ageMs > trustFreshMs) known = await lookAtTrust();
    const named = records.map((record) => ({
      keyId: claimsOf(ports.projection.tools.text, record, undefined).keyId,
      appendedAtMs: record.appendedAtMs,
    }));
    const isOpen = ({ value, wholeAtMs }: Trusted): boolean =>
      named.some(
        ({ keyId, appendedAtMs }) =>
          keyId !== null && !value.keys.has(keyId) && appendedAtMs > wholeAtMs - clocksApartMs,
      );
    const untilMs = nowMs() + keyWaitMs;
    while (isOpen(known) && nowMs() < untilMs && !stopping.signal.aborted) {
      await sleep(trustAgainMs, stopping.signal);
      known = await lookAtTrust();
    }
    return known.value;
  };

  /** Leaves the thread to others for as long as work of that duration has earned them. */
  const rest = async (sinceMs: number): Promise<void> => {
    const workedMs = Math.max(1, nowMs() - sinceMs);
    await sleep(Math.min(restMsMax, workedMs * restTimes), stopping.signal);
  };

  const takeOver = async (partition: number): Promise<Position> => {
    const { value } = await lookAtTrust();
    const opened = await openPartition(ports, value, partition);
    if (!opened.ok) throw new Halted(opened.problem);
    states.set(partition, opened.value);
    problem = null;
    return opened.value.next;
  };

  const check = async (records: readonly LogRecord[]): Promise<readonly CheckedInstance[]> => {
    const known = await trustFor(records);
    const checked: CheckedInstance[] = [];
    for (let at = 0; at < records.length; at += sliceRecordsMax) {
      const beganMs = nowMs();
      checked.push(...checkInstances(ports, known, records.slice(at, at + sliceRecordsMax)));
      await rest(beganMs);
    }
    return checked;
  };

  const apply = async ({ partition, records, end }: RecordBatch): Promise<void> => {
    for (;;) {
      const state = states.get(partition);
      // If the partition is lost meanwhile, the next owner applies the rest.
      if (state === undefined || stopping.signal.aborted) return;
      lags.set(partition, Math.max(0, end - state.next));
      const left = records.filter(({ position }) => position >= state.next);
      if (left.length === 0) break;
      const checked = await check(left.slice(0, batchRecordsMax));
      const logId = trust?.value.logId ?? '';
      const beganMs = nowMs();
      const done = await applyInstances(ports, { logId }, partition, state, checked);
      if (done.ok) {
        applied += checked.length;
        for (const item of checked) count(counts, item);
        if (states.has(partition)) {
          states.set(partition, done.value);
          lags.set(partition, Math.max(0, end - done.value.next));
        }
      } else if (done.problem.code === 'gap') await takeOver(partition);
      else throw new Halted(done.problem);
      await rest(beganMs);
    }
    const atMs = nowMs();
    if (atMs - hintedAtMs < hintEveryMs && atMs >= hintedAtMs) return;
    hintedAtMs = atMs;
    for (const [owned, { next }] of states) void subscription?.hint(owned, next);
  };

  const once = async (): Promise<ProjectionProblem | undefined> => {
    const following = await ports.instances.subscribe(
      `plimsoll.${ports.projection.audience}.instances`,
      {
        startFrom: (partition) => alone(() => takeOver(partition)),
        onBatch: (batch) => alone(() => apply(batch)),
        onLost: (partition) => {
          states.delete(partition);
          lags.delete(partition);
        },
      },
    );
    subscription = following;
    if (stopping.signal.aborted) await following.stop();
    const ending = await following.ended;
    await following.stop();
    states.clear();
    lags.clear();
    return problemOfEnding(ending);
  };

  const follow = (): Promise<ProjectionProblem | undefined> =>
    keepFollowing(
      { clock: ports.clock, stop: stopping.signal },
      {
        once,
        done: () => applied,
        isFinal: ({ code }) => code === 'foreign-log' || code === 'corrupt',
        onStopped: (why, retryInMs) => {
          problem = why;
          // Until the log's own projector has made its read models there is nobody to ask for keys.
          if (why.code === 'log-empty') return;
          raise(counts, `refused:${why.code}`);
          ports.tell({ event: 'stopped-by', ...why, retryInMs });
        },
      },
    );

  return {
    follow,
    status: () => ({
      partitions: [...states.keys()].toSorted((a, b) => a - b),
      lagRecords: [...lags.values()].reduce((sum, lag) => sum + lag, 0),
      counts: { ...counts },
      problem,
    }),
    stop: async () => {
      stopping.abort();
      await subscription?.stop();
    },
  };
};

const count = (counts: Record<string, number>, item: CheckedInstance): void =>
  raise(counts, 'refused' in item ? `refused:${item.refused}` : 'counted');

const raise = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};
