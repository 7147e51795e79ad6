import type { Brand } from '../result.ts';

export type MarkerId = Brand<string, 'MarkerId'>;
export type DeploymentId = Brand<string, 'DeploymentId'>;

/** A place that holds a version. `target` null is a target of its own. */
export type Slot = {
  readonly namespace: string;
  readonly environment: string;
  readonly component: string;
  readonly target: string | null;
};

export type NameValue = { readonly name: string; readonly value: string };

/** What else the producer knows about the change. Shown, searched, never decisive. */
export type Details = {
  readonly commit: string | null;
  readonly repository: string | null;
  readonly build: string | null;
  readonly trigger: string | null;
  readonly actor: string | null;
  readonly owner: string | null;
  readonly tickets: readonly string[];
  readonly intent: string | null;
  readonly riskFlags: readonly string[];
  readonly cluster: string | null;
  readonly zone: string | null;
  readonly functionVersion: string | null;
  readonly functionAlias: string | null;
  readonly runbook: string | null;
  readonly resources: readonly NameValue[];
  readonly labels: readonly NameValue[];
  readonly links: readonly NameValue[];
  readonly changes: readonly {
    readonly type: string;
    readonly id: string;
    readonly title: string | null;
    readonly url: string | null;
  }[];
};

/** What every record of the log begins with. */
export type Envelope = {
  readonly marker: MarkerId;
  readonly audience: string;
  readonly source: string;
  /** Milliseconds since 1970 by the producer's clock: shown, never trusted. */
  readonly occurredAt: number;
  readonly producer: string | null;
  readonly sequence: number | null;
  /** Token of the CI attempt, or null outside CI. */
  readonly attempt: string | null;
};

export type Planned = Envelope & {
  readonly kind: 'planned';
  readonly deployment: DeploymentId;
  readonly slot: Slot;
  readonly name: string;
  readonly version: string;
  readonly digest: string | null;
  readonly rollback: boolean;
  readonly strategy: string | null;
  /** 0 < share <= 1, or null. */
  readonly canaryShare: number | null;
  readonly details: Details;
};

type UpdateBase = Envelope & {
  readonly deployment: DeploymentId;
  readonly slot: Slot | null;
  readonly statusReported: string | null;
  readonly reason: string | null;
  readonly details: Details;
};
export type Started = UpdateBase & { readonly kind: 'started' };
export type Ended = UpdateBase & { readonly kind: 'succeeded' | 'failed' | 'canceled' };
export type TrafficShifted = UpdateBase & {
  readonly kind: 'traffic-shifted';
  readonly canaryShare: number | null;
  readonly colour: string | null;
};
export type PhaseAdvanced = UpdateBase & {
  readonly kind: 'phase-advanced';
  /** The phase that begins, in the producer's words. */
  readonly phase: string;
};
export type Update = Started | Ended | TrafficShifted | PhaseAdvanced;

/** What comes to a place or goes from it: `logged` and `recorded` replace, `released` adds, the others remove. */
export type PlaceFact = Envelope & {
  readonly kind: 'logged' | 'recorded' | 'undeployed' | 'released' | 'support-ended';
  /** Equals the marker id: such a fact is a deployment of its own. */
  readonly deployment: DeploymentId;
  readonly slot: Slot;
  /** Empty where `undeployed` names none. */
  readonly version: string;
  readonly digest: string | null;
  readonly rollback: boolean;
  readonly details: Details;
  readonly reason: string | null;
};

/** Labels for a deployment, or, where that is null, for what stands in the slot. They are in the details. */
export type Label = Envelope & {
  readonly kind: 'label';
  readonly deployment: DeploymentId | null;
  readonly slot: Slot;
  readonly details: Details;
  readonly reason: string | null;
};

/** Nothing new may come to a place, says a person. Names of the slot may be patterns, a target of null is any. */
export type Freeze = Envelope & {
  readonly kind: 'freeze';
  readonly deployment: null;
  readonly slot: Slot;
  readonly details: Details;
  readonly reason: string;
};

/** Something beside deployments that changed in a place or befell it. Names and versions, never values. */
export type PlaceChange = Envelope & {
  readonly kind:
    | 'flag-changed'
    | 'config-changed'
    | 'secret-changed'
    | 'migration-started'
    | 'migration-finished'
    | 'incident-opened'
    | 'incident-resolved';
  /** That it belongs to, or that is thought to have caused it. */
  readonly deployment: DeploymentId | null;
  readonly slot: Slot;
  /** Of the flag, file, secret, migration or incident. */
  readonly name: string;
  readonly fromVersion: string | null;
  readonly toVersion: string | null;
  /** Of a migration that finished; else null. */
  readonly outcome: 'succeeded' | 'failed' | null;
  readonly url: string | null;
  readonly reason: string | null;
  readonly details: Details;
};

/** What is said of a place beside its deployments. */
export type Circumstance = Label | Freeze | PlaceChange;

export type Counts = { readonly requests: number; readonly errors: number };

/** What one metric came to. Counts are 0 where it is a level. */
export type DecidedMetric = {
  /** What the policy calls it. */
  readonly id: string;
  readonly judged: 'errors' | 'latency' | 'level' | 'traffic';
  /** Its part of the whole budget, 0 to 1. */
  readonly weight: number;
  readonly isBlamed: boolean;
  readonly canaryCount: number;
  readonly canaryEvents: number;
  readonly baselineCount: number;
  readonly baselineEvents: number;
  readonly canaryLevel: number | null;
  readonly baselineLevel: number | null;
  readonly ratio: number | null;
  readonly ratioLow: number | null;
  readonly ratioHigh: number | null;
  /** Up to which the canary counts as no worse, in the unit of the metric. */
  readonly tolerated: number | null;
  readonly evidence: number;
  readonly promoteEvidence: number;
  readonly dispersion: number;
  readonly dispersionFrom: 'measured' | 'raised-for-traffic' | 'unknown' | 'none';
  readonly cappedBlocks: number;
  /** Indexes of the windows that moved its evidence most. */
  readonly strongest: readonly number[];
};

