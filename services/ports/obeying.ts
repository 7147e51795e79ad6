import type { PlaceAsked } from '../core/canary/obey/gate.ts';
import type { Position } from '../core/log/record.ts';
import type { Slot } from '../core/markers/marker.ts';
import type { Result } from '../core/result.ts';
import type { Line } from '../core/views.ts';

/**
 * The questions of whoever acts on decisions, answered in lines of core/canary/obey/lines.ts by the log at hand or by a
 * gateway. Each answer is of one moment: ask again before acting.
 */
export type Obeying<Problem> = {
  /** Of the log that is answered from. Positions mean nothing on another one. */
  readonly logId: () => Promise<Result<string, Problem>>;
  /**
   * `deployment-unknown`: nobody has planned it there. `deployment-ambiguous`: it was planned for several places, and the
   * one that is meant was not named.
   */
  readonly gate: (deployment: string, place: PlaceAsked) => Promise<Result<Line, Problem>>;
  /** Whether the record at a position may be acted on. */
  readonly decision: (position: Position) => Promise<Result<Line, Problem>>;
  /** `not-found`: nothing succeeded there before the present version. */
  readonly lastGood: (slot: Slot) => Promise<Result<Line, Problem>>;
};
