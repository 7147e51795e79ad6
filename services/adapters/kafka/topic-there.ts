import type { Admin } from 'kafkajs';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { kafkaClient } from './client.ts';
import { before, messageOf } from './failure.ts';
import type { OpenProblem } from './record-log.ts';

const answerWithinMs = 5000;

/** Whether a topic is there and was ever written to. Asking makes none. Tries each broker once, as long as there is time. */
export const isTopicWritten = async (
  brokers: readonly string[],
  topic: string,
): Promise<Result<boolean, OpenProblem>> => {
  const kafka = kafkaClient({ brokers });
  const deadlineMs = performance.now() + answerWithinMs;
  for (let tries = 1; ; tries += 1) {
    const admin = kafka.admin();
    try {
      return ok(
        await before(
          deadlineMs,
          admin.connect().then(() => isWritten(admin, topic)),
        ),
      );
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

const isWritten = async (admin: Admin, topic: string): Promise<boolean> => {
  const topics = await admin.listTopics();
  if (!topics.includes(topic)) return false;
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.some(({ high }) => high !== '0');
};
