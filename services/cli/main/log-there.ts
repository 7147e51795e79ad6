import { streamName } from '../../adapters/foundation/foundation.ts';
import { isTopicWritten } from '../../adapters/kafka/topic-there.ts';
import type { Result } from '../../core/result.ts';
import type { CliProblem } from '../problem.ts';
import { failed } from './composition.ts';

/** Whether Kafka has the log of an audience. A topic without records is none yet: first use opens it. */
export const isLogOnKafka = async (
  brokers: readonly string[],
  audience: string,
): Promise<Result<boolean, CliProblem>> => {
  const there = await isTopicWritten(brokers, streamName(audience, 'log'));
  return there.ok ? there : failed(there.problem);
};
