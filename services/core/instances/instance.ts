import type { Envelope, Slot } from '../markers/marker.ts';

/** An instance of a component started: what really runs in a slot, as whoever started it says. */
export type InstanceStarted = Envelope & {
  readonly kind: 'instance-started';
  /** The deployment that brought it, or null where that is not known. */
  readonly deployment: string | null;
  readonly slot: Slot;
  readonly version: string;
  /** Of what runs, `sha256:…`; null where nobody knows. */
  readonly digest: string | null;
  /** Unique in its slot. */
  readonly instance: string;
  readonly cluster: string | null;
  readonly zone: string | null;
  /** Milliseconds since 1970 by its own clock: shown, never trusted. */
  readonly startedAt: number;
};

/** Instances have a topic of their own, cut by slot: what one slot's instances say is in one order. */
export const instancePartitions = 12;

/** For how long a start is remembered: 90 days. */
export const instanceKeptMs: number = 90 * 86_400_000;

/** Where a gateway takes signed starts. */
export const instancesPath = '/v1/instances';
