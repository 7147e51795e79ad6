import { jsonIn } from '../../json-text.ts';
import type { AnalysisOpened, RunningVersion } from '../../samples/sample.ts';
import type { AnalysisState } from '../analysis/analysis-state.ts';
import { ruleIn } from './frozen.ts';
import { carriedText } from '../judge/carried-text.ts';
import { carriedEvidence } from '../judge/judge.ts';
import type { FamilyRule } from '../judge/rule.ts';
import { lastSeen } from '../judge/seen.ts';
import type { FamilyState } from '../judge/state.ts';
import { isJudged } from '../judge/times.ts';

// What an attempt that is over leaves to the next one with the same artifacts: trying the same again until it passes
// gains nothing. It is kept beside the read models, one text a slot; the opening that carries it in is what counts.

export type KeptEvidence = {
  /** Of both sides (`artifactsOf`). */
  readonly artifacts: string;
  readonly analysis: string;
  readonly deployment: string;
  readonly attempt: number;
  readonly independentAttempts: number;
  /** When the last window that it rests on ended, or its attempt began if it rests on none; milliseconds since 1970. */
  readonly untilMs: number;
  /** `CarriedEvidence`, canonical JSON. */
  readonly carried: string;
};

/** Pairs of artifacts that are remembered of one slot. */
const keptMax = 8;

/**
 * What is compared with what, by artifact digests. Null: some of them is not known. A version's name alone does not say
 * that it is the same program: evidence against one build must not roll back another.
 */
export const artifactsOf = (
  canary: Pick<RunningVersion, 'digest'>,
  baseline: readonly Pick<RunningVersion, 'digest'>[],
): string | null => {
  const digests = baseline.map(({ digest }) => digest);
  if (canary.digest === null || digests.includes(null)) return null;
  return [canary.digest, ...new Set(digests.toSorted(byText))].join(' ');
};

const byText = (left: string | null, right: string | null): number =>
  left === right ? 0 : (left ?? '') < (right ?? '') ? -1 : 1;

/**
 * What an analysis leaves, beside what is kept so far; undefined: it has judged nothing, or nobody knows of which
 * artifacts.
 */
export const evidenceLeft = (
  { opening, judge, windowMs }: Pick<AnalysisState, 'opening' | 'judge' | 'windowMs'>,
  kept: readonly KeptEvidence[],
): KeptEvidence | undefined => {
  const artifacts = artifactsOf(opening.canary, opening.baseline);
  // What was seen before and after is no evidence for who is compared side by side.
  if (opening.comparison !== 'concurrent') return undefined;
  if (artifacts === null || judge === null || windowMs === null) return undefined;
  const rule = ruleIn(opening, windowMs);
  const last = lastJudged(rule, judge);
  // One that judged no window adds nothing, so what it went on from is as old as it was.
  const before = kept.find(({ analysis }) =>
    [opening.analysis, opening.carriedFrom].includes(analysis),
  );
  return {
    artifacts,
    analysis: opening.analysis,
    deployment: opening.deployment,
    attempt: opening.attempt,
    independentAttempts: opening.independentAttempts,
    untilMs:
      last === null
        ? (before?.untilMs ?? opening.openedAt)
        : opening.openedAt + (last + 1) * windowMs,
    carried: carriedText(carriedEvidence(rule, judge)),
  };
};

/** The last window after the warm-up up to which both cohorts showed something of one metric. */
const lastJudged = (rule: FamilyRule, { seen, anchorIndex }: FamilyState): number | null => {
  const last = Math.max(
    ...rule.metrics.map((_, metric) =>
      Math.min(lastSeen(seen, metric, 'canary') ?? -1, lastSeen(seen, metric, 'baseline') ?? -1),
    ),
  );
  return anchorIndex !== null && isJudged(rule, anchorIndex, last) ? last : null;
};

/** The newest of each pair of artifacts, newest last. */
export const withKept = (
  kept: readonly KeptEvidence[],
  more: KeptEvidence,
): readonly KeptEvidence[] =>
  [...kept.filter(({ artifacts }) => artifacts !== more.artifacts), more].slice(-keptMax);

/** Printable ASCII: one name of a slot may be anything, but no digest, id or number is. */
export const keptText = (kept: readonly KeptEvidence[]): string => JSON.stringify(kept);

/**
 * Nothing where the text is of another form. Evidence of releases that did not say how old it is counts as of now: it is
 * gone on from, and grows old from here.
 */
export const readKept = (text: string, nowMs: number): readonly KeptEvidence[] => {
  const given = jsonIn(text);
  if (!Array.isArray(given)) return [];
  return given.map((one) => withAge(one, nowMs)).filter(isKept);
};

const withAge = (given: unknown, nowMs: number): unknown =>
  typeof given === 'object' && given !== null ? { untilMs: nowMs, ...given } : given;

const isKept = (given: unknown): given is KeptEvidence => {
  if (typeof given !== 'object' || given === null) return false;
  const { artifacts, analysis, deployment, attempt, independentAttempts, untilMs, carried } =
    given as { readonly [name: string]: unknown };
  return (
    [artifacts, analysis, deployment, carried].every((text) => typeof text === 'string') &&
    Number.isFinite(untilMs) &&
    [attempt, independentAttempts].every(
      (count) => Number.isSafeInteger(count) && Number(count) > 0,
    )
  );
};

/** What an opening begins with. */
export type Beginning = Pick<AnalysisOpened, 'carried' | 'carriedFrom' | 'independentAttempts'>;

/** Attempts beyond this one halve the budget no further. */
const independentAttemptsMax = 20;

/**
 * Older evidence is not gone on from: what an artifact met so long ago (databases, neighbours, load) says little of what
 * it meets now, and what failed then may have been their fault. It is as long as records of instances are kept, so that
 * nobody waits for it to try again until it passes.
 */
const evidenceAgeMsMax: number = 90 * 86_400_000;

/**
 * How an attempt begins: from what was kept of its artifacts, or from nothing. `judgedBefore`: numbers of the earlier
 * attempts of its deployment with the same version that were judged; those that nothing is carried of are independent
 * ones, and each has halved the budget. So has evidence that is too old by now.
 */
export const beginningOf = (
  kept: KeptEvidence | undefined,
  deployment: string,
  judgedBefore: readonly number[],
  nowMs: number,
): Beginning => {
  const lost =
    kept === undefined || kept.deployment !== deployment
      ? judgedBefore
      : judgedBefore.filter((attempt) => attempt > kept.attempt);
  const isTooOld = kept !== undefined && nowMs - kept.untilMs > evidenceAgeMsMax;
  const carried = isTooOld ? undefined : kept;
  return {
    carried: carried?.carried ?? null,
    carriedFrom: carried?.analysis ?? null,
    independentAttempts: Math.min(
      independentAttemptsMax,
      (kept?.independentAttempts ?? 1) + (isTooOld ? 1 : 0) + lost.length,
    ),
  };
};
