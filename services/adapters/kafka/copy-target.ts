import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { CopyProblem, CopyTarget } from '../../ports/migrating.ts';
import { kafkaClient } from './client.ts';
import { before, messageOf } from './failure.ts';
import { openLane } from './lane.ts';
import { openKafkaRecordLog } from './record-log.ts';
import type { KafkaRecordLogOptions, OpenProblem } from './record-log.ts';
import { isCopyTopic, setTopicTimes } from './topic.ts';

const withinMs = 20_000;
const lookAgainMs = 100;

/**
 * A topic that a log is copied into. Its mark is `message.timestamp.type=CreateTime`: with it records keep their
 * times, and nobody takes the topic for a log, because a log's times are the broker's own (LogAppendTime). A topic
 * that is there and empty gets the mark; one with records and without it is `open`.
 */
export const openKafkaCopyTarget = async (
  options: KafkaRecordLogOptions & { readonly address: string },
): Promise<Result<CopyTarget & { readonly close: () => Promise<void> }, OpenProblem>> => {
  const { topic, address } = options;
  const log = await openKafkaRecordLog({ ...options, isCopy: true });
  if (!log.ok) return log;
  const kafka = kafkaClient(options);
  const admin = kafka.admin();
  const asking = async <Value>(ask: () => Promise<Value>): Promise<Result<Value, OpenProblem>> => {
    try {
      return ok(await before(performance.now() + withinMs, ask()));
    } catch (error) {
      const message = `${options.brokers.join(',')}: ${messageOf(error)}`;
      return fail({ code: 'unreachable', message, hint: 'is the broker up?' });
    }
  };
  const waitUntil = async (isCopy: boolean): Promise<void> => {
    while ((await isCopyTopic(admin, topic)) !== isCopy)
      await new Promise((done) => setTimeout(done, lookAgainMs));
  };
  const change = (isCopy: boolean): Promise<Result<void, OpenProblem>> =>
    asking(async () => {
      await setTopicTimes(admin, topic, isCopy);
      await waitUntil(isCopy);
    });
  const close = async (): Promise<void> => {
    await lane.close();
    await log.value.close();
    await admin.disconnect().catch(() => undefined);
  };
  const lane = openLane(kafka, topic, withinMs);

  const found = await asking(async () => {
    await admin.connect();
    return isCopyTopic(admin, topic);
  });
  const range = await log.value.range(0);
  if (!found.ok || !range.ok) {
    await close();
    if (!found.ok) return found;
    const message = range.ok ? '' : range.problem.message;
    return fail({ code: 'unreachable', message, hint: 'is the broker up?' });
  }
  let isCopy = found.value;
  if (!isCopy && range.value.end === 0) {
    const changed = await change(true);
    if (!changed.ok) {
      await close();
      return changed;
    }
    isCopy = true;
  }

  const copy: CopyTarget['copy'] = async (records) => {
    const [first] = records;
    if (first === undefined) return ok(undefined);
    const appended = await lane.append(0, records);
    if (!appended.ok) return appended;
    const position = appended.value[0]?.position;
    if (position === first.position) return ok(undefined);
    return fail<CopyProblem>({
      code: 'copy-misplaced',
      message: `record ${first.position} came to lie at ${position} of ${topic}: somebody else writes to it`,
    });
  };

  return ok({
    address,
    state: isCopy ? 'copying' : 'open',
    read: log.value.read,
    range: log.value.range,
    copy,
    open: async () => {
      if (await asking(() => isCopyTopic(admin, topic)).then((asked) => !asked.ok || asked.value)) {
        const changed = await change(false);
        if (!changed.ok) return fail({ code: 'unreachable', message: changed.problem.message });
      }
      const opened = await openKafkaRecordLog(options);
      if (opened.ok) return opened;
      const { code, message } = opened.problem;
      return fail({ code: code === 'misfit' ? 'refused' : code, message });
    },
    close,
  });
};
