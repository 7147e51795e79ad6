import { canonicalJson } from '../../canonical.ts';
import type { Position } from '../../log/record.ts';
import type { Decided } from '../../markers/marker.ts';
import type { AnalysisOpened, Copy, Origin, Points, SamplePoint } from '../../samples/sample.ts';
import type {
  AnalysisState,
  AnalysisStep,
  AnalysisTools,
  Ending,
  Exclusion,
  ShareChange,
  Standing,
} from './analysis-state.ts';
import { isUncounted } from '../../telemetry/point.ts';
import { cohortOf } from '../windows/cohorts.ts';
import type { Cohort, NoCohort } from '../windows/cohorts.ts';
import {
  noWindowExclusions,
  pendingPointOf,
  takeWindow,
  withoutErrors,
  withoutLatency,
  withoutTraffic,
} from '../windows/cohort-windows.ts';
import type { PendingPoint, WindowExclusion } from '../windows/cohort-windows.ts';
import { decisionMarker, refusalMarker } from '../decision/decision-marker.ts';
import { beforeIn, carriedIn, policyIn, refusalOf, ruleIn } from '../attempts/frozen.ts';
import { decide } from '../judge/decide.ts';
import { hasEnded, initialFamily, judgeWindow } from '../judge/judge.ts';
import type { JudgedWindow, MetricWindow } from '../judge/judged-window.ts';
import { isOverflownNow, isUnheardNow } from '../judge/missing.ts';
import type { FamilyRule } from '../judge/rule.ts';
import type { FamilyState } from '../judge/state.ts';
import { windowsIn } from '../judge/times.ts';
import { stageOf } from '../judge/verdict-of.ts';
import type { PointJudgedAs } from '../windows/judged-as.ts';
import { mayBeFailed, pointsJudgedAs } from '../windows/judged-as.ts';
import {
  areOverflown,
  closeOverflown,
  noneOverflown,
  overflownLately,
  withoutOverflown,
} from '../windows/overflown.ts';
import type { Overflown } from '../windows/overflown.ts';
import { areSparse, closeSparseExports, noSparseExports } from '../windows/sparse-exports.ts';
import type { LoadsLately, ServerLoads } from '../windows/server-loads.ts';
import { loadsAtNewShare, noLoadsLately, serverLoads, withLoads } from '../windows/server-loads.ts';
import type { SparseExports } from '../windows/sparse-exports.ts';
import { closeServerRestarts, manyRestarts, noServerRestarts } from '../windows/server-restarts.ts';
import type { ServerRestarts } from '../windows/server-restarts.ts';
import { isKnownShare } from '../metrics/traffic.ts';
import type { Policy } from '../policy/policy.ts';
import {
  addEither,
  closeEitherPoints,
  isEitherTold,
  noEitherPoints,
  openEitherPoints,
} from '../windows/either-points.ts';
import type { EitherPointsDraft } from '../windows/either-points.ts';
import {
  addLate,
  areExportsLate,
  areFailedUnheard,
  areManyLate,
  closeLatePoints,
  noLatePoints,
  openLatePoints,
} from '../windows/late-points.ts';
import type { LatePointsDraft } from '../windows/late-points.ts';
import { isSeenInBoth } from '../judge/seen.ts';
import { isTargetUntold, untoldTargetOf, withTarget } from './targets-together.ts';
import { rememberedUntilMs, renew } from './renewal.ts';
import { againstBefore } from '../rollouts/against-before.ts';
import { beforeWindowMs } from '../rollouts/before.ts';
import { isComparison } from '../rollouts/comparison.ts';
import { noBases, streamOf } from '../windows/stream-bases.ts';
import type { Bases } from '../windows/stream-bases.ts';
import {
  awaitMeasure,
  initialMeasuring,
  measure,
  openMeasuring,
  windowMsMax,
} from '../windows/window-length.ts';
import type { MeasuringDraft } from '../windows/window-length.ts';

