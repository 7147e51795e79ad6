import type { LogRecord, Position } from '../core/log/record.ts';
import type { Kind } from '../core/markers/marker.ts';
import type { Stop } from '../ports/clock.ts';

/** What a follower tells on its way: it goes on by itself. */
export type FollowNote = {
  readonly code: string;
  readonly message: string;
  /** Of the record that it is about, or null. */
  readonly position: Position | null;
};

export type Asked = {
  /** The first position that is wanted; null: what comes from now on. */
  readonly from: Position | null;
  /** Null: all. Changes of trust come in any case. */
  readonly kinds: readonly Kind[] | null;
  readonly signal: Stop;
  readonly note: (note: FollowNote) => void;
};

/** `trust`: it lies before what was asked for, and may say who may sign. */
export type Carried = { readonly as: 'record' | 'trust'; readonly record: LogRecord };

/**
 * Carries records from a log, in their order, and then each new one, until the signal aborts; an outage it waits out. It
 * is not believed: it may say the same again, and what it carries is checked by whoever follows. Throws a FollowError for
 * what does not mend by waiting.
 */
export type RecordSource = {
  readonly name: string;
  readonly carry: (asked: Asked) => AsyncIterable<Carried>;
};

/** Why a follower cannot go on. */
export class FollowError extends Error {
  override readonly name = 'FollowError';
  readonly code: string;
  /** What to do about it. */
  readonly hint: string;
  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const pauseMsFirst = 500;
const pauseMsMax = 30_000;

/** Waits longer each time that it fails again; with some chance in it, so that not all come back at once. */
export const openPause = (
  signal: Stop,
): { readonly wait: () => Promise<void>; readonly reset: () => void } => {
  let pauseMs = pauseMsFirst;
  return {
    reset: () => {
      pauseMs = pauseMsFirst;
    },
    wait: async () => {
      const ms = pauseMs * (0.5 + Math.random() / 2);
      pauseMs = Math.min(pauseMs * 2, pauseMsMax);
      await asleep(ms, signal);
    },
  };
};

const asleep = (ms: number, signal: Stop): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) {
      done();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
