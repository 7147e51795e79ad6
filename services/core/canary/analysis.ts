import { canonicalJson } from '../canonical.ts';
import type { Position } from '../log/record.ts';
import type { Decided } from '../markers/marker.ts';
import type { AnalysisOpened, Copy, Points } from '../samples/sample.ts';
import type {
  AnalysisState,
  AnalysisStep,
  AnalysisTools,
  Ending,
  Exclusion,
  Standing,
} from './analysis-state.ts';
import { cohortOf } from './cohorts.ts';
import { decide } from './decide.ts';
import { decisionMarker, refusalMarker } from './decision-marker.ts';
import { initialJudge, judgeVersion, judgeWindow } from './judge.ts';
import type { JudgeState } from './judge.ts';
import type { JudgePolicy } from './policy.ts';
import { parsePolicy } from './policy.ts';
import { rememberedUntilMs, renew } from './renewal.ts';
import { streamOf, takePoints } from './series.ts';
import type { Bases, PendingPoint } from './series.ts';
import {
  awaitMeasure,
  initialMeasuring,
  measure,
  openMeasuring,
  windowMsMax,
} from './window-length.ts';
import type { MeasuringDraft } from './window-length.ts';
import type { WindowCounts } from './window.ts';

/** Points that wait for their windows. Beyond it they are excluded. */
const pendingMax = 100_000;
/** How far the watermark is behind the highest receipt. */
const latenessWindows = 2;

const noExclusions: AnalysisState['excluded'] = {
  'other-namespace': 0,
  'other-version': 0,
  'either-cohort': 0,
  late: 0,
  'before-opening': 0,
  duplicate: 0,
  implausible: 0,
  'over-limit': 0,
};

/** Opens an analysis. For a judge or a policy that this code does not know it ends at once, inconclusive. */
export const openAnalysis = (
  tools: AnalysisTools,
  opening: AnalysisOpened,
  position: Position,
): AnalysisStep => {
  const policy = readPolicy(tools, opening);
  const opened: AnalysisState = {
    opening,
    position,
    canaryShare: opening.canaryShare,
    receiptMs: opening.openedAt,
    measuring: initialMeasuring,
    policy: policy ?? null,
    pending: [],
    bases: {},
    judge: policy === undefined ? null : initialJudge(policy),
    evidenceDigest: tools.digest(''),
    excluded: noExclusions,
    ended: null,
    standing: null,
  };
  const refused =
    opening.judge !== judgeVersion
      ? 'judge-unknown'
      : policy === undefined
        ? 'policy-unreadable'
        : undefined;
  if (refused === undefined) return { analysis: opened, decisions: [] };
  return {
    analysis: end(opened, refused),
    decisions: [refusalMarker(tools, opened, refused)],
  };
};

const readPolicy = (tools: AnalysisTools, opening: AnalysisOpened): JudgePolicy | undefined => {
  if (tools.digest(opening.policy) !== opening.policyDigest) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(opening.policy);
  } catch {
    return undefined;
  }
  const parsed = parsePolicy(given);
  return parsed.ok ? parsed.value : undefined;
};

/** Points in the order of their receipt: how they are cut into records makes no difference. */
export const addPoints = (
  tools: AnalysisTools,
  analysis: AnalysisState,
  sample: Points,
  position: Position,
): AnalysisStep => {
  if (analysis.ended !== null) {
    const receipts = sample.points.map(({ receivedAt }) => receivedAt);
    return outlive(tools, analysis, Math.max(...receipts));
  }
  const draft = openDraft(analysis);
  for (const point of sample.points) {
    const origin = sample.origins[point.origin];
    if (origin === undefined) throw new RangeError('a point without an origin passed the door');
    const cohort = cohortOf(analysis.opening, origin);
    if (cohort !== 'canary' && cohort !== 'baseline') {
      draft.excluded[cohort] += 1;
    } else if (draft.ended === null) {
      addPoint(draft, {
        cohort,
        series: point.series,
        temporality: origin.temporality,
        startMs: point.start,
        timeMs: point.time,
        delayMs: Math.abs(point.receivedAt - point.time),
        count: point.count,
        errors: point.errors,
      });
    }
    advance(tools, draft, point.receivedAt, position);
  }
  return closeDraft(tools, draft);
};

