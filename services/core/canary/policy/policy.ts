import type { Judged } from '../judge/rule.ts';
import type { Line } from '../metrics/rate-test.ts';

/** A condition on the attributes of a data point. */
export type AttributeFilter = {
  /** Name of a data-point attribute, for instance `http.route`. */
  readonly attribute: string;
  /** Absent attributes match only `not-in` and `absent`. */
  readonly test:
    | { readonly kind: 'in' | 'not-in'; readonly values: readonly string[] }
    | { readonly kind: 'starts-with'; readonly text: string }
    | { readonly kind: 'present' | 'absent' };
};

/** Which points a metric is made of: any of these OTLP metrics, and all of these filters. */
export type MetricSource = {
  readonly names: readonly string[];
  readonly where: readonly AttributeFilter[];
};

/** A metric of a policy: what it is called, where its points come from, and what is too much. */
export type MetricPolicy = {
  readonly id: string;
  readonly weight: number;
  readonly critical: boolean;
  readonly source: MetricSource;
} & (
  | {
      readonly judged: 'errors';
      /** What counts as an error; null: what OpenTelemetry calls one (5xx, error.type, RPC status). */
      readonly errors: readonly AttributeFilter[] | null;
      readonly tolerance: Line;
      readonly promoteTolerance: Line;
    }
  | {
      readonly judged: 'latency';
      /** How many times slower is no worse (1.09: nine per cent), and what is promoted. */
      readonly slower: number;
      readonly promoteSlower: number;
      /** Where buckets are too coarse for that: the line that the shares above a boundary may have. */
      readonly tolerance: Line;
      readonly promoteTolerance: Line;
      /** There, too: requests that take less than this are fast enough, and their durations need no bounds near. */
      readonly fineBelowMs: number;
    }
  | {
      readonly judged: 'level';
      readonly worse: 'higher' | 'lower';
      /** Shares of the baseline's level. */
      readonly margin: number;
      readonly promoteMargin: number;
    }
  | {
      readonly judged: 'traffic';
      /** The part of its share that the canary may get before it counts as losing traffic; and what is promoted. */
      readonly least: number;
      readonly promoteLeast: number;
    }
);
export type MetricPolicyOf<Kind extends Judged> = Extract<MetricPolicy, { readonly judged: Kind }>;

/** By which resource attribute canary and baseline are told apart, where versions and deployment ids do not tell them. */
export type CohortLabels = {
  readonly attribute: string;
  /** Its value on either side. */
  readonly canary: string;
  readonly baseline: string;
  /** The baseline's instances were started beside the canary's: both are cold alike. */
  readonly freshBaseline: boolean;
};

export type OnSilence = 'hold' | 'page' | 'roll-back';
export type OnBehalf = 'ignore' | 'accept';
export type Act = 'decide' | 'dry-run' | 'ask';

/**
 * How the canaries of one component in one environment are judged, and what may follow. The same policy and the same
 * samples give the same verdict, so its digest is in every decision. Times are milliseconds.
 */
export type Policy = {
  /** Of this form. */
  readonly version: 2;
  readonly windowMs: number;
  readonly warmUpMs: number;
  readonly soakMs: number;
  readonly deadlineMs: number;
  readonly bakeMs: number;
  readonly blockMs: number;
  readonly blockCapNats: number;
  readonly noDataMs: number;
  readonly restarts: {
    readonly everyMs: number;
    readonly count: number;
    readonly weightEach: number;
  };
  /** False-rollback budget of the whole canary; half of it is kept for the test at the deadline. */
  readonly alpha: number;
  /** False-promotion budget. */
  readonly beta: number;
  readonly vetoEvidence: number;
  readonly steps: readonly number[];
  readonly metrics: readonly MetricPolicy[];
  /** The resource attribute that names the target of a sender; null: telemetry names none. */
  readonly targetAttribute: string | null;
  /** Null: by version and deployment.id. */
  readonly cohorts: CohortLabels | null;
  /** Kinds of rollout that are judged beside canaries, against what ran before. */
  readonly rollouts: {
    /** Whole rollouts without a canary: the half-hour after the start against the one before. */
    readonly beforeAfter: boolean;
    /** Blue/green: what has the colour that the traffic was shifted to, against the other one. */
    readonly blueGreen: boolean;
  };
  readonly onSilence: OnSilence;
  /** Whether what a gateway signed for callers with a token counts where something is judged, decided or done. */
  readonly onBehalf: OnBehalf;
  /** What becomes of a plan for a place that a person has frozen. */
  readonly frozen: 'warn' | 'refuse';
  /** `dry-run` decides and says so in the decision; `ask` waits for an approval before anybody may act. */
  readonly act: Act;
  /** After a roll-back of a slot: no second one inside the window, and the slot is frozen until lifted, if so wished. */
  readonly flap: { readonly windowMs: number; readonly freeze: boolean };
  /** Roll-backs that may be said in an hour: of this component, and of the whole audience. */
  readonly caps: { readonly perComponentHour: number; readonly perHour: number };
  /** Fields of the envelope that a plan must have in this environment. */
  readonly required: readonly string[];
};
