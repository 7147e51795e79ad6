import { rangesPrefix, readRange } from '../core/check/remembered.ts';
import type { LogRecord, Position } from '../core/log/record.ts';
import { headerNames } from '../core/markers/wire.ts';
import type { FoldState, Outcome } from '../core/projection.ts';
import { filterOf } from '../core/generation-note.ts';
import { isFiltering } from '../core/record-filter.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Generation, ReadModelStore } from '../ports/read-model-store.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type {
  Believed,
  GenerationDiff,
  ReplayChoice,
  ReplayPlan,
  ReplayProblem,
  Watch,
} from '../ports/replaying.ts';
import { countOne, countOutcomes, countsOf } from './counts.ts';
import { compare } from './diff.ts';
import { explainLeftOut } from './explain.ts';
import { currentOf, loadCheckpoint, logEnd, storeFailed } from './generations.ts';
import type { ReplayPorts } from './ports.ts';
import { foldedAtOnceMax } from './run.ts';

/** The dry run's generation, in a store of its own. */
const tried = 'tried';
/** Records that are folded into the store itself to measure how fast that goes, and the fewest that say anything. */
const sampleRecordsMax = 2000;
const sampleRecordsMin = 50;

/** Folds everything that a run would fold into a store that goes again, and says what that came to. */
export const planReplay = async (
  ports: ReplayPorts,
  choice: ReplayChoice & Believed,
  watch: Watch & { readonly hasEffect: boolean },
): Promise<Result<ReplayPlan, ReplayProblem>> => {
  const end = await logEnd(ports);
  if (!end.ok) return end;
  const to = Math.min(choice.to ?? end.value, end.value);
  if (to < 1) return fail({ code: 'log-empty', message: `${ports.log.name} has no record 0 yet` });
  const scratch = await ports.scratch(to);
  if (!scratch.ok) return storeFailed(scratch.problem);
  try {
    return await planInto(ports, scratch.value, { ...choice, to }, watch);
  } finally {
    await scratch.value.close();
  }
};

const planInto = async (
  ports: ReplayPorts,
  scratch: ReadModelStore,
  choice: ReplayChoice & Believed & { readonly to: Position },
  watch: Watch & { readonly hasEffect: boolean },
): Promise<Result<ReplayPlan, ReplayProblem>> => {
  const tally = openTally(ports);
  const folded = await ports.fold({ ...ports, store: scratch, log: tally.log }, tried, {
    to: choice.to,
    filter: choice.filter,
    recordsMax: foldedAtOnceMax,
    checks: { aside: ports.store.aside, sampleShare: choice.sampleShare, seed: choice.seed },
    onFolded: tally.folded,
    ...watchOf(watch),
  });
  if (!folded.ok) return folded;
  const { state } = folded.value;
  const speed = await measure(ports, choice, watch);
  if (!speed.ok) return speed;
  const effect = watch.hasEffect ? await effectOf(ports, scratch, choice, watch) : ok(null);
  if (!effect.ok) return effect;
  const recordsPerSecond = speed.value;
  return ok({
    logId: state.trust.logId,
    to: state.next,
    ...tally.counted(state),
    remembered: await rememberedBelow(ports, state),
    recordsPerSecond,
    seconds: recordsPerSecond === null ? null : state.next / recordsPerSecond,
    effect: effect.value,
  });
};

const watchOf = ({ onProgress, isWanted }: Watch): Watch => ({
  ...(onProgress === undefined ? {} : { onProgress }),
  ...(isWanted === undefined ? {} : { isWanted }),
});

type Counted = Pick<
  ReplayPlan,
  | 'records'
  | 'bytes'
  | 'firstAt'
  | 'lastAt'
  | 'kinds'
  | 'components'
  | 'environments'
  | 'signers'
  | 'outcomes'
>;

type Tally = {
  /** The log, which counts what is read from it. */
  readonly log: RecordLog;
  readonly folded: (outcomes: readonly Outcome[]) => void;
  readonly counted: (state: FoldState) => Counted;
};

