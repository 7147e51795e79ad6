import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { judgingKey } from '../../services/core/canary/analysis/judging-note.ts';
import type { JudgingNote } from '../../services/core/canary/analysis/judging-note.ts';
import { orderedInstanceModels } from '../../services/core/instances/fold.ts';
import type { InstanceStarted } from '../../services/core/instances/instance.ts';
import { instancePartitions } from '../../services/core/instances/instance.ts';
import { partitionOfInstance } from '../../services/core/instances/wire.ts';
import { parseExpected } from '../../services/core/problems/parse-expected.ts';
import type { Problem } from '../../services/core/problems/problem.ts';
import { nowhere } from '../../services/core/problems/problem.ts';
import type { ProblemQuestion } from '../../services/ports/problem-view.ts';
import { openGeneration } from '../../services/projector/catch-up.ts';
import { foldInstancesToEnd } from '../../services/projector/instances.ts';
import { readProblems } from '../../services/projector/problems.ts';
import type { Step } from './given.ts';
import { emptyStore, openedAtMs, recordsOf, tools } from './given.ts';
import { startRecord } from './instances.ts';
import { audience } from './markers.ts';
import { value } from './records.ts';

// What a reader finds wrong in a story that a log and instances tell.

/** An instance says that it starts, so many seconds after the log was opened. */
export type Starts = {
  readonly at: number;
  readonly instance: string;
  readonly by?: string;
  readonly over?: Partial<InstanceStarted>;
};

/** The problems of a story, as of a number of seconds after the log was opened. */
export const problemsOf = async (
  steps: readonly Step[],
  asked: {
    readonly now: number;
    readonly starts?: readonly Starts[];
    readonly expected?: unknown;
    readonly filter?: ProblemQuestion['filter'];
    readonly since?: number;
    /** What analysers have left of canaries that are judged. */
    readonly judging?: readonly JudgingNote[];
  },
): Promise<readonly Problem[]> => {
  const records = await recordsOf(...steps);
  let nowMs = openedAtMs;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => nowMs });
  for (const record of records) {
    nowMs = record.appendedAtMs;
    value(await log.append(0, [record]));
  }
  const instances = createMemoryRecordLog({
    name: 'instances',
    partitions: instancePartitions,
    nowMs: () => nowMs,
  });
  for (const { at, instance, by = 'node', over } of asked.starts ?? []) {
    nowMs = openedAtMs + at * 1000;
    const record = await startRecord(by, instance, over);
    value(await instances.append(partitionOfInstance(tools.text, record), [record]));
  }
  const store = emptyStore();
  for (const [index, note] of (asked.judging ?? []).entries())
    value(
      await store.aside.write([{ key: judgingKey(String(index)), value: JSON.stringify(note) }]),
    );
  const projection = { log, store, tools, audience };
  const { generation } = value(await openGeneration({ ...projection, pinnedLogId: null }));
  const instanceStore = createMemoryReadModelStore({ orderedModels: orderedInstanceModels });
  value(await foldInstancesToEnd({ instances, instanceStore, projection }));
  const answer = await readProblems(tools)(
    { store, generation, instanceStore },
    {
      nowMs: openedAtMs + asked.now * 1000,
      sinceMs: openedAtMs + (asked.since ?? -1) * 1000,
      expectations: asked.expected === undefined ? [] : value(parseExpected(asked.expected)),
      filter: asked.filter ?? nowhere,
    },
  );
  return value(answer).problems;
};

/** `alarm digest-mismatch at 5: message`, one problem each. */
export const told = (problems: readonly Problem[]): readonly string[] =>
  problems.map(
    ({ severity, code, positions, message }) =>
      `${severity} ${code} at ${positions.join(',')}: ${message}`,
  );