/** Time goes on: windows close without a point. */
export const passTime = (
  tools: AnalysisTools,
  analysis: AnalysisState,
  receiptMs: number,
  position: Position,
): AnalysisStep => {
  if (analysis.ended !== null) return outlive(tools, analysis, receiptMs);
  const draft = openDraft(analysis);
  advance(tools, draft, receiptMs, position);
  return closeDraft(tools, draft);
};

/** Time goes on after the end: nothing is judged any more, and what stands is renewed. */
const outlive = (
  tools: AnalysisTools,
  before: AnalysisState,
  receivedAtMs: number,
): AnalysisStep => {
  const receiptMs = Math.max(before.receiptMs, receivedAtMs);
  const { standing, policy, opening } = before;
  if (standing === null || policy === null)
    return { analysis: { ...before, receiptMs }, decisions: [] };
  const untilMs = Math.min(receiptMs, rememberedUntilMs(before));
  const renewed = renew(tools, standing, windowsClosed(opening, policy, untilMs));
  return {
    analysis: { ...before, receiptMs, standing: renewed.standing },
    decisions: renewed.renewals,
  };
};

/** How many windows the watermark has passed. */
const windowsClosed = (
  { openedAt }: AnalysisOpened,
  { windowMs }: JudgePolicy,
  receiptMs: number,
): number => Math.floor((receiptMs - openedAt) / windowMs) - latenessWindows;

/** What the log has said since; undefined: the attempt is over, and so is the analysis. */
export const obeyCopy = (analysis: AnalysisState, copy: Copy): AnalysisState | undefined => {
  switch (copy.fact) {
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return undefined;
    case 'traffic-shifted':
      return { ...analysis, canaryShare: copy.canaryShare ?? analysis.canaryShare };
    case 'roll-back':
      return analysis.ended === null ? end(analysis, 'rolled-back') : analysis;
    case 'promote':
    case 'advance':
    case 'hold':
      return analysis;
  }
};

const end = (analysis: AnalysisState, ended: Ending): AnalysisState => ({
  ...analysis,
  measuring: null,
  pending: [],
  bases: {},
  ended,
  standing: ended === 'decided' ? analysis.standing : null,
});

/**
 * An analysis while one record is folded. Its lists are this fold's own and grow in place, or a record of many
 * points would copy them once a point.
 */
type Draft = {
  readonly before: AnalysisState;
  receiptMs: number;
  measuring: MeasuringDraft | null;
  policy: JudgePolicy;
  pending: PendingPoint[];
  bases: Bases;
  judge: JudgeState;
  evidenceDigest: string;
  readonly excluded: { -readonly [Reason in Exclusion]: number };
  ended: Ending | null;
  standing: Standing | null;
  readonly decisions: Decided[];
};

const openDraft = (before: AnalysisState): Draft => {
  const { policy, judge, measuring } = before;
  if (policy === null || judge === null) throw new TypeError('an analysis without a judge goes on');
  return {
    before,
    policy,
    judge,
    receiptMs: before.receiptMs,
    measuring: measuring === null ? null : openMeasuring(measuring),
    pending: [...before.pending],
    bases: before.bases,
    evidenceDigest: before.evidenceDigest,
    excluded: { ...before.excluded },
    ended: before.ended,
    standing: before.standing,
    decisions: [],
  };
};

const closeDraft = (
  tools: AnalysisTools,
  { before, ended, decisions, ...changed }: Draft,
): AnalysisStep => {
  const analysis: AnalysisState = { ...before, ...changed };
  if (ended === null) return { analysis, decisions };
  const over = outlive(tools, end(analysis, ended), analysis.receiptMs);
  return { ...over, decisions: [...decisions, ...over.decisions] };
};

const addPoint = (draft: Draft, point: PendingPoint): void => {
  const exclusion = exclusionOf(draft, point);
  if (exclusion !== undefined) {
    draft.excluded[exclusion] += 1;
    return;
  }
  draft.pending.push(point);
  if (draft.measuring === null) return;
  const { cohort, series, temporality, startMs, timeMs } = point;
  const stream = temporality === 'delta' ? series : streamOf(series, startMs);
  awaitMeasure(draft.measuring, { cohort, stream, temporality, startMs, timeMs });
};

