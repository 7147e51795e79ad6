import type { AnalysisOpened, Copy } from '../../samples/sample.ts';
import type { TextDigest } from '../../uuid-v8.ts';
import { uuidOfParts } from '../../uuid-v8.ts';
import { judgeVersion } from '../judge/judge.ts';
import { noiseText } from '../judge/noise-text.ts';
import type { Noise } from '../judge/noise.ts';
import type { PlacedPolicy } from '../policy/placed-policy.ts';
import type { Before } from '../rollouts/before.ts';
import { beforeText } from '../rollouts/before.ts';
import { policyText } from '../policy/policy-text.ts';
import type { BacktestSetup } from './setup.ts';

// What a backtest tells the fold of the analyser, in the samples that the analyser would have written.

export type Judging = {
  readonly placed: PlacedPolicy;
  /** What history shows; empty: the fallback counts. */
  readonly noise: Noise;
  /** What ran before, where that is what stands against the new version; else null. */
  readonly before: Before | null;
  /** Otherwise it is judged to the end: nothing is promoted, and the deadline is not before that. */
  readonly mayPromote: boolean;
  /** The end of the capture, as far as it is known before it is read; null: not. */
  readonly endMs: number | null;
};

const dayMs = 86_400_000;

export const backtestOpening = (
  digest: TextDigest,
  setup: BacktestSetup,
  { placed, noise, before, mayPromote, endMs }: Judging,
): AnalysisOpened => {
  const { audience, environment, component, namespace, deployment, sinceMs, comparison } = setup;
  const policy = policyText(mayPromote ? placed : toTheEnd(placed, (endMs ?? 0) - sinceMs));
  return {
    kind: 'analysis-opened',
    ...{ audience, environment, component, namespace, deployment },
    analysis: uuidOfParts(digest, ['analysis', deployment, '1']),
    attempt: 1,
    attemptToken: null,
    target: setup.target,
    logPosition: 0,
    openedAt: sinceMs,
    canary: setup.canary,
    canaryShare:
      comparison === 'concurrent'
        ? (setup.shares.findLast(({ atMs }) => atMs <= sinceMs)?.share ?? null)
        : null,
    baseline: setup.baseline,
    policy,
    policyDigest: digest(policy),
    judge: judgeVersion,
    noise: noiseText(noise),
    noiseAgeMs: null,
    carried: null,
    carriedFrom: null,
    independentAttempts: 1,
    comparison,
    before: before === null ? null : beforeText(before),
  };
};

const toTheEnd = ({ policy, ...placed }: PlacedPolicy, lastingMs: number): PlacedPolicy => ({
  ...placed,
  policy: {
    ...policy,
    beta: 0,
    deadlineMs: Math.min(Math.max(policy.deadlineMs, lastingMs), dayMs),
  },
});

/** What the log would have said while it was judged, in the order of time. */
export const backtestCopies = (
  digest: TextDigest,
  opening: AnalysisOpened,
  { sinceMs, shares, ended }: BacktestSetup,
): readonly Copy[] => {
  const { audience, environment, component, analysis } = opening;
  const said = [
    ...shares
      .filter(({ atMs }) => atMs > sinceMs)
      .map(({ atMs, share }) => ({ fact: 'traffic-shifted', atMs, share }) as const),
    ...(ended === null ? [] : [{ ...ended, share: null }]),
  ].toSorted((one, other) => one.atMs - other.atMs);
  return said.map(({ fact, atMs, share }, index) => ({
    kind: 'copy',
    ...{ audience, environment, component, analysis, fact },
    appendedAt: atMs,
    canaryShare: share,
    // The opening stands at 0, and each counts once by its position.
    logPosition: index + 1,
    logDigest: digest(`${fact} ${atMs}`),
    marker: uuidOfParts(digest, ['backtest', analysis, fact, String(atMs)]),
  }));
};
