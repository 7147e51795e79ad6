import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

/** So long after a signal its death is told, if it got it too. */
const deathToldWithinMs = 50;

/**
 * Tells whether a signal that we got went to our whole group, and so to every process that we have started. A program
 * that gets it a second time takes that for "at once". No system call tells who else got a signal; a process that does
 * nothing, and dies of it, does.
 */
export const openWitness = (): {
  readonly hasSeen: (signal: NodeJS.Signals) => Promise<boolean>;
  readonly dismiss: () => void;
} => {
  let isDismissed = false;
  const start = (): ChildProcess => {
    // It ends with its input: no witness outlives us.
    const started = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] });
    started.on('error', () => undefined);
    started.stdin.on('error', () => undefined);
    return started;
  };
  let witness = start();
  return {
    hasSeen: async (signal) => {
      const asked = witness;
      if (asked.signalCode === null) await deathOf(asked);
      const isDead = asked.signalCode === signal;
      if (isDead && witness === asked && !isDismissed) witness = start();
      return isDead;
    },
    dismiss: () => {
      isDismissed = true;
      witness.stdin?.end();
      witness.unref();
    },
  };
};

const deathOf = (asked: ChildProcess): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(done, deathToldWithinMs);
    asked.once('exit', () => {
      clearTimeout(timer);
      done();
    });
  });
