import { isoTime } from '../../instant.ts';
import { isJsonFields, jsonFieldsIn } from '../../json-text.ts';
import type { Slot } from '../../markers/marker.ts';
import type { Line } from '../../views.ts';
import type { NoBoundOf } from '../metrics/latency.ts';
import type { SlowerPartOf } from '../metrics/slower-part.ts';
import type { AnalysisState } from './analysis-state.ts';
import { boundsFar, slowerParts } from './bounds-far.ts';
import { heldBack, heldBackCodes } from './held-back.ts';
import { lackingIn } from './lacking.ts';
import type { Lacking } from './lacking.ts';
import type { HeldBack } from './held-back.ts';
import { statusUnsaid } from './status-unsaid.ts';
import type { UnsaidOf } from './status-unsaid.ts';
import { targetsTogether } from './targets-together.ts';
import { evidenceOf } from '../statistics/evidence.ts';
import { policyIn, ruleIn } from '../attempts/frozen.ts';
import { logEvidence } from '../judge/family-evidence.ts';
import { isSeen, lastSeen } from '../judge/seen.ts';
import { windowsIn } from '../judge/times.ts';
import { isCohort } from '../windows/cohorts.ts';
import type { Cohort } from '../windows/cohorts.ts';
import type { Stage } from '../judge/verdict.ts';
import { stageOf } from '../judge/verdict-of.ts';

// How an analysis stands, for whoever waits for its decision. An analyser leaves it beside the read models every few
// seconds. It is nobody's evidence and nothing is decided by it, so it is not signed: whoever shows it says whose it is.

/** A metric of a policy that nobody sends: its id there, and what it would be called in telemetry. */
export type UnsentMetric = {
  readonly id: string;
  /** Nothing passes without it. */
  readonly critical: boolean;
  readonly names: readonly string[];
};

export type JudgingNote = {
  /** When it was written, by the analyser's clock; milliseconds since 1970. */
  readonly atMs: number;
  readonly deployment: string;
  readonly attempt: number;
  readonly slot: Slot;
  readonly version: string;
  readonly openedAtMs: number;
  /** Null while it is measured. */
  readonly windowMs: number | null;
  /** Closed so far. */
  readonly windows: number;
  /** Closed since both cohorts have had requests; null: they have not yet. */
  readonly pairedWindows: number | null;
  /** Of them the warm-up. Null while windows are measured. */
  readonly warmUpWindows: number | null;
  readonly stage: Stage | null;
  /** That it is worse than tolerated, as odds, and how much of it rolls back. Null before a window was judged. */
  readonly evidence: number | null;
  readonly evidenceNeeded: number | null;
  /** Of which nothing is received so far; and how many points of its service were of neither version. */
  readonly unheard: readonly Cohort[];
  readonly otherVersions: number;
  /** Neither cohort has shown these by the end of the warm-up. */
  readonly unsent: readonly UnsentMetric[];
  /** Senders of these targets are judged as one; empty: of one, or told apart. */
  readonly targets: readonly string[];
  /** Metrics by which nothing is promoted, as no bound of their buckets lies near the durations. */
  readonly noBound: readonly NoBoundOf[];
  /** Metrics by which nothing is promoted while a part of the canary's requests plainly takes longer. */
  readonly slowerPart: readonly SlowerPartOf[];
  /** Metrics by which nothing is promoted, as one cohort does not say what became of its requests. */
  readonly unsaid: readonly UnsaidOf[];
  /** By what nothing is promoted for what the newest windows show. */
  readonly held: readonly HeldBack[];
  /** What it lacks to pass beside all that; null: it will not be promoted. */
  readonly lacking: Lacking | null;
};

const keyPrefix = 'judging/';
/** Where the note of an analysis is kept. */
export const judgingKey = (analysis: string): string => `${keyPrefix}${analysis}`;
export { keyPrefix as judgingKeyPrefix };

/** An older one says nothing of now: its analyser is away, or it is over. */
const freshMs = 60_000;
export const isFreshNote = ({ atMs }: JudgingNote, nowMs: number): boolean =>
  Math.abs(nowMs - atMs) <= freshMs;

