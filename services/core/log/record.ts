/** Where a record stands on its partition: 0 is the first. Position is the order of everything. */
export type Position = number;

/** One header as it travels. Ours are ASCII; a stranger's may be any bytes. */
export type Header = { readonly name: string; readonly value: Uint8Array };

/** A record that is to be appended. The log gives it position and time. */
export type NewRecord = {
  readonly key: Uint8Array;
  readonly headers: readonly Header[];
  readonly value: Uint8Array;
};

/** A record as it lies on a log: bytes only, nothing is believed yet. */
export type LogRecord = NewRecord & {
  readonly position: Position;
  /** The log's own append time, milliseconds since 1970. Never the producer's. */
  readonly appendedAtMs: number;
};
