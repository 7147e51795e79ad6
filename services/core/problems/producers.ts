import type { ProducerRow } from '../producers.ts';
import { missingCount, producerKey } from '../producers.ts';
import type { RemarkRow } from '../remarks.ts';
import type { Problem, ProblemRows } from './problem.ts';
import { countOf, problemOf } from './problem.ts';

// What the producers' own numbers and clocks show.

/** What waited longer than this arrived late. */
const lateAfterMs: number = 10 * 60_000;

export const producerProblems = ({ producers, remarks }: ProblemRows): readonly Problem[] => [
  ...producers.flatMap((row) => [...gaps(row), ...repeats(row)]),
  ...[...Map.groupBy(remarks, sender).values()].flatMap((said) => [
    ...clockSkewed(said),
    ...arrivedLate(said),
  ]),
];

const gaps = (row: ProducerRow): readonly Problem[] => {
  const count = missingCount(row);
  if (count === 0) return [];
  const listed = row.missing.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  return [
    problemOf({
      code: 'sequence-gap',
      severity: 'warning',
      subject: producerKey(row.principal, row.producer),
      message: `${count} of the ${row.highest - row.lowest + 1} markers that ${row.producer} numbered never came`,
      hint: 'are they in a spool there, or were they refused? plimsoll dead-letters list',
      principal: row.principal,
      count,
      coverage: {
        reported: row.highest - row.lowest + 1 - count,
        expected: row.highest - row.lowest + 1,
      },
      missing: [...(row.missingUnlisted > 0 ? [`below ${row.unlistedTo}`] : []), ...listed],
      positions: row.missing.map(({ position }) => position),
      at: row.lastAt,
    }),
  ];
};

const repeats = (row: ProducerRow): readonly Problem[] =>
  row.repeats === 0
    ? []
    : [
        problemOf({
          code: 'sequence-repeat',
          severity: 'warning',
          subject: producerKey(row.principal, row.producer),
          message: `${countOf(row.repeats, 'marker')} of ${row.producer} with a number that another one had`,
          hint: 'was its data folder copied? Two installations must not count under one name',
          principal: row.principal,
          count: row.repeats,
          positions: row.repeatedAt === null ? [] : [row.repeatedAt],
          at: row.lastAt,
        }),
      ];

const sender = ({ principal, source }: RemarkRow): string => `${principal} ${source}`;

const clockSkewed = (said: readonly RemarkRow[]): readonly Problem[] => {
  const skewed = said.filter((remark) => remark.clockSkewed);
  const last = skewed.at(-1);
  if (last === undefined) return [];
  const off = last.occurredAt - last.at;
  return [
    problemOf({
      code: 'clock-skewed',
      severity: 'warning',
      subject: sender(last),
      message: `the clock of ${last.source} is ${durationOf(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} the log's`,
      hint: 'set its clock; times that producers tell are shown and never trusted',
      principal: last.principal,
      count: skewed.length,
      positions: skewed.map(({ position }) => position),
      at: last.appendedAt,
    }),
  ];
};

const arrivedLate = (said: readonly RemarkRow[]): readonly Problem[] => {
  const late = said.filter(({ waitedMs }) => waitedMs > lateAfterMs);
  const last = late.at(-1);
  if (last === undefined) return [];
  const longest = late.reduce((most, { waitedMs }) => Math.max(most, waitedMs), 0);
  return [
    problemOf({
      code: 'arrived-late',
      severity: 'warning',
      subject: sender(last),
      message: `${countOf(late.length, 'marker')} of ${last.source} waited up to ${durationOf(longest)} on the way`,
      hint: 'can it reach the log or the gateway? What waited counts from when it was said',
      principal: last.principal,
      count: late.length,
      positions: late.map(({ position }) => position),
      at: last.appendedAt,
    }),
  ];
};

const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'days'],
  [3_600_000, 'hours'],
  [60_000, 'minutes'],
  [1000, 'seconds'],
];

/** `36 hours`, `7 minutes`: the largest unit of which there are two. */
export const durationOf = (ms: number): string => {
  const [unitMs, name] = units.find(([one]) => ms >= 2 * one) ?? [1000, 'seconds'];
  return `${Math.round(ms / unitMs)} ${name}`;
};
