import { signaturesAhead } from '../core/check/ahead.ts';
import type { Checked } from '../core/check/check-batch.ts';
import { checkBatch } from '../core/check/check-batch.ts';
import type { Repeats } from '../core/check/repeats.ts';
import { createRepeats } from '../core/check/repeats.ts';
import type { CheckTools } from '../core/check/check-record.ts';
import type { RowAddress, RowMemory } from '../core/known-rows.ts';
import { address, createRowMemory } from '../core/known-rows.ts';
import type { LogRecord } from '../core/log/record.ts';
import type { Folded, FoldState, Outcome } from '../core/projection.ts';
import { currentFoldVersion, foldOpening, openFold, readFoldState } from '../core/projection.ts';
import type { RecordFilter } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Checks } from './checks.ts';
import type { Trust } from '../core/trust/trust.ts';
import type { ProjectionPorts, ProjectionProblem } from '../ports/projecting.ts';
import type {
  Checkpoint,
  Generation,
  ReadModelStore,
  Refused,
  Step,
  StoreProblem,
} from '../ports/read-model-store.ts';

/**
 * Records of one commit, at most. What many of them touch is written once; of more, more is alive when the garbage
 * collector comes, and it holds the main thread for longer.
 */
export const batchRecordsMax = 300;

/** Where a generation stands, read back from its rows. Undefined: it holds nothing yet. */
export const loadState = async (
  { store, tools }: Pick<ProjectionPorts, 'store' | 'tools'>,
  generation: Generation,
): Promise<Result<FoldState | undefined, ProjectionProblem>> => {
  for (let attempt = 0; attempt < rereadsMax; attempt++) {
    const trust = await allRows(store, generation, 'trust');
    if (!trust.ok) return trust;
    const time = await store.rows(generation, [{ model: 'log', key: 'time' }]);
    if (!time.ok) return fail(storeProblem(time.problem));
    const { checkpoint, rows } = time.value;
    if (checkpoint === undefined) return ok(undefined);
    // Read in several steps: they belong together only if nobody committed in between.
    if (trust.value.stands.every((stands) => isSameStand(stands, checkpoint)))
      return ok(
        readFoldState(tools.text, checkpoint, trust.value.rows, rows.get(address('log', 'time'))),
      );
  }
  return refuse('unreachable', 'the read models change faster than they can be read');
};

/** After the same records, with the same rows: also where another store answers for a moment. */
const isSameStand = (
  stands: Checkpoint | undefined,
  { next, lastDigest, rowsDigest }: Pick<Checkpoint, 'next' | 'lastDigest' | 'rowsDigest'>,
): boolean =>
  stands?.next === next && stands.lastDigest === lastDigest && stands.rowsDigest === rowsDigest;

const rereadsMax = 50;
const scanRowsMax = 1000;

const allRows = async (
  store: ReadModelStore,
  generation: Generation,
  model: string,
): Promise<
  Result<
    {
      /** Where the generation stood at each page. */
      readonly stands: readonly (Checkpoint | undefined)[];
      readonly rows: readonly { key: string; value: string }[];
    },
    ProjectionProblem
  >