/** Counts records as their headers say them, and what became of them. What a filter leaves out is not counted. */
const openTally = ({ log, tools: { text } }: ReplayPorts): Tally => {
  const read = new Map<Position, LogRecord>();
  const [kinds, keys, components, environments, outcomes] = Array.from(
    { length: 5 },
    () => new Map<string, number>(),
  ) as [
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
  ];
  let records = 0;
  let bytes = 0;
  let firstAt: number | null = null;
  let lastAt: number | null = null;

  const header = ({ headers }: LogRecord, wanted: string): string => {
    const value = headers.find(({ name }) => name === wanted)?.value;
    return (value === undefined ? undefined : text.decodeUtf8(value)) ?? '';
  };

  const countRecord = (record: LogRecord): void => {
    records += 1;
    bytes += record.value.length;
    for (const { name, value } of record.headers) bytes += name.length + value.length;
    firstAt = Math.min(firstAt ?? Infinity, record.appendedAtMs);
    lastAt = Math.max(lastAt ?? 0, record.appendedAtMs);
    const kind = /^plimsoll\.([a-z-]{1,40})\.v[0-9]+$/.exec(header(record, headerNames.type))?.[1];
    countOne(kinds, kind ?? '(unknown)');
    const key = /^[0-9a-f]{16}/.exec(header(record, headerNames.signature))?.[0];
    countOne(keys, key ?? '(unknown)');
  };

  const countChange = (outcome: Outcome): void => {
    const record = read.get(outcome.position);
    read.delete(outcome.position);
    if (outcome.outcome === 'left-out') return;
    if (record !== undefined) countRecord(record);
    if (outcome.outcome !== 'applied') return;
    const slot = outcome.change.attempt.plan?.slot;
    countOne(components, slot?.component ?? '(unplanned)');
    countOne(environments, slot?.environment ?? '(unplanned)');
  };

  return {
    log: {
      ...log,
      read: async (...args) => {
        const answer = await log.read(...args);
        if (answer.ok) for (const record of answer.value) read.set(record.position, record);
        return answer;
      },
    },
    folded: (each) => {
      each.forEach(countChange);
      countOutcomes(outcomes, each);
    },
    counted: ({ trust }) => {
      const signers = new Map<string, number>();
      for (const [key, count] of keys) {
        const name = trust.keys.get(key)?.principal ?? '(no key of this log)';
        signers.set(name, (signers.get(name) ?? 0) + count);
      }
      return {
        ...{ records, bytes, firstAt, lastAt },
        kinds: countsOf(kinds),
        components: countsOf(components),
        environments: countsOf(environments),
        signers: countsOf(signers),
        outcomes: countsOf(outcomes),
      };
    },
  };
};

/** Records a second, measured where the rows will lie: the first records are folded there, and go again. */
const measure = async (
  ports: ReplayPorts,
  { filter, to, sampleShare, seed }: ReplayChoice & Believed & { readonly to: Position },
  watch: Watch,
): Promise<Result<number | null, ReplayProblem>> => {
  const records = Math.min(to, sampleRecordsMax);
  if (records < sampleRecordsMin) return ok(null);
  const generation: Generation = `measured-${ports.clock.nowMs()}`;
  const startedAtMs = ports.clock.nowMs();
  const folded = await ports.fold(ports, generation, {
    ...{ to: records, filter, recordsMax: foldedAtOnceMax, isNew: true },
    checks: { aside: ports.store.aside, sampleShare, seed },
    ...(watch.isWanted === undefined ? {} : { isWanted: watch.isWanted }),
  });
  const seconds = Math.max(1, ports.clock.nowMs() - startedAtMs) / 1000;
  const dropped = await ports.store.drop(generation);
  if (!folded.ok) return folded;
  return dropped.ok ? ok(Math.round(records / seconds)) : storeFailed(dropped.problem);
};

/** The rows that readers have, beside those that the run would make. */
const effectOf = async (
  ports: ReplayPorts,
  scratch: ReadModelStore,
  { filter, to }: ReplayChoice & { readonly to: Position },
  watch: Watch,
): Promise<Result<GenerationDiff | null, ReplayProblem>> => {
  const current = await currentOf(ports);
  if (!current.ok) return current;
  const used = current.value;
  if (used === undefined) return ok(null);
  const note = await ports.notes.load(ports.store, used);
  if (!note.ok) return note;
  const usedFilter = filterOf(note.value);
  const compared = await compare(
    { store: ports.store, generation: used, isFiltered: usedFilter !== null },
    { store: scratch, generation: tried, isFiltered: isFiltering(filter) },
    async () => {
      const stands = await loadCheckpoint(ports, used);
      if (!stands.ok) return stands;
      // A switch would bring it as far as the one in use; and that one is folded on by whoever reads it.
      const { next } = stands.value;
      const folded =
        next > to
          ? await ports.fold({ ...ports, store: scratch }, tried, {
              ...{ to: next, filter, recordsMax: foldedAtOnceMax },
              ...watchOf(watch),
            })
          : await ports.fold(ports, used, { to, ...watchOf(watch) });
      return folded.ok || folded.problem.code === 'old-code' ? ok(undefined) : folded;
    },
    watch,
  );
  if (!compared.ok) return compared;
  const sides = { first: { generation: used, filter: usedFilter }, second: null };
  return explainLeftOut(ports, compared.value, sides, watch);
};

const pageRanges = 500;

/** How many of these records have their signature checks remembered. */
const rememberedBelow = async (
  { store }: ReplayPorts,
  { next, trust }: FoldState,
): Promise<number> => {
  const prefix = rangesPrefix(trust.logId);
  let remembered = 0;
  let reached: Position = 0;
  let after: string | undefined;
  for (;;) {
    const page = await store.aside.scan({
      ...{ prefix, rowsMax: pageRanges },
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) return remembered;
    for (const { key, value } of page.value) {
      after = key;
      const range = readRange(key, value);
      if (range === undefined || range.from < reached) continue;
      reached = range.to;
      remembered += Math.max(0, Math.min(range.to, next) - range.from);
    }
    if (page.value.length < pageRanges) return remembered;
  }
};
