import { isoTime } from '../../core/instant.ts';
import { filterText } from '../../core/record-filter.ts';
import type { Line } from '../../core/views.ts';
import type {
  Believed,
  Count,
  GenerationDiff,
  GenerationStatus,
  ReplayChoice,
  ReplayPlan,
  ReplayRun,
  RowDifference,
  Switched,
} from '../../ports/replaying.ts';
import { bytesText, plainText, shortTime, spanText, table } from '../terminal/display.ts';

// What replays say, for people and for programs.

const timeOf = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

export type Page = { readonly from: number; readonly max: number };

/** Rows that differ and are shown in a plan. */
const examplesMax = 20;
const countsShownMax = 8;

export const planLine = (plan: ReplayPlan, choice: ReplayChoice, believed: Believed): Line => ({
  logId: plan.logId,
  to: plan.to,
  filter: filterText(choice.filter),
  records: plan.records,
  bytes: plan.bytes,
  firstAt: timeOf(plan.firstAt),
  lastAt: timeOf(plan.lastAt),
  kinds: plan.kinds,
  components: plan.components,
  environments: plan.environments,
  signers: plan.signers,
  outcomes: plan.outcomes,
  remembered: plan.remembered,
  sample: believed.sampleShare,
  seed: believed.seed,
  recordsPerSecond: plan.recordsPerSecond,
  seconds: plan.seconds,
  effect:
    plan.effect === null
      ? null
      : {
          against: plan.effect.first.generation,
          next: plan.effect.first.next,
          models: plan.effect.models,
          examples: plan.effect.differences.slice(0, examplesMax).map(differenceLine),
        },
});

export const planText = (plan: ReplayPlan, columns: number | null): readonly string[] =>
  [
    `${plan.records} of ${plan.to} records, ${bytesText(plan.bytes)}, of log ${plan.logId}`,
    plan.firstAt === null
      ? ''
      : `appended from ${shortTime(isoTime(plan.firstAt))} to ${shortTime(isoTime(plan.lastAt ?? 0))}`,
    ...countsText('kinds', plan.kinds),
    ...countsText('components', plan.components),
    ...countsText('environments', plan.environments),
    ...countsText('signers', plan.signers),
    ...countsText('outcomes', plan.outcomes),
    `signature checks remembered: ${plan.remembered} of ${plan.to}`,
    plan.seconds === null
      ? 'expected duration: a moment'
      : `expected duration: ${spanText(plan.seconds * 1000)} (${plan.recordsPerSecond} records a second, measured here)`,
    ...effectText(plan.effect, columns),
  ].filter((line) => line !== '');

const countsText = (what: string, counts: readonly Count[]): readonly string[] => {
  const shown = counts.slice(0, countsShownMax).map(({ name, count }) => `${name} ${count}`);
  const rest = counts.length - shown.length;
  if (counts.length === 0) return [];
  return [plainText(`${what}: ${shown.join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`)];
};

const effectText = (effect: GenerationDiff | null, columns: number | null): readonly string[] => {
  if (effect === null) return [];
  const { generation, next } = effect.first;
  if (effect.models.length === 0)
    return [`no row would change against ${generation} (position ${next})`];
  return [
    `rows that would change against ${generation} (position ${next}):`,
    ...modelsText(effect),
    ...differencesText(effect.differences.slice(0, examplesMax), columns),
  ];
};

const modelsText = ({ models }: GenerationDiff): readonly string[] =>
  models.map(
    ({ model, added, removed, changed }) =>
      `  ${model}: ${added} added, ${removed} removed, ${changed} changed`,
  );

const whys: { readonly [Why in RowDifference['why']]: string } = {
  'left-out': 'a filter left records out',
  'other-fold': 'another version of the fold',
  behind: 'they stand at different positions',
  unexplained: 'UNEXPLAINED: one of them is damaged',
};

const differencesText = (
  differences: readonly RowDifference[],
  columns: number | null,
): readonly string[] =>
  table(
    ['MODEL', 'KEY', 'FIRST', 'SECOND', 'NEWEST RECORDS', 'WHY', 'PARTS'],
    differences.map(({ model, key, first, second, firstPosition, secondPosition, why, parts }) => [
      model,
      key,
      first === null ? 'absent' : 'there',
      second === null ? 'absent' : 'there',
      `${firstPosition ?? '-'} / ${secondPosition ?? '-'}`,
      whys[why],
      parts.join(', '),
    ]),
    columns,
  );

