/** What kafkajs hangs on its errors; the protocol's own name for the fault is in `type`, perhaps further in. */
type KafkaFault = {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
};

/** The protocol's name for what went wrong, for instance `MESSAGE_TOO_LARGE`, wherever kafkajs has wrapped it. */
export const faultType = (error: unknown): string | undefined => {
  for (let fault = error as KafkaFault | undefined; fault !== undefined && fault !== null;) {
    if (typeof fault.type === 'string') return fault.type;
    fault = fault.cause as KafkaFault | undefined;
  }
  return undefined;
};

export const isOffsetOutOfRange = (error: unknown): boolean =>
  (error as KafkaFault | undefined)?.name === 'KafkaJSOffsetOutOfRange';

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Thrown by `before` when the time is up; the work itself goes on. */
export class TimeUp extends Error {}

/** Waits for `work` until `deadlineMs` (of `performance.now()`), then rejects with `TimeUp`. */
export const before = async <Value>(deadlineMs: number, work: Promise<Value>): Promise<Value> => {
  // Whoever stops waiting must not leave a rejection that nobody handles.
  work.catch(() => undefined);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new TimeUp('no answer in time')),
    Math.max(0, deadlineMs - performance.now()),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};