/** Points that wait for their windows. Beyond it they are excluded. */
const pendingMax = 100_000;
/** So much of it is no few any more. */
const floodShare = 0.1;
/** Changes of the traffic that wait for their windows. Beyond it the oldest are forgotten. */
const shareChangesMax = 100;
/** How far the watermark is behind the highest receipt. */
const latenessWindows = 2;

const noExclusions: AnalysisState['excluded'] = {
  'other-namespace': 0,
  'other-target': 0,
  'other-version': 0,
  'other-cohort': 0,
  'either-cohort': 0,
  'old-version': 0,
  late: 0,
  ...noWindowExclusions,
};
const windowExclusions = Object.keys(noWindowExclusions) as readonly WindowExclusion[];

/** Opens an analysis. For what this release cannot judge it ends at once, inconclusive. */
export const openAnalysis = (
  tools: AnalysisTools,
  opening: AnalysisOpened,
  position: Position,
): AnalysisStep => {
  const opened: AnalysisState = {
    opening,
    position,
    canaryShare: opening.canaryShare,
    shareChanges: [],
    sharesTo: opening.logPosition,
    receiptMs: opening.openedAt,
    measuring: initialMeasuring,
    windowMs: null,
    pending: [],
    leftOutToMs: 0,
    unknownToMs: 0,
    eitherPoints: noEitherPoints,
    sparseExports: noSparseExports,
    overflown: noneOverflown,
    loads: noLoadsLately,
    latePoints: noLatePoints,
    serverRestarts: noServerRestarts,
    bases: noBases,
    judge: null,
    evidenceDigest: tools.digest(''),
    excluded: noExclusions,
    targets: [],
    ended: null,
    standing: null,
    held: null,
  };
  const refused = refusalOf(tools.digest, opening);
  if (refused === undefined) return { analysis: withKnownWindow(opened), decisions: [] };
  return {
    analysis: end(opened, refused),
    decisions: [refusalMarker(tools, opening, position, refused)],
  };
};

