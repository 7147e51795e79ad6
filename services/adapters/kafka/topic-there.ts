import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { kafkaClient } from './client.ts';
import { before, messageOf } from './failure.ts';
import type { OpenProblem } from './record-log.ts';

const answerWithinMs = 5000;

/** Whether a topic is there. Asking makes none. Tries each broker once, as long as there is time. */
export const isTopicThere = async (
  brokers: readonly string[],
  topic: string,
): Promise<Result<boolean, OpenProblem>> => {
  const kafka = kafkaClient({ brokers });
  const deadlineMs = performance.now() + answerWithinMs;
  for (let tries = 1; ; tries += 1) {
    const admin = kafka.admin();
    try {
      const topics = await before(
        deadlineMs,
        admin.connect().then(() => admin.listTopics()),
      );
      return ok(topics.includes(topic));
    } catch (error) {
      if (tries < brokers.length && performance.now() < deadlineMs) continue;
      return fail({
        code: 'unreachable',
        message: `${brokers.join(',')}: ${messageOf(error)}`,
        hint: 'see PLIMSOLL_LOG; is the broker up?',
      });
    } finally {
      void admin.disconnect().catch(() => undefined);
    }
  }
};
