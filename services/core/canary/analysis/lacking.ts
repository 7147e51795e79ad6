import { logPromote } from '../judge/family-evidence.ts';
import { missingIn } from '../judge/missing.ts';
import { isSeen } from '../judge/seen.ts';
import { windowsIn } from '../judge/times.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import type { Missing } from '../judge/verdict.ts';
import type { Cohort } from '../windows/cohorts.ts';
import { unpromotedIn } from './unpromoted.ts';
import type { Unpromoted } from './unpromoted.ts';

/** What a canary lacks to pass, beside what holds it back: time, evidence, or somebody's word. */
export type Lacking = {
  /** What is left of the soak, in milliseconds, since both versions have had requests. */
  readonly soakMs: number;
  /** Metrics that are not shown to be good enough yet, the furthest first, and how far each is; odds. */
  readonly unshown: readonly { readonly metric: string; readonly evidence: number }[];
  /** Odds that each of them needs. */
  readonly evidenceNeeded: number;
  /** Metrics of which a version shows nothing. */
  readonly silent: readonly { readonly metric: string; readonly cohort: Cohort }[];
  /** More speaks against it than the policy lets pass. */
  readonly isVetoed: boolean;
  /** `share`: it does not have the share yet that it was let go to; `time`: not for long enough; null: neither. */
  readonly step: 'share' | 'time' | null;
};

/** Null: nothing can be promoted any more, or by this policy. */
export const lackingIn = (analysis: Unpromoted): Lacking | null => {
  const unpromoted = unpromotedIn(analysis);
  if (unpromoted === undefined || unpromoted.rule.beta <= 0) return null;
  const { rule, judge } = unpromoted;
  const soaked = judge.anchorIndex === null ? 0 : judge.nextIndex - judge.anchorIndex;
  // What neither version shows may never be asked for: that is decided after no-data.
  const isOpen = (id: string): boolean =>
    judge.presenceIndex === null &&
    rule.metrics.some(
      (metric, index) => metric.id === id && !metric.critical && !isSeen(judge.seen, index),
    );
  const missing = missingIn(rule, judge).filter((one) => !('metric' in one) || !isOpen(one.metric));
  const lacks = (sought: Missing['what']): boolean => missing.some(({ what }) => what === sought);
  return {
    soakMs: Math.max(0, windowsIn(rule, rule.soakMs) - soaked) * rule.windowMs,
    unshown: rule.metrics
      .flatMap(({ id }, index) =>
        missing.some((one) => one.what === 'promote-evidence' && one.metric === id)
          ? [{ metric: id, evidence: evidenceOf(logPromote(rule, judge, index)) }]
          : [],
      )
      .toSorted((one, other) => one.evidence - other.evidence),
    evidenceNeeded: 1 / rule.beta,
    silent: missing.flatMap((one) =>
      one.what === 'canary' || one.what === 'baseline'
        ? [{ metric: one.metric, cohort: one.what }]
        : [],
    ),
    isVetoed: lacks('veto'),
    step: lacks('shift') ? 'share' : lacks('steps') ? 'time' : null,
  };
};