export const diffText = (
  diff: GenerationDiff,
  { from, max }: Page,
  columns: number | null,
): readonly string[] => {
  const { first, second, differences } = diff;
  const shown = differences.slice(from, from + max);
  const rest = differences.length - from - shown.length;
  const apart = second.next - first.next;
  return [
    `${first.generation} at position ${first.next}, rows ${first.rowsDigest}`,
    `${second.generation} at position ${second.next}, rows ${second.rowsDigest}`,
    ...(apart === 0
      ? []
      : [
          `${apart > 0 ? first.generation : second.generation} is ${Math.abs(apart)} records behind`,
        ]),
    ...(differences.length === 0
      ? ['the same rows']
      : [
          ...(first.rowsDigest === second.rowsDigest ? [pastProjectorText] : []),
          `from ${first.generation} to ${second.generation}:`,
          ...modelsText(diff),
        ]),
    ...(shown.length === 0 ? [] : differencesText(shown, columns)),
    ...(rest > 0 ? [`${rest} more: --after=${from + shown.length}`] : []),
    ...(diff.isCut ? ['and there are more than are listed'] : []),
  ];
};

const pastProjectorText =
  'the digests rolled along are the same, although rows differ: somebody wrote to the store past the projector';

/** First a line for both generations, then one for each difference. */
export const diffLines = (diff: GenerationDiff, { from, max }: Page): readonly Line[] => [
  {
    first: diff.first,
    second: diff.second,
    models: diff.models,
    differences: diff.differences.length,
    isCut: diff.isCut,
  },
  ...diff.differences.slice(from, from + max).map(differenceLine),
];

const differenceLine = (difference: RowDifference): Line => ({
  model: difference.model,
  key: difference.key,
  first: difference.first,
  second: difference.second,
  firstPosition: difference.firstPosition,
  secondPosition: difference.secondPosition,
  parts: difference.parts,
  why: difference.why,
});

export const runLine = (run: ReplayRun, operation: number | null): Line => ({
  generation: run.generation,
  state: run.state,
  next: run.next,
  folded: run.folded,
  leftOut: run.leftOut,
  seconds: run.seconds,
  rowsDigest: run.rowsDigest,
  outcomes: run.outcomes,
  wrongChecks: run.wrongChecks,
  filter: filterText(run.filter),
  to: run.to,
  operation,
});

export const runText = (run: ReplayRun): readonly string[] => {
  const { generation, next, folded, leftOut, seconds, state, rowsDigest } = run;
  const words = filterText(run.filter);
  const speed = seconds > 0 ? `, ${Math.round(folded / seconds)} a second` : '';
  return [
    `folded ${folded} records into generation ${generation} in ${spanText(seconds * 1000)}${speed}`,
    `it stands at position ${next}, rows ${rowsDigest}`,
    ...(words === ''
      ? []
      : [
          `${folded - leftOut} of these records passed the filter, ${leftOut} were left out`,
          plainText(`only ${words}: switching to it needs --force`),
        ]),
    ...(state === 'paused'
      ? []
      : [
          `compare it: plimsoll replay diff ${generation}`,
          `use it: plimsoll replay switch ${generation} --reason=TEXT`,
        ]),
  ];
};

export const statusLine = (status: GenerationStatus): Line => ({
  generation: status.generation,
  isCurrent: status.isCurrent,
  isPrevious: status.isPrevious,
  state: status.state,
  rows: status.rows,
  next: status.next,
  lag: status.lag,
  foldVersion: status.foldVersion,
  rowsDigest: status.rowsDigest,
  madeAt: timeOf(status.madeAt),
  madeBy: status.madeBy,
  why: status.why,
  filter: status.filter === null ? '' : filterText(status.filter),
  to: status.to,
  rate: status.rate,
});

export const statusText = (
  found: readonly GenerationStatus[],
  columns: number | null,
): readonly string[] =>
  table(
    [
      ...['GENERATION', 'USED', 'STATE', 'ROWS', 'NEXT', 'LAG', 'MADE', 'BY'],
      ...['ONLY', 'TO', 'RATE', 'WHY', 'DIGEST'],
    ],
    found.map((one) => [
      one.generation,
      one.isCurrent ? 'now' : one.isPrevious ? 'before' : '',
      one.state,
      `${one.rows}`,
      `${one.next}`,
      `${one.lag}`,
      shortTime(timeOf(one.madeAt)),
      one.madeBy ?? '',
      one.filter === null ? '' : filterText(one.filter),
      `${one.to ?? ''}`,
      one.rate === null ? '' : `${one.rate} a second`,
      one.why ?? '',
      one.rowsDigest.slice(0, 12),
    ]),
    columns,
  );

export const switchedLine = (
  { from, to, next, lag, rowsDigest }: Switched,
  operation: number | null,
): Line => ({ from, to, next, lag, rowsDigest, operation });

export const switchedText = ({ from, to, next, lag }: Switched): readonly string[] =>
  from === to
    ? [`readers use generation ${to} already`]
    : [
        `readers use generation ${to} now (position ${next}${lag === 0 ? '' : `, ${lag} records behind`})`,
        ...(from === null
          ? []
          : [`generation ${from} is kept: plimsoll replay back --reason=TEXT`]),
      ];
