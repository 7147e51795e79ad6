import { streamName } from '../../adapters/foundation/foundation.ts';
import { isTopicThere } from '../../adapters/kafka/topic-there.ts';
import type { Result } from '../../core/result.ts';
import type { CliProblem } from '../problem.ts';
import { failed } from './composition.ts';

/** Whether Kafka has the log of an audience. */
export const isLogOnKafka = async (
  brokers: readonly string[],
  audience: string,
): Promise<Result<boolean, CliProblem>> => {
  const there = await isTopicThere(brokers, streamName(audience, 'log'));
  return there.ok ? there : failed(there.problem);
};
