import type { LogRecord, Position } from '../core/log/record.ts';
import type { Decided } from '../core/markers/marker.ts';
import { sampleKey } from '../core/samples/key.ts';
import type { Stop } from '../ports/clock.ts';
import type { SampleRange } from '../ports/sample-archive.ts';
import type { AnalyserPorts } from './ports.ts';

// The samples that a decision rests on are kept when it is made, because they outlive the decision by days only.

export type Archiving = {
  /** A decision is on the log: the range that it names is to be kept. Answers at once. */
  readonly offer: (decision: Decided) => void;
  /** Where the earliest range begins that is not kept yet: whoever takes the partition over decides it again. */
  readonly pendingFrom: (partition: number) => Position | undefined;
  /** The partition is another's now, and what is not kept of it is the other's to keep. */
  readonly drop: (partition: number) => void;
  /** Keeps what is offered, one after the other, until `stop`. */
  readonly keepArchiving: () => Promise<void>;
};

type Task = { readonly range: SampleRange; readonly key: string };

const pageRecords = 200;
/** After each page: judging comes first. */
const restMs = 10;
const lookMs = 500;
const retryMs = 5_000;
/** A disk that is full must not hold the snapshots back for ever. */
const triesMax = 20;

export const openArchiving = (ports: AnalyserPorts, stop: Stop): Archiving => {
  const { clock, samples, tools, sampleArchive: archive } = ports;
  /** By analysis: of two decisions of one the later names all that the earlier does. */
  const tasks = new Map<string, Task>();
  let said: string | undefined;

  const recordsOf = async function* ({ range, key }: Task): AsyncGenerator<readonly LogRecord[]> {
    let next = range.from;
    while (next <= range.to) {
      if (stop.aborted) throw new Error('stopped');
      const wanted = Math.min(pageRecords, range.to + 1 - next);
      const page = await samples.read(range.partition, next, wanted);
      if (!page.ok) throw new Error(page.problem.message);
      const last = page.value.at(-1);
      if (last === undefined) throw new Error(`${samples.name} ends before its own sample`);
      next = last.position + 1;
      // What other components sent is no part of what it rests on.
      yield page.value.filter((record) => tools.text.decodeUtf8(record.key) === key);
      await clock.sleep(restMs, stop);
    }
  };

  const keep = async (task: Task): Promise<boolean> => {
    if (archive === undefined) return true;
    const { range } = task;
    const kept = await archive.keptTo(range.analysis);
    if (kept.ok && kept.value !== undefined && kept.value >= range.to) return true;
    const done = kept.ok ? await archive.keep(range, recordsOf(task)) : kept;
    const message = done.ok ? undefined : `${range.analysis}: ${done.problem.message}`;
    if (message !== undefined && message !== said && !stop.aborted)
      ports.tell({ event: 'not-kept', what: 'samples', message });
    said = message;
    return done.ok || done.problem.code === 'too-large';
  };

  return {
    offer: (decision) => {
      if (archive === undefined) return;
      const { analysis, slot, samplesPartition: partition, samplesFrom, samplesTo } = decision;
      if (slot === null) return;
      const range = { analysis, partition, from: samplesFrom, to: samplesTo };
      const before = tasks.get(analysis);
      if (before === undefined || before.range.to < samplesTo)
        tasks.set(analysis, { range, key: sampleKey(slot) });
    },
    pendingFrom: (partition) => {
      const froms = [...tasks.values()].flatMap(({ range }) =>
        range.partition === partition ? [range.from] : [],
      );
      return froms.length === 0 ? undefined : Math.min(...froms);
    },
    drop: (partition) => {
      for (const [analysis, { range }] of tasks)
        if (range.partition === partition) tasks.delete(analysis);
    },
    keepArchiving: async () => {
      let tries = 0;
      while (!stop.aborted) {
        const [first] = tasks;
        if (first === undefined) {
          await clock.sleep(lookMs, stop);
          continue;
        }
        const [analysis, task] = first;
        tries += 1;
        const isDone = await keep(task);
        if (!isDone && tries < triesMax) {
          await clock.sleep(retryMs, stop);
          continue;
        }
        tries = 0;
        // A later decision may have come meanwhile.
        if (tasks.get(analysis) === task) tasks.delete(analysis);
      }
    },
  };
};
