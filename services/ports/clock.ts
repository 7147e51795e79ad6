export type Clock = {
  /** Milliseconds since 1970 on this machine's wall clock. Shown, never trusted for order. */
  readonly nowMs: () => number;
  /** Resolves after the given milliseconds, or at once when the signal aborts. Never rejects. */
  readonly sleep: (ms: number, signal?: Stop) => Promise<void>;
};

/** The part of AbortSignal that the house uses, so that ports stay free of any platform. */
export type Stop = {
  readonly aborted: boolean;
  readonly addEventListener: (type: 'abort', listener: () => void) => void;
  readonly removeEventListener: (type: 'abort', listener: () => void) => void;
};
