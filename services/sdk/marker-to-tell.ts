import type {
  Details,
  Ended,
  Freeze,
  Label,
  PhaseAdvanced,
  PlaceChange,
  PlaceFact,
  Planned,
  Started,
  TrafficShifted,
} from '../core/markers/marker.ts';

// What a program tells an emitter, a type for each kind. What is left out gets the default of its schema (schemas/*.avsc),
// in a CI job what that says of itself; ids, source and times of the marker are the emitter's.

type Common = {
  /** When it happened: UTC in ISO 8601, or milliseconds since 1970; now unless told. */
  readonly occurredAt?: number | string;
  /** Token of the attempt; that of the CI job unless told. */
  readonly attempt?: string | null;
  readonly details?: Partial<Details>;
};

/** Where. In a CI job the component is the repository's unless told; else it must be. */
type Place = {
  readonly namespace?: string;
  readonly environment?: string;
  readonly component?: string;
  readonly target?: string | null;
};

/** Which deployment: by its id, or by the name of a run, the same in its plan and in what follows. In a CI job the run's. */
type Deployment =
  | { readonly deployment?: string; readonly run?: never }
  | { readonly deployment?: never; readonly run?: string };

export type PlanToTell = Common &
  Place &
  Deployment & {
    readonly kind: Planned['kind'];
    readonly version: string;
    readonly name?: string;
    readonly digest?: string | null;
    readonly rollback?: boolean;
    readonly strategy?: string | null;
    readonly canaryShare?: number | null;
  };

type Update = Common &
  Place &
  Deployment & {
    /** As it was said, where that was another word. */
    readonly statusReported?: string | null;
    readonly reason?: string | null;
  };
export type StatusToTell = Update & { readonly kind: Started['kind'] | Ended['kind'] };
export type TrafficToTell = Update & {
  readonly kind: TrafficShifted['kind'];
  readonly canaryShare?: number | null;
  readonly colour?: string | null;
};
export type PhaseToTell = Update & {
  readonly kind: PhaseAdvanced['kind'];
  readonly phase: string;
};

type Placed = Common &
  Place & {
    readonly digest?: string | null;
    readonly rollback?: boolean;
    readonly reason?: string | null;
  };
export type PlaceFactToTell = Placed &
  (
    | { readonly kind: Exclude<PlaceFact['kind'], 'undeployed'>; readonly version: string }
    | { readonly kind: 'undeployed'; readonly version?: string }
  );

export type LabelToTell = Common &
  Place &
  Deployment & {
    readonly kind: Label['kind'];
    readonly details: Partial<Details> & Pick<Details, 'labels'>;
    readonly reason?: string | null;
  };

/** Needs a key with the role of an operator. Names may be patterns. */
export type FreezeToTell = Common &
  Place & { readonly kind: Freeze['kind']; readonly reason: string };

type Change = Common &
  Place &
  Deployment & {
    /** Of the flag, file, secret, migration or incident. */
    readonly name: string;
    readonly fromVersion?: string | null;
    readonly toVersion?: string | null;
    readonly url?: string | null;
    readonly reason?: string | null;
  };
export type ChangeToTell = Change &
  (
    | { readonly kind: Exclude<PlaceChange['kind'], 'migration-finished'> }
    | { readonly kind: 'migration-finished'; readonly outcome: 'succeeded' | 'failed' }
  );

/** Any marker that a program may tell. */
export type MarkerToTell =
  | PlanToTell
  | StatusToTell
  | TrafficToTell
  | PhaseToTell
  | PlaceFactToTell
  | LabelToTell
  | FreezeToTell
  | ChangeToTell;
