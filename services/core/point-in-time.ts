import type { Attempt, Deployment, Entry } from './deployment.ts';
import { isoTime } from './instant.ts';
import { conflictsOf } from './lifecycle.ts';
import type { Position } from './log/record.ts';
import type { Slot } from './markers/marker.ts';
import { durationOf } from './problems/producers.ts';
import type { RemarkRow } from './remarks.ts';
import type { AttemptLine, SlotState } from './slot-state.ts';
import { pastMax } from './slot-state.ts';
import type { KeyState } from './trust/trust.ts';
import type { Line, Present } from './views.ts';
import { isSuspectAt } from './views.ts';

// What was known at a moment, and what is known now of that moment: facts that arrived later and count from before,
// and what was later found about facts that had arrived.

/** A place between two records, and the time that it stands for. */
export type Moment = {
  /** What lies before it was known. */
  readonly position: Position;
  /** Milliseconds since 1970: what counts from then or before was so. */
  readonly atMs: number;
};

/** Something that a later record taught about the moment. */
export type Lesson = {
  /**
   * - `holder`: another version held the place; `late`: said later, it counts from before;
   * - `conflict`: a marker of it came again with other content; `suspect`: its key was found compromised.
   */
  readonly what: 'holder' | 'late' | 'conflict' | 'suspect';
  /** The record that taught it. */
  readonly position: Position;
  readonly deployment: string;
  readonly attempt: number;
  readonly message: string;
};

/** What held a place at a moment, as far as it is known now. */
export type HeldThen = {
  readonly version: string;
  readonly digest: string | null;
  /** Where its attempt was opened: the key of its line in `timeline`. */
  readonly position: Position;
  readonly since: number;
};

export type SlotLessons = {
  readonly slot: Slot;
  readonly held: HeldThen | null;
  readonly lessons: readonly Lesson[];
};

/** What is known now, beside the slots. */
export type KnownNow = {
  /** Deployments that stood in the slot, as they are now. */
  readonly deployments: ReadonlyMap<string, Deployment>;
  /** The line of what held it as far as is known now, as it is now. */
  readonly held: AttemptLine | undefined;
  /** Markers that were heard after the moment and count from before it. */
  readonly late: readonly RemarkRow[];
  readonly keys: readonly KeyState[];
};

/** What is known now of a slot at that moment and was not known then; undefined: nothing. */
export const slotLessons = (
  moment: Moment,
  then: SlotState | undefined,
  now: SlotState | undefined,
  presentThen: Present,
  known: KnownNow,
): SlotLessons | undefined => {
  const slot = (now ?? then)?.slot;
  if (slot === undefined) return undefined;
  const held = heldAt(now, moment.atMs);
  const stood = then === undefined ? [] : [...then.holders, ...then.beside];
  const lessons = [
    ...holderLesson(moment, then, held, known),
    ...known.late.map(lateLesson),
    ...stood.flatMap((line) => [
      ...conflictLessons(moment, line, known),
      ...suspectLessons(moment, line, presentThen, known.keys),
    ]),
  ];
  return lessons.length === 0 ? undefined : { slot, held: held ?? null, lessons: inOrder(lessons) };
};

/** Deployments that stood in a slot then, whose rows `slotLessons` asks for. */
export const deploymentsNamed = (then: SlotState | undefined): readonly string[] =>
  then === undefined
    ? []
    : [...new Set([...then.holders, ...then.beside].map(({ deployment }) => deployment))];

/** What held the slot at a time, by all that is known now. Undefined: nothing, or it is too long ago to be kept. */
export const heldAt = (now: SlotState | undefined, atMs: number): HeldThen | undefined =>
  [
    ...(now?.past ?? []),
    ...(now?.holders ?? []).map(({ version, digest, position, since }) => ({
      version: version ?? '',
      digest,
      position,
      since,
    })),
  ].findLast(({ since }) => since <= atMs);

/** Whether the slot's past was cut short before that time. */
export const isPastCut = (now: SlotState | undefined, atMs: number): boolean =>
  now !== undefined && now.past.length >= pastMax && heldAt(now, atMs) === undefined;

const holderLesson = (
  { position, atMs }: Moment,
  then: SlotState | undefined,
  held: HeldThen | undefined,
  { held: line }: KnownNow,
): readonly Lesson[] => {
  const before = then?.holders.at(-1);
  if (held === undefined || line === undefined || before?.position === held.position) return [];
  // Only a record after the moment can have taught otherwise.
  const taught = Math.max(line.statusPosition, line.plan?.position ?? 0);
  if (taught < position) return [];
  return [
    {
      what: 'holder',
      position: taught,
      deployment: line.deployment,
      attempt: line.attempt,
      message: `${held.version} held it since ${isoTime(held.since)}, ${before === undefined ? 'where nothing was known' : `not ${before.version ?? 'no version'}`} at ${isoTime(atMs)}`,
    },
  ];
};