> => {
  const rows: { key: string; value: string }[] = [];
  const stands: (Checkpoint | undefined)[] = [];
  for (;;) {
    const after = rows.at(-1)?.key;
    const page = await store.scan(generation, model, {
      rowsMax: scanRowsMax,
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return fail(storeProblem(page.problem));
    rows.push(...page.value.rows);
    stands.push(page.value.checkpoint);
    if (page.value.rows.length < scanRowsMax) return ok({ stands, rows });
  }
};

/** How records are folded; left out: all of them, and every signature is checked. */
export type FoldHow = { readonly checks?: Checks; readonly filter?: RecordFilter | null };

/**
 * Applies records that begin at `state.next` and commits them as one step. `state` undefined means that they begin
 * with record 0. On `gap` nothing was written: load the state again.
 */
export const applyBatch = async (
  ports: ProjectionPorts,
  generation: Generation,
  state: FoldState | undefined,
  records: readonly LogRecord[],
  how: FoldHow = {},
): Promise<
  Result<{ readonly state: FoldState; readonly outcomes: readonly Outcome[] }, ProjectionProblem>
> => {
  const memory = takeMemory(ports, generation, state);
  let folded = await foldRecords(ports, generation, state, records, memory, how);
  if (!folded.ok) return folded;
  let committed = await commit(ports, generation, state, folded.value);
  if (committed.ok && committed.value !== 'committed' && committed.value.refused === 'row-there') {
    // Nothing is written. What was checked is remembered, and now every row is looked for.
    memory.asking = batchesAskedMax;
    folded = await foldRecords(ports, generation, state, records, memory, how);
    if (!folded.ok) return folded;
    committed = await commit(ports, generation, state, folded.value);
  }
  if (!committed.ok) return fail(storeProblem(committed.problem));
  if (committed.value !== 'committed')
    return refuse(refusalCode(committed.value), refusedMessage(committed.value));
  memory.asking = Math.max(0, memory.asking - 1);
  await ports.turn?.();
  memory.rows.keep(folded.value.rows);
  const { store, audience } = ports;
  memories.set(folded.value.state, { store, audience, generation, memory });
  await how.checks?.committed();
  return ok({ state: folded.value.state, outcomes: folded.value.outcomes });
};

const commit = (
  { store }: ProjectionPorts,
  generation: Generation,
  state: FoldState | undefined,
  folded: Folded,
): ReturnType<ReadModelStore['commit']> => {
  const step: Step = {
    from: state === undefined ? undefined : checkpointOf(state),
    to: checkpointOf(folded.state),
    writes: folded.writes,
  };
  return store.commit(generation, step);
};

/** Batches in which every row is looked for, after one in which a marker came again: where one does, others do. */
const batchesAskedMax = 20;

/** Rows that a projector remembers from step to step; as many again while it forgets. */
const memoryBytesMax = 32 * 1024 * 1024;

/**
 * Rows as they were committed with a state, so that who goes on from that state need not read and parse them again. A
 * state leads to them once: whatever goes wrong, the next one is read from the store, and nothing is remembered. That
 * nobody else wrote meanwhile, the compare-and-set of the checkpoint makes sure.
 */
const memories = new WeakMap<
  FoldState,
  {
    readonly store: ReadModelStore;
    readonly audience: string;
    readonly generation: Generation;
    readonly memory: Memory;
  }
>();

type Memory = {
  readonly rows: RowMemory;
  readonly repeats: Repeats;
  /** Batches for which no marker is taken for new. */
  asking: number;
};

/** Records in which a repeat is found without checking its signature; as many again while it forgets. */
const repeatsRecordsMax = 4_000;

const takeMemory = (
  { store, audience }: ProjectionPorts,
  generation: Generation,
  state: FoldState | undefined,
): Memory => {
  const kept = state === undefined ? undefined : memories.get(state);
  if (state !== undefined) memories.delete(state);
  const isOurs =
    kept?.store === store && kept.audience === audience && kept.generation === generation;
  return kept !== undefined && isOurs
    ? kept.memory
    : {
        rows: createRowMemory(memoryBytesMax, state === undefined || state.next === 1),
        repeats: createRepeats({ recordsMax: repeatsRecordsMax }),
        asking: 0,
      };
};

const checkpointOf = (state: FoldState): Checkpoint => ({
  logId: state.trust.logId,
  next: state.next,
  lastDigest: state.lastDigest,
  foldVersion: currentFoldVersion,
  rowsDigest: state.rowsDigest,
});

/** What record 0 says of the log; refused where it is none, or not the one that is asked for. */
export const openingOf = (
  { log, tools, audience, pinnedLogId }: ProjectionPorts,
  record: LogRecord,
): Result<Folded, ProjectionProblem> => {
  const opened = foldOpening(tools, audience, record);
  if (!opened.ok)
    return refuse(
      'log-not-opened',
      `record 0 of ${log.name} does not open this log: ${opened.problem.message}`,
    );
  const { logId } = opened.value.state.trust;
  return pinnedLogId === null || pinnedLogId === logId
    ? opened
    : refuse(
        'foreign-log',
        `${log.name} is the log ${logId}; PLIMSOLL_LOG_ID asks for ${pinnedLogId}`,
      );
};

const foldRecords = async (
  ports: ProjectionPorts,
  generation: Generation,
  state: FoldState | undefined,
  records: readonly LogRecord[],
  memory: Memory,
  how: FoldHow,
): Promise<Result<Folded, ProjectionProblem>> => {
  if (state !== undefined)
    return foldChecked(ports, generation, state, false, records, memory, how);
  const [opening, ...rest] = records;
  if (opening === undefined) return refuse('log-empty', 'the log has no record 0 yet');
  const opened = openingOf(ports, opening);
  if (!opened.ok) return opened;
  if (rest.length === 0) return opened;
  const folded = await foldChecked(ports, generation, opened.value.state, true, rest, memory, how);
  if (!folded.ok) return folded;
  const later = new Set(folded.value.writes.map(({ model, key }) => address(model, key)));
  return ok({
    ...folded.value,
    writes: [
      ...opened.value.writes.filter(({ model, key }) => !later.has(address(model, key))),
      ...folded.value.writes,
    ],
    outcomes: [...opened.value.outcomes, ...folded.value.outcomes],
  });
};

const foldChecked = async (
  ports: ProjectionPorts,
  generation: Generation,
  state: FoldState,
  /** Nothing is stored yet. */
  isNew: boolean,
  records: readonly LogRecord[],
  memory: Memory,
  how: FoldHow,
): Promise<Result<Folded, ProjectionProblem>> => {
  const checked = await checkRecords(ports, state, records, memory.repeats, how.checks);
  await ports.turn?.();
  const folding = openFold(ports.tools, state, memory.rows, how.filter);
  const presumesNew = !isNew && memory.asking === 0 && !memory.rows.knowsNew();
  const needed = folding.needs(checked, presumesNew);
  const loaded = await loadRows(ports, generation, state, isNew, needed, memory.rows);
  if (!loaded.ok) return loaded;
  for (let from = 0; from < checked.length; from += foldedAtOnceMax) {
    await ports.turn?.();
    folding.add(checked.slice(from, from + foldedAtOnceMax));
  }
  do await ports.turn?.();
  while (!folding.settle(settledAtOnceMax));
  await ports.turn?.();
  return ok(folding.end());
};

const checkRecords = async (
  ports: ProjectionPorts,
  state: FoldState,
  records: readonly LogRecord[],
  repeats: Repeats,
  checks: Checks | undefined,
): Promise<readonly Checked[]> => {
  // Each further pass believes less than the one before.
  for (;;) {
    const pass = checks?.pass(state.trust.logId, records);
    const tools: CheckTools = {
      ...ports.tools,
      ...(pass === undefined ? {} : { signatures: pass.signatures }),
      repeats,
    };
    const checked = await checkInPieces(
      ports,
      await verifiedAhead(ports, tools, state.trust, records),
      state.trust,
      records,
    );
    if (pass === undefined || pass.isSound()) return checked;
  }
};

/** Tools that know what came of the signatures, where there is somebody to check them beside this thread. */
const verifiedAhead = async (
  { signatureChecking, turn, audience }: ProjectionPorts,
  tools: CheckTools,
  trust: Trust,
  records: readonly LogRecord[],
): Promise<CheckTools> => {
  if (signatureChecking === undefined) return tools;
  await turn?.();
  const { signed, headers } = signaturesAhead(tools, audience, trust, records);
  const isGood = await signatureChecking.verifyAll(signed);
  const outcomes = new Map(signed.map(({ position }, at) => [position, isGood[at] === true]));
  // The key that a record names does not change.
  return { ...tools, headers, ahead: outcomes };
};

const checkInPieces = async (
  { turn, audience }: ProjectionPorts,
  tools: CheckTools,
  before: Trust,
  records: readonly LogRecord[],
): Promise<readonly Checked[]> => {
  let trust = before;
  const checked: Checked[] = [];
  for (const piece of piecesOf(records)) {
    await turn?.();
    const answer = checkBatch(tools, audience, trust, piece);
    ({ trust } = answer);
    checked.push(...answer.checked);
  }
  return checked;
};

function* piecesOf(records: readonly LogRecord[]): Generator<readonly LogRecord[]> {
  let piece: LogRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    piece.push(record);
    bytes += record.value.length;
    if (piece.length < checkedAtOnceMax && bytes < checkedBytesMax) continue;
    yield piece;
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0) yield piece;
}

/** Between two turns, so that no piece takes 5 ms: about 0.15 ms a record checked, 0.03 folded, 0.01 a row settled. */
export const checkedAtOnceMax = 12;
export const checkedBytesMax: number = 128 * 1024;
export const foldedAtOnceMax = 40;
export const settledAtOnceMax = 60;

/** Asks for rows until the fold needs no more: a marker leads to its deployment, that to its slots, those to holders. */
const loadRows = async (
  { store, turn }: ProjectionPorts,
  generation: Generation,
  state: FoldState,
  isNew: boolean,
  needed: () => readonly RowAddress[],
  memory: RowMemory,
): Promise<Result<void, ProjectionProblem>> => {
  for (;;) {
    const wanted = needed();
    if (wanted.length === 0) return ok(undefined);
    const read = await store.rows(generation, wanted);
    if (!read.ok) return fail(storeProblem(read.problem));
    // The commit finds what has changed since, but not that for a moment another store has answered, or an empty one.
    const { checkpoint } = read.value;
    if (checkpoint === undefined ? !isNew : !isSameStand(checkpoint, state))
      return refuse(
        'gap',
        `the rows are of a store that stands at ${checkpoint?.next ?? 'nothing'}, not at ${state.next}`,
      );
    memory.learn(wanted, read.value.rows);
    await turn?.();
  }
};

/** Where every row was looked for and one is there all the same, somebody wrote it meanwhile. */
export const refusalCode = ({ refused }: Pick<Refused, 'refused'>): ProjectionProblem['code'] =>
  refused === 'row-there' ? 'gap' : refused;

const refusedMessage = (refused: {
  readonly refused: string;
  readonly stored: Checkpoint | undefined;
}): string =>
  refused.stored === undefined
    ? `${refused.refused}: the generation holds no checkpoint`
    : `${refused.refused}: the generation stands at ${refused.stored.next} of log ${refused.stored.logId}, fold ${refused.stored.foldVersion}`;

/** A store's problem as the projection tells it: damage is damage, and all else may pass. */
export const storeProblem = ({ code, message, reason }: StoreProblem): ProjectionProblem => ({
  code: code === 'corrupt' ? 'corrupt' : 'unreachable',
  message,
  ...(reason === undefined ? {} : { reason }),
});

const refuse = (
  code: ProjectionProblem['code'],
  message: string,
): Result<never, ProjectionProblem> => fail({ code, message });
