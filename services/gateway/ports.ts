import type { Json } from '../core/canonical.ts';
import type { CheckTools } from '../core/check/check-record.ts';
import type { Result } from '../core/result.ts';
import type { FillBody } from '../core/markers/codec.ts';
import type { Sign } from '../core/markers/wire.ts';
import type { CallerTokens } from '../ports/caller-tokens.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type {
  Gunzip,
  KeepServices,
  ReadMetrics,
  SplitOtlp,
  WriteMetricsResponse,
  WriteOtlpStatus,
} from '../ports/otlp.ts';
import type { WriteMetrics } from '../ports/own-metrics.ts';
import type { ProblemAnswer, ProblemQuestion } from '../ports/problem-view.ts';
import type { ReadModelStore } from '../ports/read-model-store.ts';
import type { RecordLog } from '../ports/record-log.ts';
import type { TelemetrySources } from '../ports/telemetry-sources.ts';

/** What it takes to sign for callers who have a token and no key. */
export type OnBehalf = {
  readonly tokens: CallerTokens;
  /** The gateway's own key. Its role on the log says that others speak through it. */
  readonly signer: Sign & { readonly principal: string };
  readonly fill: FillBody;
  readonly ids: Ids;
};

/** A schema file as it was published. `digest` is the SHA-256 of its canonical form, as records name it. */
export type PublishedSchema = {
  readonly shape: string;
  readonly version: number;
  readonly digest: string;
  readonly text: string;
};

/** What the gateway stands on. It opens and closes none of it. */
export type GatewayPorts = {
  readonly audience: string;
  readonly log: RecordLog;
  /** Read models that a projector keeps up to date; the gateway only reads them. */
  readonly store: ReadModelStore;
  readonly tools: CheckTools;
  readonly clock: Clock;
  readonly schemas: readonly PublishedSchema[];
  /** How the services stand that run in this process beside the gateway, for whoever asks for readiness. */
  readonly alongside?: () => { readonly [service: string]: Json };
  /** The numbers of this process, for whoever collects them; without it there are none. */
  readonly writeMetrics?: WriteMetrics;
  /** Where starts of instances are appended, opened when the first one comes; without it none are taken. */
  readonly instances?: () => Promise<Result<RecordLog, { readonly message: string }>>;
  /** What is missing or wrong, by the read models as they are now; without it nobody is told. */
  readonly problems?: (
    question: ProblemQuestion,
  ) => Promise<Result<ProblemAnswer, { readonly code: string; readonly message: string }>>;
  /** Streams that telemetry is appended to. Null: it is answered and let go. */
  readonly telemetry: {
    readonly metrics: RecordLog;
    readonly traces: RecordLog | null;
    readonly logs: RecordLog | null;
  };
  /** What it takes to sign for callers with a token; without it no JSON is taken. */
  readonly onBehalf?: OnBehalf;
  /** Who may send telemetry, by token; without it whoever reaches the gateway may. */
  readonly sources?: TelemetrySources;
  readonly otlp: {
    readonly readMetrics: ReadMetrics;
    readonly split: SplitOtlp;
    readonly keepServices: KeepServices;
    readonly gunzip: Gunzip;
    readonly writeMetricsResponse: WriteMetricsResponse;
    readonly writeStatus: WriteOtlpStatus;
  };
};