/** What ran before was cut into windows already: nothing is left to be measured. */
const withKnownWindow = (opened: AnalysisState): AnalysisState =>
  opened.opening.comparison === 'concurrent'
    ? opened
    : {
        ...opened,
        measuring: null,
        windowMs: beforeWindowMs,
        judge: initialFamily(ruleIn(opened.opening, beforeWindowMs), carriedIn(opened.opening)),
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
  const senders = sample.origins.map((origin) => senderOf(draft, origin));
  for (const point of sample.points) {
    const sender = senders[point.origin];
    if (sender === undefined) throw new RangeError('a point without an origin passed the door');
    const { cohort } = sender;
    if (cohort === 'either-cohort') noteEither(draft, sample, point, sender);
    if (cohort !== 'canary' && cohort !== 'baseline') draft.excluded[cohort] += 1;
    else if (cohort === 'baseline' && analysis.opening.comparison === 'before-after')
      draft.excluded['old-version'] += 1;
    else if (draft.ended === null) addPoint(draft, sample, point, cohort, sender);
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
  const { standing, windowMs, opening } = before;
  if (standing === null || windowMs === null)
    return { analysis: { ...before, receiptMs }, decisions: [] };
  const untilMs = Math.min(receiptMs, rememberedUntilMs(opening));
  const renewed = renew(tools, standing, windowsClosed(opening, windowMs, untilMs));
  return {
    analysis: { ...before, receiptMs, standing: renewed.standing },
    decisions: renewed.renewals,
  };
};

/** How many windows the watermark has passed. */
const windowsClosed = ({ openedAt }: AnalysisOpened, windowMs: number, receiptMs: number): number =>
  Math.floor((receiptMs - openedAt) / windowMs) - latenessWindows;

/** Whether the attempt is over with it. */
export const isEnd = ({ fact }: Pick<Copy, 'fact'>): boolean =>
  fact === 'succeeded' || fact === 'failed' || fact === 'canceled';

/** What the log has said since; undefined: the attempt is over, and so is the analysis. */
export const obeyCopy = (analysis: AnalysisState, copy: Copy): AnalysisState | undefined => {
  switch (copy.fact) {
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return undefined;
    case 'traffic-shifted':
      return withShare(analysis, copy);
    case 'roll-back':
      return standsAgainst(analysis) ? end(analysis, 'rolled-back') : analysis;
    case 'promote':
    case 'advance':
    case 'hold':
      return analysis;
  }
};

/** Whether somebody's roll-back changes anything: it goes on, or something else stands than its own roll-back. */
const standsAgainst = ({ ended, standing }: AnalysisState): boolean =>
  ended === null || (standing !== null && standing.decision.kind !== 'roll-back');

/** From its own window on, or from the next one where that is closed. */
const withShare = (analysis: AnalysisState, copy: Copy): AnalysisState => {
  const { canaryShare: share, appendedAt: fromMs, logPosition } = copy;
  // Against what ran before no share of the traffic says anything.
  if (analysis.opening.comparison !== 'concurrent') return analysis;
  if (share === null || logPosition <= analysis.sharesTo) return analysis;
  const shareChanges = [...analysis.shareChanges, { fromMs, share }];
  return {
    ...analysis,
    shareChanges: shareChanges.slice(-shareChangesMax),
    sharesTo: logPosition,
  };
};

const end = (analysis: AnalysisState, ended: Ending): AnalysisState => ({
  ...analysis,
  measuring: null,
  shareChanges: [],
  pending: [],
  eitherPoints: noEitherPoints,
  sparseExports: noSparseExports,
  overflown: noneOverflown,
  loads: noLoadsLately,
  latePoints: noLatePoints,
  serverRestarts: noServerRestarts,
  bases: noBases,
  ended,
  standing: ended === 'decided' ? analysis.standing : null,
  held: null,
});

/**
 * An analysis while one record is folded. Its lists are this fold's own and grow in place, or a record of many
 * points would copy them once a point.
 */
type Draft = {
  readonly before: AnalysisState;
  readonly policy: Policy;
  canaryShare: number | null;
  shareChanges: readonly ShareChange[];
  receiptMs: number;
  measuring: MeasuringDraft | null;
  windowMs: number | null;
  pending: PendingPoint[];
  leftOutToMs: number;
  unknownToMs: number;
  eitherPoints: EitherPointsDraft;
  sparseExports: SparseExports;
  overflown: Overflown;
  loads: LoadsLately;
  /** Of `pending` those that nobody could count; null: not counted yet. */
  refusedPending: number | null;
  latePoints: LatePointsDraft;
  serverRestarts: ServerRestarts;
  bases: Bases;
  judge: FamilyState | null;
  evidenceDigest: string;
  readonly excluded: { -readonly [Reason in Exclusion]: number };
  targets: readonly string[];
  ended: Ending | null;
  standing: Standing | null;
  held: Standing | null;
  readonly decisions: Decided[];
};

const openDraft = (before: AnalysisState): Draft => {
  const policy = policyIn(before.opening);
  if (policy === undefined) throw new TypeError('an analysis without a policy goes on');
  const { canaryShare, shareChanges, receiptMs, measuring, windowMs } = before;
  return {
    before,
    policy,
    canaryShare,
    shareChanges,
    receiptMs,
    measuring: measuring === null ? null : openMeasuring(measuring),
    windowMs,
    pending: [...before.pending],
    leftOutToMs: before.leftOutToMs,
    unknownToMs: before.unknownToMs,
    eitherPoints: openEitherPoints(before.eitherPoints),
    sparseExports: before.sparseExports,
    overflown: before.overflown,
    loads: before.loads,
    refusedPending: null,
    latePoints: openLatePoints(before.latePoints),
    serverRestarts: before.serverRestarts,
    bases: before.bases,
    judge: before.judge,
    evidenceDigest: before.evidenceDigest,
    excluded: { ...before.excluded },
    targets: before.targets,
    ended: before.ended,
    standing: before.standing,
    held: before.held,
    decisions: [],
  };
};

const closeDraft = (
  tools: AnalysisTools,
  { before, policy: _policy, refusedPending: _refused, ended, decisions, ...changed }: Draft,
): AnalysisStep => {
  const analysis: AnalysisState = { ...before, ...changed };
  if (ended === null) return { analysis, decisions };
  const over = outlive(tools, end(analysis, ended), analysis.receiptMs);
  return { ...over, decisions: [...decisions, ...over.decisions] };
};

/** What all points of one origin have in common. */
type Sender = {
  readonly cohort: Cohort | NoCohort;
  readonly judgedAs: PointJudgedAs;
  /** Worth remembering; else null. */
  readonly target: string | null;
};

const senderOf = ({ before, policy }: Draft, origin: Origin): Sender => ({
  cohort: cohortOf(before.opening, policy, origin),
  judgedAs: pointsJudgedAs(policy.metrics, origin),
  target: isTargetUntold(before.opening, policy) ? untoldTargetOf(origin) : null,
});

const addPoint = (
  draft: Draft,
  sample: Points,
  sent: SamplePoint,
  cohort: Cohort,
  { judgedAs, target }: Sender,
): void => {
  const as = judgedAs(sent);
  const point = isUncounted(sent.refused) ? heardNow(draft, sent) : sent;
  const delayMs = Math.abs(point.receivedAt - point.time);
  const exclusion = as.length === 0 ? 'not-judged' : exclusionOf(draft, point, delayMs);
  if (exclusion !== undefined) {
    draft.excluded[exclusion] += 1;
    if (exclusion === 'late') {
      const { series, start: startMs, time: timeMs, count, errors, refused } = point;
      const late = { cohort, series, startMs, timeMs, count, errors, judgedAs: as };
      addLate(draft.latePoints, refused === null ? late : { ...late, refused });
    }
    if (exclusion === 'over-limit') leaveOut(draft, point);
    return;
  }
  const pending = pendingPointOf(sample, point, cohort, as);
  draft.pending.push(pending);
  if (draft.refusedPending !== null && isUncounted(point.refused)) draft.refusedPending += 1;
  if (target !== null) draft.targets = withTarget(draft.targets, target);
  // Of what was refused neither start nor time need be its own.
  if (draft.measuring === null || isUncounted(point.refused)) return;
  const { series, temporality, startMs, timeMs } = pending;
  const stream = temporality === 'cumulative' ? streamOf(series, startMs) : series;
  awaitMeasure(draft.measuring, { cohort, stream, temporality, startMs, timeMs });
};

/** What nobody can count is known to have been there, also by a clock that is ahead: it is of its receipt then. */
const heardNow = (draft: Draft, point: SamplePoint): SamplePoint => {
  const { start, time, receivedAt } = point;
  return time - receivedAt <= latenessMs(draft)
    ? point
    : { ...point, time: receivedAt, start: Math.min(start, receivedAt) };
};

/** Its requests may be some that a cohort seems to have lost, or those that failed. */
const noteEither = (
  draft: Draft,
  { origins }: Points,
  point: SamplePoint,
  { judgedAs }: Sender,
): void => {
  const { series, level, count, refused, start: startMs, time, receivedAt } = point;
  const temporality = origins[point.origin]?.temporality;
  const as = judgedAs(point);
  if (level !== null || temporality === undefined || as.length === 0) return;
  // Whose clock is off, or whose export is late, tells of now.
  const timeMs = Math.min(receivedAt, Math.max(time, receivedAt - latenessMs(draft)));
  const isFailed = mayBeFailed({ ...point, judgedAs: as });
  addEither(draft.eitherPoints, { series, temporality, startMs, timeMs, count, refused, isFailed });
};

/**
 * That no room is left may be the doing of points that nobody can count. Beside a few of them nobody knows what the rest of
 * that time shows; where they are a flood, nor what a counter that went on meanwhile adds later.
 */
const leaveOut = (draft: Draft, { time, refused }: SamplePoint): void => {
  draft.leftOutToMs = Math.max(draft.leftOutToMs, time);
  draft.refusedPending ??= draft.pending.filter((waiting) => isUncounted(waiting.refused)).length;
  if (isUncounted(refused) || draft.refusedPending > 0)
    draft.unknownToMs = Math.max(draft.unknownToMs, time);
  if (draft.refusedPending > floodShare * pendingMax && !draft.bases.isUnknowable)
    draft.bases = { ...draft.bases, isUnknowable: true };
};

const exclusionOf = (
  draft: Draft,
  { time: timeMs, receivedAt }: SamplePoint,
  delayMs: number,
): Exclusion | undefined => {
  const { openedAt } = draft.before.opening;
  // What comes so long after the opening is not of before it: a clock is behind.
  if (timeMs < openedAt)
    return receivedAt - openedAt > latenessMs(draft) ? 'late' : 'before-opening';
  if (delayMs > latenessMs(draft) || timeMs < nextWindowMs(draft)) return 'late';
  return draft.pending.length >= pendingMax ? 'over-limit' : undefined;
};

/** While the windows are measured nobody knows how long that is: the longest they can become. */
const latenessMs = ({ windowMs, policy }: Draft): number =>
  latenessWindows * (windowMs ?? Math.max(policy.windowMs, windowMsMax));

/** Where the first window begins that is not closed. */
const nextWindowMs = ({ before, judge, windowMs }: Draft): number =>
  before.opening.openedAt + (judge?.nextIndex ?? 0) * (windowMs ?? 0);

const advance = (
  tools: AnalysisTools,
  draft: Draft,
  receiptMs: number,
  position: Position,
): void => {
  draft.receiptMs = Math.max(draft.receiptMs, receiptMs);
  if (draft.measuring !== null) measureWindow(draft, draft.measuring);
  for (;;) {
    const { windowMs } = draft;
    if (windowMs === null || draft.ended !== null) return;
    if (nextWindowMs(draft) + windowMs > draft.receiptMs - latenessMs(draft)) return;
    closeWindow(tools, draft, windowMs, position);
  }
};

const measureWindow = (draft: Draft, measuring: MeasuringDraft): void => {
  const { policy, before } = draft;
  const { openedAt } = before.opening;
  const limitMs = openedAt + policy.noDataMs;
  const measured = measure(measuring, draft.receiptMs, policy.windowMs, openedAt, limitMs);
  if (!measured.done) {
    draft.measuring = measured.measuring;
    return;
  }
  draft.measuring = null;
  draft.windowMs = measured.windowMs;
  draft.judge = initialFamily(ruleIn(before.opening, measured.windowMs), carriedIn(before.opening));
  const timely = draft.pending.filter(({ delayMs }) => delayMs <= latenessMs(draft));
  for (const point of draft.pending)
    if (point.delayMs > latenessMs(draft)) addLate(draft.latePoints, point);
  draft.excluded.late += draft.pending.length - timely.length;
  draft.pending = timely;
  draft.refusedPending = null;
};

const closeWindow = (
  tools: AnalysisTools,
  draft: Draft,
  windowMs: number,
  position: Position,
): void => {
  const { before, policy, judge } = draft;
  const { opening } = before;
  if (judge === null) throw new TypeError('a window closes before it is frozen');
  const rule = ruleIn(opening, windowMs);
  const startMs = nextWindowMs(draft);
  const endMs = startMs + windowMs;
  const due = draft.pending.filter(({ timeMs }) => timeMs < endMs);
  if (due.length > 0) {
    draft.pending = draft.pending.filter(({ timeMs }) => timeMs >= endMs);
    draft.refusedPending = null;
  }
  const isUnknown = startMs <= draft.unknownToMs;
  const taken = takeWindow(policy.metrics, draft.bases, due, opening.openedAt, isUnknown, windowMs);
  draft.serverRestarts = closeServerRestarts(draft.serverRestarts, due, draft.bases, {
    ...{ endMs, windowMs },
    fromMs: warmUpEndMs(rule, judge, opening.openedAt),
  });
  draft.bases = taken.bases;
  for (const reason of windowExclusions) draft.excluded[reason] += taken.excluded[reason];
  const windowsKept = Math.ceil(policy.noDataMs / windowMs);
  draft.eitherPoints = closeEitherPoints(draft.eitherPoints, endMs, opening.openedAt);
  draft.latePoints = closeLatePoints(
    draft.latePoints,
    due,
    draft.pending,
    windowsKept,
    draft.eitherPoints.tells,
    taken.unknown,
  );
  const isLate = areManyLate(draft.latePoints);
  const isEither = isEitherTold(draft.eitherPoints, endMs, policy.noDataMs);
  const timed = areExportsLate(draft.latePoints) ? withoutLatency(taken.metrics) : taken.metrics;
  // A canary of which some are not heard fails as much as it seems to, or more.
  const known = areFailedUnheard(draft.latePoints, 'baseline') ? withoutErrors(timed) : timed;
  // What is seen in both cohorts is missed as soon as it is silent; the rest would weigh nothing.
  const isLoud = taken.leftOut.some(
    (metric) => !isSeenInBoth(judge.seen, metric) && isComparable(draft, metric),
  );
  draft.sparseExports = closeSparseExports(
    draft.sparseExports,
    due,
    taken.counted,
    windowMs,
    windowsKept,
    opening.openedAt,
  );
  // Before and after, windows are a minute, and traffic is not compared.
  const isSparse = opening.comparison === 'concurrent' && areSparse(draft.sparseExports);
  draft.overflown = closeOverflown(draft.overflown, taken.overflown, endMs, policy.noDataMs);
  const overflown = overflownLately(draft.overflown);
  const isTrafficKnown = !isLate && !isSparse && startMs > draft.leftOutToMs && !isEither;
  const { isUnmeasured } = taken;
  const isUnheard = taken.isUnheard || isEither;
  if (taken.excluded.loud + taken.excluded['over-limit'] > 0 || isUnheard || isLate)
    draft.leftOutToMs = Math.max(draft.leftOutToMs, startMs);
  const loadsBefore = serverLoads(draft.loads, windowMs);
  draft.loads = withLoads(draft.loads, taken.asTraffic, windowMs);
  passShares(draft, endMs, windowMs);
  const restarts = manyRestarts(draft.serverRestarts);

  const window: JudgedWindow = {
    index: judge.nextIndex,
    startMs,
    canaryShare: draft.canaryShare,
    metrics: withoutOverflown(
      comparedIn(opening, judge.nextIndex, isTrafficKnown ? known : withoutTraffic(known)),
      overflown,
    ),
    ...((isUnheard || isUnmeasured) && { isUnheard: true }),
    ...(isLate && { isLate }),
    ...(isSparse && { isSparse }),
    ...(isLoud && { isLoud }),
    ...(areOverflown(overflown) && { isOverflown: true }),
    ...(opening.comparison === 'concurrent' && loadsIn(loadsBefore, draft.loads, windowMs)),
    ...(restarts !== null && { restarts }),
  };
  draft.judge = judgeWindow(rule, judge, window);
  const windowText = canonicalJson(window);
  draft.evidenceDigest = tools.digest(`${draft.evidenceDigest}${windowText}`);
  tools.observe?.({
    analysis: opening.analysis,
    rule,
    state: draft.judge,
    window,
    excluded: { ...draft.excluded },
  });
  if (hasEnded(rule, draft.judge)) draft.ended = 'decided';
  const decision = decide(rule, draft.judge);
  if (decision === undefined) {
    renewStanding(tools, draft, windowMs);
    return;
  }
  const marker = decisionMarker(tools, before, {
    decision,
    stage: stageOf(rule, draft.judge),
    window: { index: window.index, endMs },
    windowMs,
    policy,
    evidenceDigest: draft.evidenceDigest,
    excluded: draft.excluded,
    isLeftOut:
      draft.leftOutToMs >= endMs - policy.noDataMs ||
      isUnheardNow(rule, draft.judge) ||
      isOverflownNow(rule, draft.judge),
    canaryShare: draft.canaryShare,
    position,
  });
  draft.decisions.push(marker);
  const standing: Standing = { decision: marker, window: window.index };
  if (marker.kind !== 'hold') draft.standing = standing;
  draft.held = marker.stage === 'hold' ? standing : null;
  if (marker.kind === 'roll-back') draft.ended = 'decided';
  if (draft.ended !== null && draft.standing?.decision.kind === 'advance') draft.standing = null;
};

/** Whether servers lose requests is asked before the window that it is asked for, so that no window chooses itself. */
const loadsIn = (
  before: ServerLoads | null,
  lately: LoadsLately,
  windowMs: number,
): Pick<JudgedWindow, 'loads' | 'loadsBefore' | 'areLoadsUnsettled'> => {
  const now = serverLoads(lately, windowMs);
  return {
    ...(before !== null && { loadsBefore: before }),
    ...(now !== null && { loads: now }),
    ...(lately.unsettledMs > 0 && { areLoadsUnsettled: true }),
  };
};

/** Null: nobody knows yet. */
const warmUpEndMs = (
  rule: FamilyRule,
  { anchorIndex }: FamilyState,
  openedAtMs: number,
): number | null =>
  anchorIndex === null
    ? null
    : openedAtMs + (anchorIndex + windowsIn(rule, rule.warmUpMs)) * rule.windowMs;

const comparedIn = (
  opening: AnalysisOpened,
  index: number,
  taken: readonly MetricWindow[],
): readonly MetricWindow[] => {
  const before = beforeIn(opening);
  return before === undefined || !isComparison(opening.comparison)
    ? taken
    : againstBefore(opening.comparison, before, index, taken);
};

/** Traffic is compared with a share alone; the rest always. */
const isComparable = ({ policy, canaryShare }: Draft, metric: number): boolean =>
  policy.metrics[metric]?.judged !== 'traffic' || isKnownShare(canaryShare);

/** The share that a window ends with is its share: what is settling is no evidence of the traffic. */
const passShares = (draft: Draft, endMs: number, windowMs: number): void => {
  const passed = draft.shareChanges.filter(({ fromMs }) => fromMs < endMs);
  if (passed.length === 0) return;
  draft.canaryShare = passed.at(-1)?.share ?? draft.canaryShare;
  draft.loads = loadsAtNewShare(draft.loads, windowMs);
  draft.shareChanges = draft.shareChanges.slice(passed.length);
};

/** A silence, while it lasts; else a promotion, while its roll-back stays armed, or a step. */
const renewStanding = (tools: AnalysisTools, draft: Draft, windowMs: number): void => {
  const { before, judge } = draft;
  if (judge === null) return;
  if (judge.silentFrom === null) draft.held = null;
  const isSilent = judge.silentFrom !== null;
  const standing = isSilent ? draft.held : draft.standing;
  if (standing === null) return;
  const { opening } = before;
  const closedMax = windowsClosed(opening, windowMs, rememberedUntilMs(opening));
  const renewed = renew(tools, standing, Math.min(judge.nextIndex, closedMax));
  draft[isSilent ? 'held' : 'standing'] = renewed.standing;
  draft.decisions.push(...renewed.renewals);
};