/** Undefined: it has ended, and what was decided says the rest. */
export const judgingNoteOf = (analysis: AnalysisState, nowMs: number): JudgingNote | undefined => {
  const { opening, judge, windowMs, ended } = analysis;
  if (ended !== null) return undefined;
  const { namespace, environment, component, target } = opening;
  const rule = windowMs === null ? null : ruleIn(opening, windowMs);
  const anchorIndex = judge?.anchorIndex ?? null;
  return {
    atMs: nowMs,
    deployment: opening.deployment,
    attempt: opening.attempt,
    slot: { namespace, environment, component, target },
    version: opening.canary.version,
    openedAtMs: opening.openedAt,
    windowMs,
    windows: judge?.nextIndex ?? 0,
    pairedWindows: judge === null || anchorIndex === null ? null : judge.nextIndex - anchorIndex,
    warmUpWindows: rule === null ? null : windowsIn(rule, rule.warmUpMs),
    stage: rule === null || judge === null ? null : stageOf(rule, judge),
    evidence:
      rule === null || judge === null || anchorIndex === null
        ? null
        : evidenceOf(logEvidence(rule, judge)),
    evidenceNeeded: rule === null ? null : 1 / rule.alphaAnytime,
    unheard: unheardIn(analysis),
    otherVersions: (['other-version', 'other-cohort', 'either-cohort'] as const).reduce(
      (points, reason) => points + analysis.excluded[reason],
      0,
    ),
    unsent: unsentIn(analysis),
    targets: targetsTogether(analysis),
    noBound: boundsFar(analysis),
    slowerPart: slowerParts(analysis),
    unsaid: statusUnsaid(analysis),
    held: heldBack(analysis),
    lacking: lackingIn(analysis),
  };
};

/** While windows are measured all points wait; then whatever is of a metric is seen when its window is closed. */
const unheardIn = ({ pending, judge }: AnalysisState): readonly Cohort[] =>
  judge !== null && judge.nextIndex === 0
    ? []
    : (['canary', 'baseline'] as const).filter(
        (cohort) =>
          !pending.some((point) => point.cohort === cohort) &&
          judge?.metrics.some((_, metric) => lastSeen(judge.seen, metric, cohort) !== null) !==
            true,
      );

/** The metrics of its policy that neither cohort has shown by the end of the warm-up. */
export const unsentIn = ({
  opening,
  ended,
  judge,
  canaryShare,
}: AnalysisState): readonly UnsentMetric[] => {
  // Until then a metric may still come; then what was staked on it goes to the others.
  if (ended !== null || judge === null || judge.presenceIndex === null) return [];
  return (policyIn(opening)?.metrics ?? []).flatMap(({ id, critical, judged, source }, place) => {
    // Of the traffic the share is what nobody told.
    const isAsked = judged !== 'traffic' || canaryShare !== null;
    // What is late or drowned is sent, and what has lost its attributes.
    const isHidden =
      judge.loudIndex !== null ||
      (judged !== 'level' && judge.overflownIndex !== null) ||
      (judged === 'traffic' && (judge.lateIndex ?? judge.sparseIndex) !== null);
    return isAsked && !isHidden && !isSeen(judge.seen, place)
      ? [{ id, critical, names: source.names }]
      : [];
  });
};

/** What a store gives back; undefined: it is no such note. */
export const readJudgingNote = (text: string): JudgingNote | undefined => {
  const note = jsonFieldsIn(text);
  if (note === undefined) return undefined;
  const { slot, unsent, stage, targets, noBound, slowerPart, unsaid, held, unheard } = note;
  // An analyser that is older than its reader tells nothing of it.
  const { lacking = null } = note;
  const isNote =
    ['atMs', 'attempt', 'openedAtMs', 'windows', 'otherVersions'].every((name) =>
      isNumber(note[name]),
    ) &&
    ['windowMs', 'pairedWindows', 'warmUpWindows', 'evidence', 'evidenceNeeded'].every(
      (name) => note[name] === null || isNumber(note[name]),
    ) &&
    isText(note['deployment']) &&
    isText(note['version']) &&
    (stage === null || isText(stage)) &&
    isJsonFields(slot) &&
    isText(slot['namespace']) &&
    isText(slot['environment']) &&
    isText(slot['component']) &&
    (slot['target'] === null || isText(slot['target'])) &&
    Array.isArray(unheard) &&
    unheard.every(isCohort) &&
    Array.isArray(unsent) &&
    unsent.every(isUnsent) &&
    Array.isArray(targets) &&
    targets.every(isText) &&
    Array.isArray(noBound) &&
    noBound.every(isNoBound) &&
    Array.isArray(slowerPart) &&
    slowerPart.every(isSlowerPart) &&
    Array.isArray(unsaid) &&
    unsaid.every(isUnsaid) &&
    Array.isArray(held) &&
    held.every(isHeld) &&
    (lacking === null || isLacking(lacking));
  return isNote ? ({ ...note, lacking } as unknown as JudgingNote) : undefined;
};

