import type { JudgingNote } from '../core/canary/analysis/judging-note.ts';
import { judgingKeyPrefix, readJudgingNote } from '../core/canary/analysis/judging-note.ts';
import type { DeadLetter } from '../core/dead-letters.ts';
import type { Deployment } from '../core/deployment.ts';
import type { SlotGuardRow, StopsRow } from '../core/guard.ts';
import { guardModel, slotGuardPrefix, stopsKey } from '../core/guard.ts';
import type { RefusedRow } from '../core/instances/fold.ts';
import { generationOfPartition, instanceModels } from '../core/instances/fold.ts';
import { instancePartitions } from '../core/instances/instance.ts';
import type { Members, SlotInstances } from '../core/instances/running.ts';
import { bucketKeysOf } from '../core/instances/running.ts';
import { slotKey } from '../core/markers/slot.ts';
import { mayLack } from '../core/problems/lacking.ts';
import type { ProblemRows, RunningSlot } from '../core/problems/problem.ts';
import { problemsIn } from '../core/problems/problems.ts';
import { claimOf, needsMembers } from '../core/problems/running.ts';
import { policyModel } from '../core/policy-records.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import type { ProducerRow } from '../core/producers.ts';
import { address, readTrustRow } from '../core/projection.ts';
import type { CheckTools } from '../core/check/check-record.ts';
import type { RemarkRow } from '../core/remarks.ts';
import { readRow } from '../core/row-text.ts';
import { fail, ok } from '../core/result.ts';
import type { AttemptLine, SlotState } from '../core/slot-state.ts';
import { presentOf } from '../core/views.ts';
import type { ProblemQuestion, ProblemViewProblem, ReadProblems } from '../ports/problem-view.ts';
import type { Generation, ReadModelStore, StoreProblem } from '../ports/read-model-store.ts';

const pageRows = 500;
/** Rows of one list that a look takes in; of those that grow with the log the newest. */
const rowsMax = 20_000;
/** Deployments that are read whole, in one request. */
const deploymentsPerRead = 200;

/**
 * Reads the rows that problems follow from. It is no snapshot: rows that a projector writes meanwhile may be newer than
 * others; the next look has them all.
 */
export const readProblems =
  (tools: Pick<CheckTools, 'text'>): ReadProblems =>
  async (source, question) => {
    const reading = openReading(source.store, source.generation);
    try {
      const slots = await reading.all<SlotState>('slot');
      const keys = await reading.keys(tools);
      const attempts = await reading.newest<AttemptLine>(
        'timeline',
        ({ heardAt }) => heardAt >= question.sinceMs,
      );
      const producers = await reading.all<ProducerRow>('producer');
      const remarks = await reading.newest<RemarkRow>(
        'remark',
        ({ appendedAt }) => appendedAt >= question.sinceMs,
      );
      const letters = await reading.newest<DeadLetter>(
        'dead-letter',
        ({ appendedAt }) => appendedAt >= question.sinceMs,
      );
      const policies = await reading.newest<PolicyRow>(policyModel, () => true);
      const deployments = await reading.deployments(deploymentsAsked(attempts, policies, question));
      const rows: ProblemRows = {
        present: presentOf(question.nowMs, keys),
        slots,
        attempts,
        deployments,
        policies,
        stops: (await reading.guard<StopsRow>(stopsKey)).get(stopsKey)?.stops ?? [],
        slotGuards: await reading.guard<SlotGuardRow>(slotGuardPrefix),
        producers: producers.filter(({ lastAt }) => lastAt >= question.sinceMs),
        remarks,
        letters,
        running: await runningIn(source.instanceStore, slots),
        judging: await judgingIn(source.store),
        refusedInstances: await refusedIn(source.instanceStore, question.sinceMs),
      };
      return ok({
        problems: problemsIn(rows, question.expectations, question.filter),
        next: reading.next(),
        cut: reading.cut(),
      });
    } catch (cause) {
      if (cause instanceof Halted) return fail(cause.problem);
      throw cause;
    }
  };

/** Those in conflict, those of components that are expected somewhere, and those that may lack what is required. */
const deploymentsAsked = (
  attempts: readonly AttemptLine[],
  policies: readonly PolicyRow[],
  { expectations }: ProblemQuestion,
): readonly string[] => {
  const expected = new Set(expectations.map(({ component }) => component));
  return [
    ...new Set([
      ...attempts
        .filter(({ conflict, component }) => conflict || expected.has(component ?? ''))
        .map(({ deployment }) => deployment),
      ...mayLack(attempts, policies),
    ]),
  ];
};

type Reading = {
  readonly all: <Row>(model: string) => Promise<readonly Row[]>;
  /** The rows that are wanted of the newest `rowsMax`, oldest first. */
  readonly newest: <Row>(model: string, isWanted: (row: Row) => boolean) => Promise<readonly Row[]>;
  /** What stands between decisions and who would obey them, by key. */
  readonly guard: <Row>(prefix: string) => Promise<ReadonlyMap<string, Row>>;
  readonly deployments: (ids: readonly string[]) => Promise<readonly Deployment[]>;
  readonly keys: (
    tools: Pick<CheckTools, 'text'>,
  ) => Promise<readonly ReturnType<typeof readTrustRow>[]>;
  readonly next: () => number;
  readonly cut: () => readonly string[];
};

