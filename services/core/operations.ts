import type { Position } from './log/record.ts';
import type { Operation, OperationKind, PolicySet } from './markers/marker.ts';
import type { KeyState } from './trust/trust.ts';

// What operators did with the log and its read models: who, why, and what came of it.

export type OperationRow = Omit<
  Operation,
  'audience' | 'deployment' | 'producer' | 'sequence' | 'attempt' | 'kind'
> & {
  readonly kind: OperationKind | PolicySet['kind'];
  readonly position: Position;
  /** When it counts. */
  readonly at: number;
  readonly principal: string;
  readonly key: string;
  /** What the fold did because of it; null for kinds that change no row. */
  readonly effect: Effect | null;
};

/** Parts of an operation (letters, deployments) that were done, and those that were refused, by code. */
export type Effect = {
  readonly done: number;
  readonly refused: readonly { readonly code: string; readonly count: number }[];
};

export const operationRow = (
  operation: Omit<Operation, 'kind'> & Pick<OperationRow, 'kind'>,
  from: { readonly position: Position; readonly at: number; readonly signer: KeyState },
  effect: Effect | null,
): OperationRow => ({
  position: from.position,
  marker: operation.marker,
  kind: operation.kind,
  at: from.at,
  occurredAt: operation.occurredAt,
  principal: from.signer.principal,
  key: from.signer.id,
  source: operation.source,
  reason: operation.reason,
  generation: operation.generation,
  from: operation.from,
  to: operation.to,
  positions: [...operation.positions],
  deployments: [...operation.deployments],
  environment: operation.environment,
  days: operation.days,
  digest: operation.digest,
  // Decoded items may carry a prototype of their own; rows hold plain values only.
  counts: operation.counts.map(({ name, value }) => ({ name, value })),
  note: operation.note,
  effect,
});

/** What an operator says of an operation beside its kind and reason; what is left out is null or empty. */
export type OperationFields = Partial<
  Pick<
    Operation,
    | 'generation'
    | 'from'
    | 'to'
    | 'positions'
    | 'deployments'
    | 'environment'
    | 'days'
    | 'digest'
    | 'counts'
    | 'note'
  >
>;

/** An operation that says nothing beside its kind and reason. */
export const noOperationFields: Required<OperationFields> = {
  generation: null,
  from: null,
  to: null,
  positions: [],
  deployments: [],
  environment: null,
  days: null,
  digest: null,
  counts: [],
  note: null,
};

export type OperationDraft = OperationFields & {
  readonly kind: OperationKind;
  readonly reason: string;
};

/** The body of an operation record: every field of its shape, for `parseMarker` to judge. */
export const operationBody = (
  draft: OperationDraft,
  envelope: {
    readonly marker: string;
    readonly audience: string;
    readonly source: string;
    readonly occurredAt: number;
  },
): { readonly [field: string]: unknown } => ({
  ...envelope,
  deployment: null,
  producer: null,
  sequence: null,
  attempt: null,
  ...noOperationFields,
  ...draft,
});