const exclusionOf = (draft: Draft, point: PendingPoint): Exclusion | undefined => {
  const { openedAt } = draft.before.opening;
  if (point.timeMs < openedAt) return 'before-opening';
  if (point.delayMs > latenessMs(draft) || point.timeMs < nextWindowMs(draft)) return 'late';
  return draft.pending.length >= pendingMax ? 'over-limit' : undefined;
};

/** While the windows are measured nobody knows how long that is: the longest they can become. */
const latenessMs = ({ measuring, policy }: Draft): number =>
  latenessWindows * (measuring === null ? policy.windowMs : Math.max(policy.windowMs, windowMsMax));

/** Where the first window begins that is not closed. */
const nextWindowMs = ({ before, judge, policy }: Draft): number =>
  before.opening.openedAt + judge.nextIndex * policy.windowMs;

const advance = (
  tools: AnalysisTools,
  draft: Draft,
  receiptMs: number,
  position: Position,
): void => {
  draft.receiptMs = Math.max(draft.receiptMs, receiptMs);
  if (draft.measuring !== null) measureWindow(draft, draft.measuring);
  while (
    draft.measuring === null &&
    draft.ended === null &&
    nextWindowMs(draft) + draft.policy.windowMs <= draft.receiptMs - latenessMs(draft)
  )
    closeWindow(tools, draft, position);
};

const measureWindow = (draft: Draft, measuring: MeasuringDraft): void => {
  const { policy, before } = draft;
  const limitMs = before.opening.openedAt + policy.noDataMs;
  const measured = measure(measuring, draft.receiptMs, policy.windowMs, limitMs);
  if (!measured.done) {
    draft.measuring = measured.measuring;
    return;
  }
  draft.measuring = null;
  draft.policy = { ...policy, windowMs: measured.windowMs };
  const timely = draft.pending.filter(({ delayMs }) => delayMs <= latenessMs(draft));
  draft.excluded.late += draft.pending.length - timely.length;
  draft.pending = timely;
};

const closeWindow = (tools: AnalysisTools, draft: Draft, position: Position): void => {
  const { before, policy, judge } = draft;
  const startMs = nextWindowMs(draft);
  const endMs = startMs + policy.windowMs;
  const due = draft.pending.filter(({ timeMs }) => timeMs < endMs);
  if (due.length > 0) draft.pending = draft.pending.filter(({ timeMs }) => timeMs >= endMs);
  const taken = takePoints(draft.bases, due, before.opening.openedAt);
  draft.bases = taken.bases;
  draft.excluded.duplicate += taken.duplicates;
  draft.excluded.implausible += taken.implausible;
  draft.excluded['before-opening'] += taken.beforeOpening;
  draft.excluded['over-limit'] += taken.overLimit;

  const window: WindowCounts = {
    index: judge.nextIndex,
    startMs,
    canary: taken.canary,
    baseline: taken.baseline,
  };
  draft.judge = judgeWindow(policy, judge, window);
  draft.evidenceDigest = tools.digest(`${draft.evidenceDigest}${canonicalJson(window)}`);
  const decision = decide(policy, draft.judge);
  if (decision === undefined) {
    renewStanding(tools, draft);
    return;
  }
  const marker = decisionMarker(tools, before, {
    decision,
    window: { index: window.index, endMs },
    policy,
    evidenceDigest: draft.evidenceDigest,
    excluded: draft.excluded,
    position,
  });
  draft.decisions.push(marker);
  // A hold asks nobody to act: nothing lapses with it.
  if (decision.action !== 'hold') draft.standing = { decision: marker, window: window.index };
  if (decision.final) draft.ended = 'decided';
};

/** A promotion, while its roll-back stays armed. */
const renewStanding = (tools: AnalysisTools, draft: Draft): void => {
  const { before, policy, judge, standing } = draft;
  if (standing === null) return;
  const closedMax = windowsClosed(before.opening, policy, rememberedUntilMs(before));
  const renewed = renew(tools, standing, Math.min(judge.nextIndex, closedMax));
  draft.standing = renewed.standing;
  draft.decisions.push(...renewed.renewals);
};
