import { appendBytes, appendBytesMax } from '../core/log/append-size.ts';
import type { NewRecord, Position } from '../core/log/record.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { Problem } from './problems.ts';
import { appendRefused, refuse } from './problems.ts';

/** Records of one append. */
const groupRecordsMax = 200;
/** What may wait for the append before it. More is refused at once: a queue without end hides an outage. */
export const queueRecordsMax = 2000;
const queueBytesMax: number = 16 * 1024 * 1024;

/**
 * Group commit: what comes together, and what comes while an append runs, goes together in the next one, in the
 * order in which it came. Each caller is told of its own record, and only when the log has taken it.
 */
export type Appender = {
  readonly append: (record: NewRecord) => Promise<Result<Position, Problem>>;
  readonly queued: () => number;
};

type Waiting = {
  readonly record: NewRecord;
  readonly bytes: number;
  readonly settle: (answer: Result<Position, Problem>) => void;
};

export const openAppender = (log: RecordLog, partition = 0): Appender => {
  let queue: Waiting[] = [];
  let queueBytes = 0;
  let running = false;

  const takeGroup = (): readonly Waiting[] => {
    let bytes = 0;
    let count = 0;
    for (const waiting of queue) {
      bytes += waiting.bytes;
      if (count > 0 && (bytes > appendBytesMax || count === groupRecordsMax)) break;
      count++;
    }
    const group = queue.slice(0, count);
    queue = queue.slice(count);
    for (const waiting of group) queueBytes -= waiting.bytes;
    return group;
  };

  const run = async (): Promise<void> => {
    running = true;
    while (queue.length > 0) {
      await turn();
      const group = takeGroup();
      const answers = await appendGroup(log, partition, group);
      for (const [index, { settle }] of group.entries()) settle(answers(index));
    }
    running = false;
  };

  return {
    append: (record) => {
      const bytes = appendBytes([record]);
      if (queue.length >= queueRecordsMax || queueBytes + bytes > queueBytesMax)
        return Promise.resolve(
          refuse('busy', `${queue.length} records wait for ${log.name}`, 'nothing was written'),
        );
      return new Promise((settle) => {
        queue.push({ record, bytes, settle });
        queueBytes += bytes;
        if (!running) void run();
      });
    },
    queued: () => queue.length,
  };
};

/**
 * Until all that has arrived by now was looked at. A log on this machine answers before it lets go of the thread:
 * without this each record would be a group of its own, and each group costs a write that reaches the disk.
 */
const turn = (): Promise<void> => new Promise((done) => void setImmediate(done));

const appendGroup = async (
  log: RecordLog,
  partition: number,
  group: readonly Waiting[],
): Promise<(index: number) => Result<Position, Problem>> => {
  try {
    const appended = await log.append(
      partition,
      group.map(({ record }) => record),
    );
    if (!appended.ok) return () => appendRefused(appended.problem);
    return (index) => {
      const position = appended.value[index]?.position;
      return position === undefined ? unsaid(log) : ok(position);
    };
  } catch {
    // A log that throws has broken its promise; those who wait must be told all the same.
    return () => unsaid(log);
  }
};

const unsaid = (log: RecordLog): Result<never, Problem> =>
  appendRefused({ code: 'unknown', message: `${log.name} did not say what became of the record` });
