import type { AnalysisOpened, Copy } from '../../samples/sample.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import { uuidOfParts } from '../../uuid-v8.ts';
import { judgeVersion } from '../judge.ts';
import type { JudgePolicy } from '../policy.ts';
import { policyCanonicalJson } from '../policy.ts';
import type { BacktestSetup } from './setup.ts';

// What a backtest tells the fold of the analyser, in the samples that the analyser would have written.

export type Judging = {
  readonly policy: JudgePolicy;
  /** Otherwise it is judged to the end: nothing is promoted, and the deadline is not before that. */
  readonly mayPromote: boolean;
  /** The end of the capture, as far as it is known before it is read; null: not. */
  readonly endMs: number | null;
};

const dayMs = 86_400_000;

export const backtestOpening = (
  digest: TextDigest,
  setup: BacktestSetup,
  { policy: given, mayPromote, endMs }: Judging,
): AnalysisOpened => {
  const { audience, environment, component, namespace, deployment, sinceMs } = setup;
  const lastingMs = mayPromote || endMs === null ? 0 : endMs - sinceMs;
  const deadlineMs = Math.min(Math.max(given.deadlineMs, lastingMs), dayMs);
  const policy = policyCanonicalJson({ ...given, deadlineMs });
  return {
    kind: 'analysis-opened',
    ...{ audience, environment, component, namespace, deployment },
    analysis: uuidOfParts(digest, ['analysis', deployment, '1']),
    attempt: 1,
    attemptToken: null,
    target: null,
    logPosition: 0,
    openedAt: sinceMs,
    canary: setup.canary,
    canaryShare: setup.shares.findLast(({ atMs }) => atMs <= sinceMs)?.share ?? null,
    baseline: setup.baseline,
    policy,
    policyDigest: digest(policy),
    judge: judgeVersion,
    noise: '[]',
    noiseAgeMs: null,
    carried: null,
    carriedFrom: null,
    independentAttempts: 1,
    comparison: 'concurrent',
    before: null,
  };
};

/** What the log would have said while it was judged, in the order of time. */
export const backtestCopies = (
  digest: TextDigest,
  opening: AnalysisOpened,
  { sinceMs, shares, ended }: BacktestSetup,
): readonly Copy[] => {
  const { audience, environment, component, analysis } = opening;
  const copy = (fact: Copy['fact'], appendedAt: number, canaryShare: number | null): Copy => ({
    kind: 'copy',
    ...{ audience, environment, component, analysis, fact, appendedAt, canaryShare },
    logPosition: 0,
    logDigest: digest(`${fact} ${appendedAt}`),
    marker: uuidOfParts(digest, ['backtest', analysis, fact, String(appendedAt)]),
  });
  return [
    ...shares
      .filter(({ atMs }) => atMs > sinceMs)
      .map(({ atMs, share }) => copy('traffic-shifted', atMs, share)),
    ...(ended === null ? [] : [copy(ended.fact, ended.atMs, null)]),
  ].toSorted((one, other) => one.appendedAt - other.appendedAt);
};
