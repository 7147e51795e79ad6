import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';

/** What the tests of one run share: one real Kafka and one real Redis. */
export type SharedStack = {
  readonly kafkaBrokers: readonly string[];
  readonly redisUrl: string;
  readonly versions: { readonly kafka: string; readonly redis: string };
  readonly how: 'addresses' | 'docker' | 'native';
};

declare module 'vitest' {
  export interface ProvidedContext {
    stack: SharedStack;
  }
}

/** The stack that `stack-setup.ts` started before the first test file. */
export function sharedStack(): SharedStack {
  return inject('stack');
}

/** An audience that no other test uses: tests on the shared stack keep apart by it. */
export function freshAudience(): string {
  return `t${randomUUID().slice(0, 8)}`;
}
