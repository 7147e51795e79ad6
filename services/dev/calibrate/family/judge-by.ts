import type { Durations } from '../../../core/canary/windows/durations.ts';
import { decide } from '../../../core/canary/judge/decide.ts';
import { initialFamily, judgeWindow } from '../../../core/canary/judge/judge.ts';
import type { JudgedWindow, MetricWindow } from '../../../core/canary/judge/judged-window.ts';
import type { FamilyRule, MetricRule } from '../../../core/canary/judge/rule.ts';
import type { RatePair } from '../../../core/canary/statistics/rate-counts.ts';
import type { Judge, Judged } from '../judge-plug.ts';
import type { Histogram } from '../latency.ts';
import type { LivedArm, LivedWindow } from '../lived-window.ts';

/** In which buckets durations are sent. */
export type Buckets = (drawn: Histogram) => Durations;

const asDrawn: Buckets = (drawn) => drawn;

/** The product's judge by that rule, on windows of the rule's length. */
export const judgeBy =
  (rule: FamilyRule, buckets: Buckets = asDrawn): Judge =>
  (windows): Judged => {
    let state = initialFamily(rule);
    let promotedMs: number | null = null;
    const judged = (found: Omit<Judged, 'requestsFromMs'>): Judged => {
      const requestsFromMs = (state.anchorIndex ?? 0) * rule.windowMs;
      return requestsFromMs === 0 ? found : { ...found, requestsFromMs };
    };
    for (const lived of windows) {
      state = judgeWindow(rule, state, judgedWindow(rule, buckets, lived));
      const decision = decide(rule, state);
      const atMs = lived.startMs + rule.windowMs;
      if (decision?.action === 'promote') promotedMs = atMs;
      if (decision?.action !== 'roll-back') continue;
      const blamed =
        decision.verdict.outcome === 'fail' ? decision.verdict.reasons[0]?.metric : null;
      return judged({ rolledBackMs: atMs, promotedMs, blamed: blamed ?? null });
    }
    return judged({ rolledBackMs: null, promotedMs, blamed: null });
  };

const judgedWindow = (rule: FamilyRule, buckets: Buckets, lived: LivedWindow): JudgedWindow => ({
  index: lived.index,
  startMs: lived.startMs,
  canaryShare: lived.canaryShare,
  metrics: rule.metrics.map((metric) => metricWindow(metric, buckets, lived)),
});

const metricWindow = (
  { id, judged }: MetricRule,
  buckets: Buckets,
  { canary, baseline }: LivedWindow,
): MetricWindow => {
  switch (judged) {
    case 'errors':
      return { judged, canary: ratesOf(canary), baseline: ratesOf(baseline) };
    case 'latency':
      return { judged, canary: buckets(canary.latency), baseline: buckets(baseline.latency) };
    case 'level': {
      const gauge = id === 'memory' ? 'memory' : 'cpu';
      return { judged, canary: canary.levels[gauge], baseline: baseline.levels[gauge] };
    }
    case 'traffic':
      return { judged, canary: canary.requests, baseline: baseline.requests };
  }
};

const ratesOf = ({ requests, errors }: LivedArm): RatePair['canary'] => ({
  total: requests,
  events: errors,
});
