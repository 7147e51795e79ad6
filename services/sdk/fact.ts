import type { CheckProblem } from '../core/check/check-record.ts';
import type { Position } from '../core/log/record.ts';
import type { Marker } from '../core/markers/marker.ts';

/** A record of the log whose signer, bytes and form were checked here. */
export type Fact = {
  /** Its place on the log, and its id: of one position there is one fact. Go on later from `position + 1`. */
  readonly position: Position;
  /** When the log took it, milliseconds since 1970, as whoever carried the record says. */
  readonly appendedAtMs: number;
  readonly marker: Marker;
  readonly signer: { readonly keyId: string; readonly principal: string };
  /** The token with which somebody without a key said it, through a gateway that signed; null: it is the signer's own word. */
  readonly onBehalf: string | null;
  /** How long it waited before it was appended, as its deliverer has signed; milliseconds. */
  readonly waitedMs: number;
};

/** Why a record is no fact: it is a dead letter for every reader of the log, and nothing follows from it. */
export type NoFact = {
  readonly code:
    | CheckProblem['code']
    | 'out-of-scope'
    | 'log-sealed'
    | 'foreign-log'
    | (string & {});
  readonly message: string;
};
