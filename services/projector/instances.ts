import { instancePartitions } from '../core/instances/instance.ts';
import {
  foldInstances,
  generationOfPartition,
  instanceFoldVersion,
  instanceRowsNeeded,
  judgeInstance,
} from '../core/instances/fold.ts';
import type { CheckedInstance } from '../core/instances/fold.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { noRowsDigest } from '../core/rows-digest.ts';
import { fail, ok } from '../core/result.ts';
import type { KeyState } from '../core/trust/trust.ts';
import type { ProjectionPorts, ProjectionProblem } from '../ports/projecting.ts';
import type { Checkpoint, ReadModelStore } from '../ports/read-model-store.ts';
import type { LogRange, RecordLog } from '../ports/record-log.ts';
import { loadState, refusalCode, storeProblem } from './project.ts';

// The fold of `instances`: a topic, a store and commits of its own, so that nothing the log feeds ever waits for it.

export type InstancePorts = {
  /** The topic, 12 partitions by slot. */
  readonly instances: RecordLog;
  /** Holds the rows of instances, one generation a partition, and nothing else. */
  readonly instanceStore: ReadModelStore;
  /** The log's own read models: they say which keys are trusted. */
  readonly projection: Pick<ProjectionPorts, 'store' | 'tools' | 'audience' | 'log'>;
};

/** Which keys the log trusts, and which log it is, as of one look. */
export type InstanceTrust = {
  readonly logId: string;
  readonly keys: ReadonlyMap<string, KeyState>;
  /** Every record of the log before it was looked at. */
  readonly next: Position;
};

/** The keys that the log trusts now, by its read models. */
export const readInstanceTrust = async ({
  projection,
}: Pick<InstancePorts, 'projection'>): Promise<Result<InstanceTrust, ProjectionProblem>> => {
  const current = await projection.store.current();
  if (!current.ok) return fail(storeProblem(current.problem));
  if (current.value === undefined) return refuse('log-empty', 'there are no read models yet');
  const state = await loadState(projection, current.value);
  if (!state.ok) return state;
  if (state.value === undefined) return refuse('log-empty', 'there are no read models yet');
  const { trust, next } = state.value;
  return ok({ logId: trust.logId, keys: trust.keys, next });
};

/** Where a partition stands; undefined: nothing of it was folded yet. */
export type PartitionState = {
  readonly checkpoint: Checkpoint | undefined;
  readonly next: Position;
};

/**
 * Where to go on in a partition: at its checkpoint, or at the oldest record that is still there. A topic that was made
 * anew, or rows of another version of the fold, begin the partition anew. Rows of another log are refused.
 */
export const openPartition = async (
  ports: InstancePorts,
  trust: Pick<InstanceTrust, 'logId'>,
  partition: number,
): Promise<Result<PartitionState, ProjectionProblem>> => {
  const generation = generationOfPartition(partition);
  const stored = await ports.instanceStore.checkpoint(generation);
  if (!stored.ok) return fail(storeProblem(stored.problem));
  const range = await ports.instances.range(partition);
  if (!range.ok) return refuse('unreachable', range.problem.message);
  const { start, end } = range.value;
  const checkpoint = stored.value;
  if (checkpoint === undefined) return ok({ checkpoint, next: start });
  if (checkpoint.logId !== trust.logId)
    return refuse(
      'foreign-log',
      `the rows of ${ports.instances.name} are of the log ${checkpoint.logId}, this one is ${trust.logId}`,
    );
  const isOurs = await isFoldedFrom(ports, partition, { start, end }, checkpoint);
  if (!isOurs.ok) return isOurs;
  if (isOurs.value) return ok({ checkpoint, next: Math.max(start, checkpoint.next) });
  const dropped = await ports.instanceStore.drop(generation);
  if (!dropped.ok) return fail(storeProblem(dropped.problem));
  return ok({ checkpoint: undefined, next: start });
};

