import type { TestProject } from 'vitest/node';
import { startStack } from '../../services/dev/stack/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** host:port of each broker. */
    kafkaBrokers: string[];
    /** redis://host:port */
    redisUrl: string;
  }
}

/** Starts the one stack all integration tests share; keep apart by topic prefix and hash tag. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack();
  const { kafka, redis } = stack.versions;
  console.log(`integration tests run on Apache Kafka ${kafka} and Redis ${redis} (${stack.how})`);
  project.provide('kafkaBrokers', stack.kafkaBrokers);
  project.provide('redisUrl', stack.redisUrl);
  return () => stack.stop();
}
