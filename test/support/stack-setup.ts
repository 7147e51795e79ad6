import type { TestProject } from 'vitest/node';
import { startStack } from '../../services/dev/stack/stack.ts';
import type { Stack } from '../../services/dev/stack/stack.ts';

let stack: Stack | undefined;

/** Vitest's global setup for tests that need real Kafka and Redis: one stack for the whole run. */
export async function setup(project: TestProject): Promise<void> {
  const say = (line: string): boolean => process.stdout.write(`stack: ${line}\n`);
  stack = await startStack({ env: process.env, say, programs: ['kcat'] });
  const { kafkaBrokers, redisUrl, versions, how } = stack;
  say(`Kafka ${versions.kafka} and Redis ${versions.redis} (${how})`);
  project.provide('stack', { kafkaBrokers, redisUrl, versions, how });
}

export async function teardown(): Promise<void> {
  await stack?.stop();
}
