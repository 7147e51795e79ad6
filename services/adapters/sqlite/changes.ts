import type { Clock } from '../../ports/clock.ts';

/** How often the file is asked whether another process changed it, milliseconds. One question takes 3 µs. */
const askEveryMs = 25;

export type Changes = {
  /** Calls the listener after each change, until the returned function is called. */
  readonly listen: (listener: () => void) => () => void;
  /** This process changed the file itself. */
  readonly announce: () => void;
  readonly stop: () => void;
};

/**
 * Notices that a file changed. SQLite tells nobody when another process commits; it answers when asked
 * (PRAGMA data_version), so one question for the whole file is asked again and again while someone listens.
 */
export const watchChanges = (options: {
  /** Differs from the last answer after another process committed. */
  readonly version: () => unknown;
  readonly sleep: Clock['sleep'];
}): Changes => {
  const listeners = new Set<() => void>();
  let asking: AbortController | undefined;

  const announce = (): void => {
    for (const listener of listeners) listener();
  };

  const ask = async ({ signal }: AbortController): Promise<void> => {
    let seen: unknown;
    while (!signal.aborted) {
      const version = options.version();
      if (version !== seen) announce();
      seen = version;
      await options.sleep(askEveryMs, signal);
    }
  };

  const stop = (): void => {
    asking?.abort();
    asking = undefined;
  };

  return {
    listen: (listener) => {
      listeners.add(listener);
      if (asking === undefined) {
        asking = new AbortController();
        void ask(asking);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    announce,
    stop: () => {
      listeners.clear();
      stop();
    },
  };
};
