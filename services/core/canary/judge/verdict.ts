import type { DecidedStage } from '../../markers/marker.ts';
import type { LoudWindow } from '../analysis/strongest-windows.ts';
import type { LatencyExplanation } from '../metrics/latency.ts';
import type { LevelExplanation } from '../metrics/level.ts';
import type { ClientErrors } from './client-errors.ts';
import type { RatesExplanation } from '../metrics/rates.ts';
import type { TrafficExplanation } from '../metrics/traffic.ts';
import type { Unsaid } from './said.ts';
import type { ManyRestarts } from './judged-window.ts';
import type { WindowMark } from '../windows/window.ts';

/**
 * Where a canary stands.
 * - `warming`: nothing is evidence yet; `armed`: it is judged;
 * - `advanced`: shown good enough for the next share of the traffic, and judged on;
 * - `promoted`: shown good enough; a roll-back stays possible until the bake is over;
 * - `hold`: a cohort or a metric is silent; `inconclusive`: the deadline passed without a verdict;
 * - `rolled-back`: final.
 */
export type Stage = DecidedStage;

export type Reason = {
  /** `id` of the metric. */
  readonly metric: string;
  /** `worse-at-deadline`: found by the one classical test when the time was over. */
  readonly code: 'worse-than-tolerated' | 'worse-at-deadline' | 'within-promote-tolerance';
  /**
   * Odds: for `worse-than-tolerated` the metric's part of the combined evidence, so that at or above what is needed it
   * suffices alone; for `within-promote-tolerance` its own. For `worse-at-deadline` deviations z and how many are needed.
   */
  readonly evidence: number;
  readonly evidenceNeeded: number;
};

/**
 * What keeps a canary from passing; `shift`: it was advanced to a share of the traffic that it does not have yet; `steps`: the
 * wait at that share; `no-bound`: no bound of
 * the buckets lies near the durations, so a slower canary would look the same; `slower-part`: a part of the
 * canary's requests plainly takes longer than the baseline's, whatever the evidence; `traffic-lost`: it plainly gets less than its share now,
 * whatever the evidence; `client-errors`: it
 * plainly answers more requests with errors of the client's than the baseline; `unsaid`: one version says what became of
 * its requests, and the other one does not; `all-heard`: requests were left out, or refused, that nobody
 * knows whose they are or how many, or durations that are none;
 * `all-in-time`: many points came too late to be judged; `dense-exports`: many requests are of before the window they came
 * in; `none-loud`: one instance says so much that a metric was never
 * compared; `none-overflown`: an SDK had no room for the attributes of requests, so which of them failed nobody knows;
 * `restarts`: servers of the canary begin anew clearly more often than the baseline's; `presence`: metrics may still come.
 */
export type Missing =
  | { readonly what: 'canary' | 'baseline'; /** `id` of the metric. */ readonly metric: string }
  | {
      readonly what:
        | 'promote-evidence'
        | 'no-bound'
        | 'slower-part'
        | 'traffic-lost'
        | 'client-errors'
        | 'unsaid';
      readonly metric: string;
    }
  | {
      readonly what:
        | 'warm-up'
        | 'presence'
        | 'soak'
        | 'veto'
        | 'any-metric'
        | 'any-pair'
        | 'all-heard'
        | 'all-in-time'
        | 'dense-exports'
        | 'none-loud'
        | 'none-overflown'
        | 'steps';
    }
  | Restarting
  | Shift;

/** How often servers began anew lately. */
export type Restarting = ManyRestarts & { readonly what: 'restarts' };

/** To which share it was advanced, and with which window. */
export type Shift = {
  readonly what: 'shift';
  readonly share: number;
  readonly since: WindowMark;
};

export type InconclusiveReason = 'warming' | 'collecting' | 'no-data' | 'deadline';

/** `pass`: shown good enough, for the whole traffic or (stage `advanced`) for the share it was last let have. */
export type Verdict =
  | { readonly outcome: 'pass' | 'fail'; readonly reasons: readonly Reason[] }
  | {
      readonly outcome: 'inconclusive';
      readonly reason: InconclusiveReason;
      readonly missing: readonly Missing[];
    };

/** One metric's part of a verdict. */
export type MetricPart = {
  readonly id: string;
  /** Its part of the whole budget, between 0 and 1; 0: seen in neither cohort in time, so it weighs nothing. */
  readonly weight: number;
  readonly critical: boolean;
  /** Its part of the combined evidence; the parts sum up to it. */
  readonly evidence: number;
  /** Odds that it is good enough, with what an earlier attempt showed. */
  readonly promoteEvidence: number;
  /** The test at the deadline, of its tail that was furthest out; null: not tested. */
  readonly deadline: { readonly z: number; readonly zNeeded: number } | null;
  /** Seen in both cohorts, in one, in none, or not any more. */
  readonly presence: 'both' | 'one' | 'none' | 'silent';
  /** Of the traffic: nobody has said which share of it the canary should get, so that there is nothing to compare. */
  readonly isShareUntold?: true;
  /** Who does not say what became of its requests, so that nothing passes; absent: nobody. */
  readonly unsaid?: Unsaid;
  /** That it plainly answers with more errors of the client's now, so that nothing passes; absent: it does not. */
  readonly clientErrors?: ClientErrors;
  readonly explained:
    | Timed<RatesExplanation>
    | Timed<LatencyExplanation>
    | Timed<LevelExplanation>
    | Timed<TrafficExplanation>;
};

/** With the times of its loudest windows. */
export type Timed<Explained> = Omit<Explained, 'strongestWindows'> & {
  readonly strongestWindows: readonly LoudWindow[];
};

/** Everything needed to check a verdict by hand. */
export type Explanation = {
  /** Combined over the metrics: odds against "no metric is worse than tolerated". */
  readonly evidence: number;
  readonly evidenceNeeded: number;
  /** null: nothing is promoted. */
  readonly promoteEvidenceNeeded: number | null;
  readonly firstCrossed: WindowMark | null;
  readonly windows: number;
  /** What earlier attempts with the same artefact and baseline began this one with; null: there is none. */
  readonly carried: { readonly attempts: number; readonly evidence: number } | null;
  readonly metrics: readonly MetricPart[];
};