/** Where the canary stands, as core/canary/judge/verdict.ts has it. */
export type DecidedStage =
  | 'warming'
  | 'armed'
  | 'advanced'
  | 'promoted'
  | 'hold'
  | 'inconclusive'
  | 'rolled-back';

export type Decided = Envelope & {
  readonly kind: 'promote' | 'advance' | 'hold' | 'roll-back';
  readonly deployment: DeploymentId;
  readonly slot: Slot;
  readonly analysis: string;
  readonly windowIndex: number;
  readonly windowEndedAt: number;
  readonly windows: number;
  readonly windowMs: number;
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly reason: string;
  readonly explanation: string;
  readonly metric: string | null;
  readonly canary: Counts;
  readonly baseline: Counts;
  readonly ratio: number | null;
  readonly ratioLow: number | null;
  readonly ratioHigh: number | null;
  readonly evidence: number;
  readonly evidenceNeeded: number;
  readonly toleranceRelative: number;
  readonly toleranceAbsolute: number;
  readonly strongest: readonly number[];
  readonly share: number | null;
  readonly validForMs: number;
  readonly judge: string;
  readonly policyDigest: string;
  readonly evidenceDigest: string;
  readonly samplesPartition: number;
  readonly samplesFrom: number;
  readonly samplesTo: number;
  readonly fromVersion: string;
  readonly fromDigest: string | null;
  readonly toVersion: string | null;
  readonly toDigest: string | null;
  readonly metrics: readonly DecidedMetric[];
  readonly stage: DecidedStage;
  /** `dry-run` is never to be obeyed, `ask` once a person has approved it. */
  readonly mode: 'decide' | 'dry-run' | 'ask';
  /** What the policy says of silence, where a silence led to this. */
  readonly onSilence: 'hold' | 'page' | 'roll-back' | null;
  /** SHA-256 (hex) of the noise that the metrics were judged with. */
  readonly noiseDigest: string | null;
  /** The analysis of the earlier attempt whose evidence was carried in. */
  readonly carriedFrom: string | null;
};

export type Role = 'emitter' | 'analyser' | 'operator' | 'gateway' | 'trust-admin';

export type TrustedKey = {
  readonly id: string;
  readonly principal: string;
  readonly algorithm: 'ed25519';
  readonly publicKey: Uint8Array;
  readonly roles: readonly Role[];
  readonly environments: readonly string[];
  readonly components: readonly string[];
  readonly kinds: readonly string[];
};

type TrustBase = Envelope & { readonly log: string; readonly reason: string | null };
export type LogOpened = TrustBase & { readonly kind: 'log-opened'; readonly key: TrustedKey };
export type KeyAdded = TrustBase & { readonly kind: 'key-added'; readonly key: TrustedKey };
export type KeyRetired = TrustBase & { readonly kind: 'key-retired'; readonly keyId: string };
export type KeyCompromised = TrustBase & {
  readonly kind: 'key-compromised';
  readonly keyId: string;
  /** What the key signed from this position on is suspect. */
  readonly since: number;
};
export type TrustChange = LogOpened | KeyAdded | KeyRetired | KeyCompromised;

/** What an operator did. Which fields a kind has is said in parse-marker.ts; the others are null or empty. */
export type Operation = Envelope & {
  readonly kind: OperationKind;
  readonly deployment: null;
  readonly reason: string;
  readonly generation: string | null;
  /** Positions that it is about; `to` is the one behind the last. */
  readonly from: number | null;
  readonly to: number | null;
  /** Of dead letters, ascending. */
  readonly positions: readonly number[];
  readonly deployments: readonly string[];
  /** A name, or the beginning of one and `*`. */
  readonly environment: string | null;
  readonly days: number | null;
  /** SHA-256, 64 hex digits. */
  readonly digest: string | null;
  readonly counts: readonly { readonly name: string; readonly value: number }[];
  readonly note: string | null;
};
export type OperationKind =
  | 'generation-begun'
  | 'generation-paused'
  | 'generation-built'
  | 'generation-switched'
  | 'generation-dropped'
  | 'letters-redriven'
  | 'letters-discarded'
  | 'retention-set'
  | 'deployments-forgotten'
  | 'log-archived'
  | 'log-sealed'
  | 'log-continued'
  | 'decisions-stopped'
  | 'decisions-resumed'
  | 'freeze-lifted'
  | 'decision-approved'
  | 'decision-declined';

/** From here on canaries are judged by this document, and by no earlier one. */
export type PolicySet = Envelope & {
  readonly kind: 'policy-set';
  readonly deployment: null;
  readonly reason: string;
  /** Canonical JSON; canary/policy/parse-policy.ts reads it. */
  readonly document: string;
  /** SHA-256 of its UTF-8 bytes, 64 hex digits. */
  readonly digest: string;
};

/** One signed fact, in the newest version of its shape. */
export type Marker =
  | Planned
  | Update
  | PlaceFact
  | Circumstance
  | Decided
  | TrustChange
  | Operation
  | PolicySet;
export type Kind = Marker['kind'];

/** A marker that is about a deployment, and moves it. */
export type DeploymentMarker = Planned | Update | PlaceFact | Decided;

/** What pipelines and people say of deployments and places: what an emitting command makes. */
export type Emittable = Planned | Update | PlaceFact | Circumstance;
