import type { Position } from '../core/log/record.ts';
import { changesTrust, kindSaid } from '../core/markers/record-kind.ts';
import type { RecordSource } from './record-source.ts';
import { FollowError, openPause } from './record-source.ts';

/** How long a broker lets a question wait for a new record; an end is heard of after at most so long. */
const waitMs = 1000;
const withinMs = 10_000;

export type KafkaSourceOptions = {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  readonly audience?: string;
};

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error &&
  'code' in cause &&
  (cause.code === 'MODULE_NOT_FOUND' || cause.code === 'ERR_MODULE_NOT_FOUND');

/**
 * The log from Kafka itself, without a consumer group: nothing is committed, and any number may follow. It reads from the
 * beginning, for who may sign is said there. Needs the package kafkajs beside this one.
 */
export const fromKafka = ({ brokers, audience = 'local' }: KafkaSourceOptions): RecordSource => {
  const topic = `plimsoll.${audience}.log`;
  return {
    name: `${topic} on ${brokers.join(',')}`,
    carry: async function* ({ from, kinds, signal, note }) {
      const [{ kafkaClient }, { createPositionReader }] = await Promise.all([
        import('../adapters/kafka/client.ts'),
        import('../adapters/kafka/position-reader.ts'),
      ]).catch((cause: unknown) => {
        throw isMissing(cause)
          ? new FollowError(
              'package-missing',
              'the log on Kafka is read through the package kafkajs, which is not installed here',
              'npm install kafkajs@2.2.4, beside plimsoll',
            )
          : cause;
      });
      const reader = createPositionReader(kafkaClient({ brokers }), topic, 0);
      const pause = openPause(signal);
      const stop = (): void => void reader.close();
      signal.addEventListener('abort', stop);
      try {
        let first = from;
        let next: Position = 0;
        while (!signal.aborted) {
          const range = first === null ? await reader.range(withinMs) : undefined;
          if (range?.ok === true) first = range.value.end;
          const fetched =
            range?.ok === false ? range : await reader.fetch(next, { waitMs, withinMs });
          if (signal.aborted) return;
          if (!fetched.ok) {
            const { code, message } = fetched.problem;
            if (code === 'before-start' || code === 'beyond-end')
              throw new FollowError(code, message, 'is it the log that is meant, whole?');
            note({ code, message, position: null });
            await pause.wait();
            continue;
          }
          pause.reset();
          for (const record of fetched.value.records) {
            next = record.position + 1;
            const kind = kindSaid(record);
            const isTrust = kind !== undefined && changesTrust(kind);
            const isOld = record.position < (first ?? 0);
            if (isOld && isTrust) yield { as: 'trust', record };
            const isWanted = kinds === null || (kind !== undefined && kinds.includes(kind));
            if (!isOld && (isTrust || isWanted)) yield { as: 'record', record };
          }
        }
      } finally {
        signal.removeEventListener('abort', stop);
        await reader.close();
      }
    },
  };
};