const openReading = (store: ReadModelStore, generation: Generation): Reading => {
  let next = 0;
  const cut: string[] = [];

  const scan = async (
    model: string,
    prefix: string,
    newestFirst: boolean,
  ): Promise<readonly { readonly key: string; readonly value: string }[]> => {
    const found: { readonly key: string; readonly value: string }[] = [];
    for (;;) {
      const after = found.at(-1)?.key;
      const page = await store.scan(generation, model, {
        prefix,
        newestFirst,
        rowsMax: pageRows,
        ...(after === undefined ? {} : { after }),
      });
      if (!page.ok) throw new Halted(storeFailed(page.problem));
      if (page.value.checkpoint === undefined)
        throw new Halted({ code: 'changing', message: 'the read models were replaced just now' });
      next = Math.max(next, page.value.checkpoint.next);
      found.push(...page.value.rows);
      if (page.value.rows.length < pageRows) return found;
      if (found.length < rowsMax) continue;
      cut.push(model);
      return found;
    }
  };

  const all = async <Row>(model: string, prefix = ''): Promise<readonly Row[]> =>
    (await scan(model, prefix, false)).map(({ value }) => readRow<Row>(model, value));

  return {
    all,
    newest: async <Row>(model: string, isWanted: (row: Row) => boolean) => {
      const rows = (await scan(model, '', true)).map(({ value }) => readRow<Row>(model, value));
      return rows.filter(isWanted).toReversed();
    },
    guard: async <Row>(prefix: string) =>
      new Map(
        (await scan(guardModel, prefix, false)).map(({ key, value }) => [
          key,
          readRow<Row>(guardModel, value),
        ]),
      ),
    keys: async ({ text }) =>
      (await scan('trust', 'key/', false)).map(({ value }) => readTrustRow(text, value)),
    deployments: async (ids) => {
      const found: Deployment[] = [];
      for (let at = 0; at < ids.length; at += deploymentsPerRead) {
        const part = ids.slice(at, at + deploymentsPerRead);
        const read = await store.rows(
          generation,
          part.map((key) => ({ model: 'deployment', key })),
        );
        if (!read.ok) throw new Halted(storeFailed(read.problem));
        for (const id of part) {
          const row = read.value.rows.get(address('deployment', id));
          if (row !== undefined) found.push(readRow<Deployment>('deployment', row));
        }
      }
      return found;
    },
    next: () => next,
    cut: () => cut,
  };
};

/** The rows of one model in all partitions of instances. */
const scanPartitions = async (
  store: ReadModelStore,
  model: string,
): Promise<readonly { readonly partition: number; readonly row: unknown }[]> => {
  const found: { readonly partition: number; readonly row: unknown }[] = [];
  for (let partition = 0; partition < instancePartitions; partition++) {
    let after: string | undefined;
    for (;;) {
      const page = await store.scan(generationOfPartition(partition), model, {
        rowsMax: pageRows,
        ...(after === undefined ? {} : { after }),
      });
      if (!page.ok) throw new Halted(storeFailed(page.problem));
      for (const { value } of page.value.rows) found.push({ partition, row: JSON.parse(value) });
      after = page.value.rows.at(-1)?.key;
      if (page.value.rows.length < pageRows || found.length >= rowsMax) break;
    }
  }
  return found;
};

/** Analysers leave it beside the generations. */
const judgingIn = async (store: ReadModelStore): Promise<ProblemRows['judging']> => {
  const found: JudgingNote[] = [];
  for (let after: string | undefined; ;) {
    const page = await store.aside.scan({
      prefix: judgingKeyPrefix,
      rowsMax: pageRows,
      ...(after === undefined ? {} : { after }),
    });
    if (!page.ok) throw new Halted(storeFailed(page.problem));
    for (const { value } of page.value) {
      const note = readJudgingNote(value);
      if (note !== undefined) found.push(note);
    }
    after = page.value.at(-1)?.key;
    if (page.value.length < pageRows || found.length >= rowsMax) return found;
  }
};

const runningIn = async (
  store: ReadModelStore | null,
  slots: readonly SlotState[],
): Promise<readonly RunningSlot[]> => {
  if (store === null) return [];
  const claims = new Map(slots.map((state) => [slotKey(state.slot), claimOf(state)]));
  const running: RunningSlot[] = [];
  for (const { partition, row } of await scanPartitions(store, instanceModels.running)) {
    const state = row as SlotInstances;
    const claim = claims.get(slotKey(state.slot));
    const isAsked = claim !== undefined && needsMembers(state, claim);
    const members = isAsked ? await membersOf(store, partition, state) : null;
    running.push({ partition, state, members });
  }
  return running;
};

const membersOf = async (
  store: ReadModelStore,
  partition: number,
  { slot }: SlotInstances,
): Promise<readonly Members[]> => {
  const keys = bucketKeysOf(slotKey(slot)).map((key) => ({ model: instanceModels.members, key }));
  const read = await store.rows(generationOfPartition(partition), keys);
  if (!read.ok) throw new Halted(storeFailed(read.problem));
  return [...read.value.rows.values()].map((row) => JSON.parse(row) as Members);
};

const refusedIn = async (
  store: ReadModelStore | null,
  sinceMs: number,
): Promise<ProblemRows['refusedInstances']> => {
  if (store === null) return [];
  const rows = await scanPartitions(store, instanceModels.refused);
  return rows
    .map(({ partition, row }) => ({ ...(row as RefusedRow), partition }))
    .filter(({ lastAt }) => lastAt >= sinceMs);
};

const storeFailed = ({ code, message }: StoreProblem): ProblemViewProblem => ({
  code: code === 'corrupt' ? 'corrupt' : 'unreachable',
  message,
});

/** Carries a problem out of the reading; `readProblems` answers it. */
class Halted extends Error {
  readonly problem: ProblemViewProblem;
  constructor(problem: ProblemViewProblem) {
    super(`${problem.code}: ${problem.message}`);
    this.problem = problem;
  }
}