const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isUnsent = (value: unknown): boolean =>
  isJsonFields(value) &&
  isText(value['id']) &&
  typeof value['critical'] === 'boolean' &&
  Array.isArray(value['names']) &&
  value['names'].every(isText);

const isNoBound = (value: unknown): boolean => {
  if (!isJsonFields(value) || !isText(value['metric'])) return false;
  const { boundaryMs, baseline } = value;
  return (boundaryMs === null || isNumber(boundaryMs)) && areCounts(baseline);
};

const isSlowerPart = (value: unknown): boolean =>
  isJsonFields(value) &&
  isText(value['metric']) &&
  isNumber(value['canaryMs']) &&
  isNumber(value['baselineMs']) &&
  areCounts(value['canary']) &&
  areCounts(value['baseline']);

const isUnsaid = (value: unknown): boolean =>
  isJsonFields(value) &&
  isText(value['metric']) &&
  isCohort(value['cohort']) &&
  isText(value['by']) &&
  isNumber(value['canary']) &&
  isNumber(value['baseline']) &&
  (value['window'] === null || isWindow(value['window']));

const isWindow = (value: unknown): boolean =>
  isJsonFields(value) && isNumber(value['index']) && isNumber(value['startMs']);

const isHeld = (value: unknown): boolean =>
  isJsonFields(value) &&
  (value['metric'] === null || isText(value['metric'])) &&
  heldBackCodes.some((code) => code === value['code']) &&
  isText(value['message']) &&
  isText(value['hint']);

const isLacking = (value: unknown): boolean =>
  isJsonFields(value) &&
  isNumber(value['soakMs']) &&
  isNumber(value['evidenceNeeded']) &&
  Array.isArray(value['unshown']) &&
  value['unshown'].every(
    (one) => isJsonFields(one) && isText(one['metric']) && isNumber(one['evidence']),
  ) &&
  Array.isArray(value['silent']) &&
  value['silent'].every(
    (one) => isJsonFields(one) && isText(one['metric']) && isCohort(one['cohort']),
  ) &&
  typeof value['isVetoed'] === 'boolean' &&
  (value['step'] === null || value['step'] === 'share' || value['step'] === 'time');

const areCounts = (value: unknown): boolean =>
  isJsonFields(value) && isNumber(value['total']) && isNumber(value['events']);

/** As programs read it. */
export const judgingLine = (note: JudgingNote): Line => ({
  at: isoTime(note.atMs),
  openedAt: isoTime(note.openedAtMs),
  windowMs: note.windowMs,
  windows: note.windows,
  pairedWindows: note.pairedWindows,
  warmUpWindows: note.warmUpWindows,
  stage: note.stage,
  evidence: note.evidence,
  evidenceNeeded: note.evidenceNeeded,
  unheard: note.unheard,
  otherVersions: note.otherVersions,
  unsent: note.unsent.map(({ id, critical, names }) => ({ metric: id, critical, names })),
  targets: note.targets,
  noBound: note.noBound.map(({ metric, boundaryMs, baseline }) => ({
    metric,
    boundMs: boundaryMs,
    longer: baseline.events / baseline.total,
  })),
  slowerPart: note.slowerPart.map(({ metric, canaryMs, canary, baselineMs, baseline }) => ({
    metric,
    boundMs: canaryMs,
    longer: canary.events / canary.total,
    baselineBoundMs: baselineMs,
    baselineLonger: baseline.events / baseline.total,
  })),
  unsaid: note.unsaid.map(({ metric, cohort, by, canary, baseline, window }) => ({
    metric,
    cohort,
    by,
    canary,
    baseline,
    window: window && { index: window.index, at: isoTime(window.startMs) },
  })),
  held: note.held.map(({ metric, code, message, hint }) => ({ metric, code, message, hint })),
  lacking: note.lacking && {
    soakMs: note.lacking.soakMs,
    unshown: note.lacking.unshown.map(({ metric, evidence }) => ({ metric, evidence })),
    evidenceNeeded: note.lacking.evidenceNeeded,
    silent: note.lacking.silent.map(({ metric, cohort }) => ({ metric, cohort })),
    vetoed: note.lacking.isVetoed,
    step: note.lacking.step,
  },
});
