import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from './checker.ts';
import type { Street } from './street.ts';

const recoverWithinMs = 120_000;
const lookEveryMs = 40;

/**
 * Waits until the read models are at the end of the log, and says what is not as it must be. Given up, it says
 * nothing.
 */
export const waitRecovered = async (
  street: Street,
  givenUp: AbortSignal,
): Promise<readonly Finding[]> => {
  const deadlineMs = performance.now() + recoverWithinMs;
  while (!(await isAtEnd(street))) {
    const ended = endedOf(street);
    if (ended.length > 0) return ended;
    if (givenUp.aborted) return [];
    if (performance.now() > deadlineMs) return [await notRecovered(street)];
    await sleep(lookEveryMs);
  }
  return [...(await street.checker.check()), ...endedOf(street)];
};

const isAtEnd = async ({ log, store }: Street): Promise<boolean> => {
  const range = await log.range(0);
  const current = await store.current();
  if (!range.ok || !current.ok || current.value === undefined) return false;
  const checkpoint = await store.checkpoint(current.value);
  return checkpoint.ok && (checkpoint.value?.next ?? 0) >= range.value.end;
};

const endedOf = (street: Street): readonly Finding[] =>
  (street.ends.areExpected ? [] : street.members()).flatMap((member) => {
    const how = member.endedByItself();
    return how === null
      ? []
      : [{ code: 'ended' as const, message: `${member.name}: ${how}\n${member.lastOutput()}` }];
  });

const notRecovered = async ({ log, store, audience }: Street): Promise<Finding> => {
  const range = await log.range(0);
  const current = await store.current();
  const checkpoint =
    current.ok && current.value !== undefined ? await store.checkpoint(current.value) : current;
  return {
    code: 'not-recovered',
    message: `${audience} after ${recoverWithinMs / 1000} s: log ${JSON.stringify(range)}, checkpoint ${JSON.stringify(checkpoint)}`,
  };
};