const lateLesson = (remark: RemarkRow): Lesson => ({
  what: 'late',
  position: remark.position,
  deployment: remark.deployment,
  attempt: remark.attempt,
  message: `${remark.kind} counts from ${isoTime(remark.at)}: it waited ${durationOf(remark.waitedMs)}`,
});

const conflictLessons = (
  { position }: Moment,
  line: AttemptLine,
  { deployments }: KnownNow,
): readonly Lesson[] => {
  const deployment = deployments.get(line.deployment);
  const attempt = attemptOf(deployment, line.attempt);
  if (deployment === undefined || attempt === undefined) return [];
  return conflictsOf(deployment, attempt)
    .filter((conflict) => conflict.position >= position && conflict.first < position)
    .map((conflict) => conflictLesson(conflict, line.deployment, line.attempt));
};

const conflictLesson = (
  conflict: Deployment['conflicts'][number],
  deployment: string,
  attempt: number,
): Lesson => ({
  what: 'conflict',
  position: conflict.position,
  deployment,
  attempt,
  message: `the marker at position ${conflict.first} came again with other content`,
});

const suspectLessons = (
  { position }: Moment,
  line: AttemptLine,
  presentThen: Present,
  keys: readonly KeyState[],
): readonly Lesson[] => {
  const signed = [
    { key: line.key, position: line.statusPosition },
    ...(line.plan === null ? [] : [line.plan]),
  ];
  return keys.flatMap((key): readonly Lesson[] => {
    const { compromised } = key;
    if (compromised === null || compromised.at < position) return [];
    const suspect = signed.filter(
      (one) =>
        one.key === key.id &&
        one.position >= compromised.since &&
        !isSuspectAt(presentThen, one.key, one.position),
    );
    return suspect.length === 0
      ? []
      : [
          {
            what: 'suspect',
            position: compromised.at,
            deployment: line.deployment,
            attempt: line.attempt,
            message: `the key ${key.id} of ${key.principal}, which signed position ${suspect.map((one) => one.position).join(' and ')}, was found compromised`,
          },
        ];
  });
};

/** What is known now of a deployment at that moment and was not known then. */
export const deploymentLessons = (
  moment: Moment,
  now: Deployment,
  presentThen: Present,
  keys: readonly KeyState[],
): readonly Lesson[] =>
  inOrder(
    now.attempts.flatMap((attempt) => [
      ...attempt.entries
        .filter(({ position, at }) => position >= moment.position && at <= moment.atMs)
        .map((entry) => entryLesson(entry, now.id, attempt)),
      ...conflictsOf(now, attempt)
        .filter(({ position, first }) => position >= moment.position && first < moment.position)
        .map((conflict) => conflictLesson(conflict, now.id, attempt.number)),
      ...entrySuspects(moment, now.id, attempt, presentThen, keys),
    ]),
  );

const entryLesson = (entry: Entry, deployment: string, attempt: Attempt): Lesson => ({
  what: 'late',
  position: entry.position,
  deployment,
  attempt: attempt.number,
  message: `${entry.kind} by ${entry.principal} counts from ${isoTime(entry.at)}${entry.waitedMs > 0 ? `: it waited ${durationOf(entry.waitedMs)}` : ''}`,
});

const entrySuspects = (
  moment: Moment,
  deployment: string,
  attempt: Attempt,
  presentThen: Present,
  keys: readonly KeyState[],
): readonly Lesson[] =>
  keys.flatMap((key): readonly Lesson[] => {
    const { compromised } = key;
    if (compromised === null || compromised.at < moment.position) return [];
    const suspect = attempt.entries.filter(
      (entry) =>
        entry.key === key.id &&
        entry.position < moment.position &&
        entry.position >= compromised.since &&
        !isSuspectAt(presentThen, entry.key, entry.position),
    );
    return suspect.length === 0
      ? []
      : [
          {
            what: 'suspect',
            position: compromised.at,
            deployment,
            attempt: attempt.number,
            message: `the key ${key.id} of ${key.principal}, which signed position ${suspect.map(({ position }) => position).join(', ')}, was found compromised`,
          },
        ];
  });

const attemptOf = (deployment: Deployment | undefined, number: number): Attempt | undefined =>
  deployment?.attempts.find((attempt) => attempt.number === number);

/** By the records that taught them; the same lesson once. */
const inOrder = (lessons: readonly Lesson[]): readonly Lesson[] => [
  ...new Map(
    lessons
      .toSorted((a, b) => a.position - b.position)
      .map((lesson) => [JSON.stringify(lesson), lesson]),
  ).values(),
];

export const lessonLine = (lesson: Lesson): Line => ({ ...lesson });

/** One slot of which more is known now, as a line of `current --at`. */
export const slotLessonsLine = ({ slot, held, lessons }: SlotLessons): Line => ({
  known: 'now',
  namespace: slot.namespace,
  environment: slot.environment,
  component: slot.component,
  target: slot.target,
  held: held === null ? null : { ...held, since: isoTime(held.since) },
  learned: lessons.map(lessonLine),
});
