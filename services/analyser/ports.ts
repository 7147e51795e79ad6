import type { NoBoundOf } from '../core/canary/metrics/latency.ts';
import type { UnsaidOf } from '../core/canary/analysis/status-unsaid.ts';
import type { UnsentMetric } from '../core/canary/analysis/judging-note.ts';
import type { PolicyDocument } from '../core/canary/policy/placed-policy.ts';
import type { RefusedOpening } from '../core/canary/analysis/fold-samples.ts';
import type { CheckTools } from '../core/check/check-record.ts';
import type { Position } from '../core/log/record.ts';
import type { Decided } from '../core/markers/marker.ts';
import type { Clock } from '../ports/clock.ts';
import type { OtlpContentType, ReadTelemetry } from '../ports/otlp.ts';
import type { ReadModelStore } from '../ports/read-model-store.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { SampleArchive } from '../ports/sample-archive.ts';
import type { Signer } from '../ports/signer.ts';
import type { NoisePace, SnapshotPace } from './paces.ts';

/** What the analyser stands on. It opens and closes none of it. */
export type AnalyserPorts = {
  readonly audience: string;
  readonly log: RecordLog;
  /** OTLP metrics as they came: from the gateway, or from the Collector's Kafka exporter. */
  readonly metrics: RecordLog;
  readonly samples: RecordLog;
  /** Read models that a projector keeps up to date; the analyser only reads them. */
  readonly store: ReadModelStore;
  /** The analyser's key. It signs samples and decisions, and nothing happens before the log trusts it. */
  readonly signer: Signer;
  readonly tools: CheckTools;
  readonly clock: Clock;
  readonly readTelemetry: ReadTelemetry;
  /** The encoding of an OTLP body: `declared` is its content-type header, or null where it has none. */
  readonly otlpContentTypeOf: (
    declared: string | null,
    bytes: Uint8Array,
  ) => OtlpContentType | null;
  /** What canaries that begin from now on are judged by, whatever the log says; null: what the log says. */
  readonly policyFile: PolicyDocument | null;
  /** Where the samples are kept that decisions name; left out: nowhere, and they are gone with the topic's. */
  readonly sampleArchive?: SampleArchive;
  /** When states are kept for whoever takes over; `snapshotPace` unless told. */
  readonly snapshotPace?: SnapshotPace;
  /** When noise is learned; `noisePace` unless told. */
  readonly noisePace?: NoisePace;
  /** Says what an operator should know. Never called with what a record contains. */
  readonly tell: (event: AnalyserEvent) => void;
};

/** The three followers of which the analyser is made. */
export type PartName = 'telemetry' | 'log' | 'samples';

export type AnalyserEvent =
  | { readonly event: 'key-untrusted'; readonly keyId: string }
  | { readonly event: 'started' }
  | {
      readonly event: 'part-stopped';
      readonly part: PartName;
      readonly message: string;
      readonly retryInMs: number;
    }
  /** Points that are no evidence, by reason, since it was last told. Nulls: they could not be read. */
  | {
      readonly event: 'excluded';
      readonly analysis: string | null;
      readonly deployment: string | null;
      readonly points: { readonly [reason: string]: number };
    }
  /** Neither cohort has shown these metrics of its policy by the end of the warm-up. */
  | {
      readonly event: 'metric-unsent';
      readonly analysis: string;
      readonly deployment: string;
      readonly metrics: readonly UnsentMetric[];
    }
  /** It goes to one target, the policy does not say how senders name theirs, and they name several. */
  | {
      readonly event: 'targets-together';
      readonly analysis: string;
      readonly deployment: string;
      readonly target: string;
      readonly targets: readonly string[];
    }
  /** No bound of the buckets of these metrics lies near the durations, so nothing is promoted. */
  | {
      readonly event: 'no-bound';
      readonly analysis: string;
      readonly deployment: string;
      readonly metrics: readonly NoBoundOf[];
    }
  /** One cohort does not say what became of its requests, where the other one does, so nothing is promoted. */
  | {
      readonly event: 'status-unsaid';
      readonly analysis: string;
      readonly deployment: string;
      readonly metrics: readonly UnsaidOf[];
    }
  | {
      readonly event: 'analysis-opened';
      readonly analysis: string;
      readonly deployment: string;
      readonly attempt: number;
      /** The analysis of an earlier attempt whose evidence it goes on from, or null. */
      readonly carriedFrom: string | null;
      /** Which independent attempt with the same artifacts it is, from 1: each has half the budget of the one before. */
      readonly independentAttempts: number;
    }
  /**
   * An opening is not obeyed. `opened-late`: it was appended ten minutes after it was made, or a clock is wrong;
   * `partition-full`: too many canaries are open at once.
   */
  | {
      readonly event: 'opening-refused';
      readonly analysis: string;
      readonly deployment: string;
      readonly why: RefusedOpening['why'];
    }
  /** `position` null: the log had it already, or it would have changed nothing any more. */
  | {
      readonly event: 'decided';
      readonly kind: Decided['kind'];
      readonly analysis: string;
      readonly deployment: string;
      readonly position: Position | null;
    }
  /**
   * A partition of samples is this process's now. It goes on from `position`, with the state that another one kept, or
   * reads what the open analyses need again.
   */
  | {
      readonly event: 'taken-over';
      readonly partition: number;
      readonly position: Position;
      readonly from: 'snapshot' | 'samples';
    }
  /** How much a component's servers scatter was learned anew, from so many batches of five minutes. */
  | {
      readonly event: 'noise-learned';
      readonly environment: string;
      readonly component: string;
      readonly batches: number;
    }
  /** The store does not take what is kept for later. Nothing is lost by it but time. */
  | {
      readonly event: 'not-kept';
      readonly what: 'snapshot' | 'noise' | 'samples' | 'evidence' | 'before' | 'progress';
      readonly message: string;
    }
  /** What stands was said again before it lapsed. */
  | { readonly event: 'renewed'; readonly analysis: string; readonly position: Position };