/** Whether the partition holds what its rows were folded from, as far as it still holds it. */
const isFoldedFrom = async (
  { instances, projection }: InstancePorts,
  partition: number,
  { start, end }: LogRange,
  { next, lastDigest, foldVersion }: Checkpoint,
): Promise<Result<boolean, ProjectionProblem>> => {
  if (foldVersion !== instanceFoldVersion || next > end) return ok(false);
  if (next - 1 < start) return ok(true);
  const read = await instances.read(partition, next - 1, 1);
  if (!read.ok) return refuse('unreachable', read.problem.message);
  const [last] = read.value;
  return ok(last !== undefined && projection.tools.crypto.sha256Hex(last.value) === lastDigest);
};

/** Judges records by the keys of `trust`. The part of the work that costs the most. */
export const checkInstances = (
  { projection: { tools, audience } }: Pick<InstancePorts, 'projection'>,
  trust: InstanceTrust,
  records: readonly LogRecord[],
): readonly CheckedInstance[] =>
  records.map((record) => judgeInstance(tools, audience, trust.keys, record));

/** Folds checked records of one partition and commits them as one step. On `gap` nothing was written. */
export const applyInstances = async (
  ports: InstancePorts,
  trust: Pick<InstanceTrust, 'logId'>,
  partition: number,
  state: PartitionState,
  checked: readonly CheckedInstance[],
): Promise<Result<PartitionState, ProjectionProblem>> => {
  const last = checked.at(-1)?.record;
  if (last === undefined) return ok(state);
  const { tools } = ports.projection;
  const generation = generationOfPartition(partition);
  const loaded = await ports.instanceStore.rows(generation, instanceRowsNeeded(checked));
  if (!loaded.ok) return fail(storeProblem(loaded.problem));
  const to: Checkpoint = {
    logId: trust.logId,
    next: last.position + 1,
    lastDigest: tools.crypto.sha256Hex(last.value),
    foldVersion: instanceFoldVersion,
    // Nobody asks for it here.
    rowsDigest: noRowsDigest,
  };
  const writes = foldInstances(tools, checked, loaded.value.rows);
  const committed = await ports.instanceStore.commit(generation, {
    from: state.checkpoint,
    to,
    writes,
  });
  if (!committed.ok) return fail(storeProblem(committed.problem));
  return committed.value === 'committed'
    ? ok({ checkpoint: to, next: to.next })
    : refuse(
        refusalCode(committed.value),
        `another one moved ${generation} of ${ports.instances.name}`,
      );
};

const readRecordsMax = 200;

/**
 * Folds what every partition holds beyond its checkpoint, for a reader without a projector. `onProgress` hears of
 * records folded, and of how many there were when it began.
 */
export const foldInstancesToEnd = async (
  ports: InstancePorts,
  onProgress: (progress: { readonly next: number; readonly end: number }) => void = () => undefined,
): Promise<Result<void, ProjectionProblem>> => {
  const trust = await readInstanceTrust(ports);
  if (!trust.ok) return trust;
  let folded = 0;
  let known = 0;
  for (let partition = 0; partition < instancePartitions; partition++) {
    const opened = await openPartition(ports, trust.value, partition);
    if (!opened.ok) return opened;
    let state = opened.value;
    const range = await ports.instances.range(partition);
    if (!range.ok) return refuse('unreachable', range.problem.message);
    const { end } = range.value;
    known += Math.max(0, end - state.next);
    while (state.next < end) {
      const read = await ports.instances.read(partition, state.next, readRecordsMax);
      if (!read.ok) return refuse('unreachable', read.problem.message);
      if (read.value.length === 0) break;
      const checked = checkInstances(ports, trust.value, read.value);
      const applied = await applyInstances(ports, trust.value, partition, state, checked);
      if (applied.ok) {
        folded += read.value.length;
        state = applied.value;
        onProgress({ next: folded, end: known });
        continue;
      }
      if (applied.problem.code !== 'gap') return applied;
      // A projector was faster: what it has folded is folded.
      const again = await openPartition(ports, trust.value, partition);
      if (!again.ok) return again;
      state = again.value;
    }
  }
  return ok(undefined);
};

const refuse = (
  code: ProjectionProblem['code'],
  message: string,
): Result<never, ProjectionProblem> => fail({ code, message });
