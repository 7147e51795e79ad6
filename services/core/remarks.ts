import type { Entry } from './deployment.ts';
import type { Position } from './log/record.ts';
import type { Slot } from './markers/marker.ts';

/**
 * A marker that there is something to say about: it waited on a spool, so what it says counts from before it was heard;
 * its producer's clock is off; or it says otherwise than what stands. One row a marker, by position.
 */
export type RemarkRow = {
  readonly position: Position;
  readonly deployment: string;
  readonly attempt: number;
  /** Of its plan; null without one. */
  readonly slot: Slot | null;
  readonly version: string | null;
  readonly kind: Entry['kind'];
  readonly note: Entry['note'];
  readonly says: string | null;
  /** When it counts; milliseconds since 1970, as are all times here. */
  readonly at: number;
  readonly appendedAt: number;
  readonly occurredAt: number;
  readonly waitedMs: number;
  readonly clockSkewed: boolean;
  readonly principal: string;
  readonly key: string;
  readonly source: string;
};

/** Whether the marker gets a row. */
export const isRemarkable = ({ note, waitedMs, clockSkewed }: Entry): boolean =>
  waitedMs > 0 || clockSkewed || isOtherwise(note);

const isOtherwise = (note: Entry['note']): boolean => {
  switch (note) {
    case 'contradiction':
    case 'disagreement':
    case 'held':
      return true;
    case 'applied':
    case 'repeat':
    case 'late':
      return false;
  }
};
