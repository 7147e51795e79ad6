/**
 * How long a test waits for something that must happen before it gives up, milliseconds: long, for a machine with much
 * other work is twenty times slower than a quiet one, and less than a test may take, so that the sentence is what is told.
 */
export const eventuallyMs = 30_000;
const lookAgainMs = 5;

/**
 * Resolves as soon as the condition holds. It never waits longer than needed, and a wait that ends in vain
 * fails with the sentence, so tests need no sleeps of a guessed length.
 */
export const eventually = async (
  sentence: string,
  condition: () => boolean | Promise<boolean>,
  withinMs: number = eventuallyMs,
): Promise<void> => {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt)
      throw new Error(`never so within ${withinMs} ms: ${sentence}`);
    await new Promise((done) => setTimeout(done, lookAgainMs));
  }
};
