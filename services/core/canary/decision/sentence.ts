import type { Decided } from '../../markers/marker.ts';
import type { AnalysisState, Exclusion } from '../analysis/analysis-state.ts';
import type { FamilyDecision } from '../judge/decide.ts';
import { verdictText } from '../judge/sentence.ts';
import type { Missing } from '../judge/verdict.ts';
import type { PointRefusal } from '../../telemetry/point.ts';
import { pointRefusals, refusalRemedies } from '../../telemetry/point.ts';
import { grouped } from '../reading/figures.ts';

/** Below what a marker's explanation may have, with what a renewal puts before it. */
const textMax = 3_800;

/**
 * A decision as one line for people. Where a cohort was not heard, what was heard instead tells why: a wrong version, a
 * clock that is off.
 */
export const decisionSentence = (
  { verdict, explanation }: Pick<FamilyDecision, 'verdict' | 'explanation'>,
  onSilence: Decided['onSilence'],
  excluded: AnalysisState['excluded'],
  /** Where both sides were not seen at the same time: that comes first. */
  weakness: string = '',
): string => {
  const isUnheard =
    verdict.outcome === 'inconclusive' && verdict.missing.some(({ what }) => leavesOut.has(what));
  const silence =
    onSilence === 'roll-back' ? 'rolled back because it is silent, as the policy asks. ' : '';
  const instead = isUnheard ? exclusionPhrase(excluded) : '';
  const text = verdictText(verdict, explanation);
  const max = textMax - weakness.length - silence.length - instead.length;
  return `${weakness}${silence}${text.length <= max ? text : `${text.slice(0, max - 1)}…`}${instead}`;
};

/** What may be missing because what came was left out. */
const leavesOut: ReadonlySet<Missing['what']> = new Set([
  'canary',
  'baseline',
  'all-heard',
  'all-in-time',
  'dense-exports',
  'none-loud',
  'none-overflown',
]);

/** In the order in which they are told. What came twice, or before the opening, keeps nobody waiting. */
const told: readonly Exclusion[] = [
  'other-version',
  'other-namespace',
  'other-target',
  'other-cohort',
  'either-cohort',
  'late',
  'implausible',
  'loud',
  'durations-implausible',
  'attributes-overflown',
  'other-buckets',
  'other-unit',
  'over-limit',
  'start-shared',
  ...pointRefusals,
];

const pointRemedies: { readonly [Reason in PointRefusal | 'durations-implausible']: string } = {
  ...refusalRemedies,
  'durations-implausible':
    'no request takes 36 hours: say the unit that durations are measured in, and measure them from start to end',
};
const saidRemedies: ReadonlyMap<string, string> = new Map(Object.entries(pointRemedies));

/** How a point would have been taken, in parentheses; empty where it was not refused for what it says. */
export const remedyOf = (reason: string): string => {
  const remedy = saidRemedies.get(reason);
  return remedy === undefined ? '' : ` (${remedy})`;
};

/** Points that came and are no evidence, as an addition to a sentence; empty where there are none. */
export const exclusionPhrase = (excluded: AnalysisState['excluded']): string => {
  const counts = told
    .filter((reason) => excluded[reason] > 0)
    .map((reason) => `${reason} ${grouped(excluded[reason])}${remedyOf(reason)}`);
  return counts.length === 0 ? '' : `. Points that are no evidence: ${counts.join(', ')}`;
};

const unknownRemedies: { readonly [Reason in Exclusion]?: string } = {
  ...pointRemedies,
  'start-shared':
    'give each pod and worker a service.instance.id of its own, and send its exports by one path',
  'either-cohort':
    'every sender says what it runs: one service.version, and deployment.id where both run the same version',
};

/** That nothing is promoted, as requests were left out which nobody can count; and what mends it. */
export const unknownIn = (
  excluded: AnalysisState['excluded'],
  { toldMs }: Pick<AnalysisState['eitherPoints'], 'toldMs'>,
): { readonly message: string; readonly hint: string } => {
  const reasons = (
    [
      'either-cohort',
      'start-shared',
      'implausible',
      'over-limit',
      'durations-implausible',
      ...pointRefusals,
    ] as const
  ).filter(
    // Who tells of no requests holds nobody.
    (reason) => excluded[reason] > 0 && (reason !== 'either-cohort' || toldMs !== null),
  );
  const counts = reasons.map((reason) => `${reason} ${grouped(excluded[reason])}`).join(', ');
  const remedies = reasons.flatMap((reason) => unknownRemedies[reason] ?? []);
  const areCounted =
    reasons.length > 0 &&
    reasons.every(
      (reason) => reason === 'durations-negative' || reason === 'durations-implausible',
    );
  const what = areCounted
    ? 'requests came lately of which nobody knows how long they took'
    : 'requests were left out lately that nobody can count';
  return {
    message: `${what}${counts === '' ? '' : ` (so far: ${counts})`}, so nothing is promoted`,
    hint: [...new Set(remedies)].join('; '),
  };
};

/**
 * The sentence of an explanation that says what was found, with what stands before it where that says how it was
 * compared: what a list has room for.
 */
export const headlineOf = (explanation: string): string => {
  const sentences = explanation.split('. ');
  const found = sentences.findIndex((sentence) => !preamble.test(sentence));
  return sentences.slice(0, found + 1).join('. ');
};

/** `weaknessOf`, and a roll-back for silence. */
const preamble = /^(?:before and after|where one colour|rolled back because it is silent)/;
