import type { Deployment } from '../../core/deployment.ts';
import { isoTime } from '../../core/instant.ts';
import type { Position } from '../../core/log/record.ts';
import { slotKey } from '../../core/markers/slot.ts';
import type { Moment, SlotLessons } from '../../core/point-in-time.ts';
import {
  deploymentLessons,
  deploymentsNamed,
  heldAt,
  isPastCut,
  lessonLine,
  slotLessons,
  slotLessonsLine,
} from '../../core/point-in-time.ts';
import { placeName } from '../../core/problems/problem.ts';
import { positionKey } from '../../core/read-models.ts';
import type { RemarkRow } from '../../core/remarks.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { AttemptLine, SlotState } from '../../core/slot-state.ts';
import type { Line } from '../../core/views.ts';
import { deploymentView, presentOf, timelineLine } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import { plainText, shortTime } from '../terminal/display.ts';
import { readCount } from '../terminal/duration.ts';
import { listText } from './list-text.ts';
import { newestMaxMost } from './lists.ts';
import { onlyAtHand } from './open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import { positionAt } from './position-at.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, readFailed, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { findDeployment, matches, readAtHand } from './reader-at-hand.ts';
import type { Filter } from './reader.ts';
import { readRows, scanRows } from './reading.ts';
import { showText } from './show-text.ts';
import { utcMsOf } from '../../core/utc-time.ts';

// What was known then, and what is known now of then.

/** Read models as they were, beside those of now. */
type Past = { readonly moment: Moment; readonly before: AtHand; readonly now: AtHand };

/** Does the work with what was known then, which is folded for it and let go of. */
const withPast = async (
  ports: CliPorts,
  name: string,
  written: string,
  work: (past: Past) => Promise<Result<void, CliProblem>>,
): Promise<Result<void, CliProblem>> => {
  const past = await openPast(ports, name, written);
  if (!past.ok) return past;
  try {
    return await work(past.value);
  } finally {
    await past.value.before.store.close();
  }
};

const openPast = async (
  ports: CliPorts,
  name: string,
  written: string,
): Promise<Result<Past, CliProblem>> => {
  const opened = await openMoment(ports, name, '--at', written);
  if (!opened.ok) return opened;
  const { position, timeMs, now } = opened.value;
  const before = await ports.atHandBefore(
    position,
    openProgress(ports, `folding what lies before position ${position}`),
  );
  if (!before.ok) return before;
  // A position stands for the time that the log had reached there.
  const atMs = timeMs ?? before.value.state.logTimeMs;
  return ok({ moment: { position, atMs }, before: before.value, now });
};

const openMoment = async (
  ports: CliPorts,
  name: string,
  option: '--at' | '--around',
  written: string,
): Promise<
  Result<
    { readonly position: Position; readonly timeMs: number | null; readonly now: AtHand },
    CliProblem
  >
> => {
  const away = onlyAtHand(ports, `${name} ${option}`);
  if (away !== undefined) return away;
  const log = await ports.log();
  if (!log.ok) return log;
  const position = await positionAt(log.value, written, option);
  if (!position.ok) return position;
  if (position.value === 0)
    return refuse(
      'option-invalid',
      `${option}=${JSON.stringify(written.slice(0, 64))} is before the first record: nothing was known`,
      'plimsoll timeline shows what lies on the log',
    );
  const now = await ports.atHand(openProgress(ports, 'folding what is new'));
  if (!now.ok) return now;
  return ok({ position: position.value, timeMs: utcMsOf(written), now: now.value });
};

const presentThen = ({ moment, before }: Past): ReturnType<typeof presentOf> =>
  presentOf(moment.atMs, [...before.state.trust.keys.values()]);

const filterOf = (given: Given): Filter => ({
  environment: given.value('environment-name'),
  component: given.value('component-name'),
  namespace: given.value('namespace'),
  target: given.value('target'),
});

/** `current --at`: what held each place by what was known then; and where more is known now, what it is. */
export const runCurrentAt = async (
  ports: CliPorts,
  given: Given,
  written: string,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  return withPast(ports, 'current', written, (past) =>
    tellCurrent(ports, past, filterOf(given), isJson),
  );
};

const tellCurrent = async (
  ports: CliPorts,
  past: Past,
  filter: Filter,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const { moment, before } = past;
  const lines = await readAtHand(before, moment.atMs).list('current', { filter });
  if (!lines.ok) return lines;
  const learned = await lessonsOf(past, filter);
  if (!learned.ok) return learned;
  const { lessons, isCut } = learned.value;
  if (isCut)
    ports.note({
      code: 'past-cut',
      message: 'some places held more versions since than their rows keep',
      hint: 'what is known now of these is told without what held them',
    });
  if (isJson) {
    printLines(ports.terminal, [
      ...lines.value.map((line) => ({ known: 'then', ...line })),
      ...lessons.map(slotLessonsLine),
    ]);
    return ok(undefined);
  }
  sayThen(ports, moment);
  if (lines.value.length === 0)
    ports.note({ code: 'empty', message: 'nothing was known to run here', hint: '' });
  else printText(ports.terminal, listText('current', lines.value, ports.terminal));
  sayNow(ports, lessons.flatMap(lessonText));
  return ok(undefined);
};

const sayThen = ({ terminal }: CliPorts, { position, atMs }: Moment): void =>
  printText(terminal, [
    `what was known before position ${position}, at ${shortTime(isoTime(atMs))}`,
    '',
  ]);

const sayNow = ({ terminal }: CliPorts, lines: readonly string[]): void =>
  printText(terminal, [
    '',
    lines.length === 0 ? 'nothing else is known now of then' : 'what is known now of then',
    ...(lines.length === 0 ? [] : ['']),
    ...lines.map(plainText),
  ]);

const lessonText = ({ slot, lessons }: SlotLessons): readonly string[] => [
  placeName(slot),
  ...lessons.map(
    ({ what, position, message, deployment }) =>
      `  ${what}: ${message} (position ${position}, deployment ${deployment})`,
  ),
];

const lessonsOf = async (
  past: Past,
  filter: Filter,
): Promise<
  Result<{ readonly lessons: readonly SlotLessons[]; readonly isCut: boolean }, CliProblem>
> => {
  const { moment, before, now } = past;
  const earlier = await slotsOf(before, filter);
  if (!earlier.ok) return earlier;
  const after = await slotsOf(now, filter);
  if (!after.ok) return after;
  const remarks = await scanRows<RemarkRow>(now, 'remark', {
    range: { after: positionKey(moment.position - 1) },
    isWanted: ({ at, slot }) => at <= moment.atMs && slot !== null && matches(slot, filter),
  });
  if (!remarks.ok) return remarks;
  const late = Map.groupBy(remarks.value, ({ slot }) => (slot === null ? '' : slotKey(slot)));
  const keys = [...now.state.trust.keys.values()];
  const lessons: SlotLessons[] = [];
  let isCut = false;
  for (const key of new Set([...earlier.value.keys(), ...after.value.keys()])) {
    const [stood, stands] = [earlier.value.get(key), after.value.get(key)];
    isCut ||= isPastCut(stands, moment.atMs);
    const held = heldAt(stands, moment.atMs);
    const rows = await readRows(now, [
      ...deploymentsNamed(stood).map((id) => ({ model: 'deployment', key: id })),
      ...(held === undefined ? [] : [{ model: 'timeline', key: positionKey(held.position) }]),
    ]);
    if (!rows.ok) return rows;
    const deployments = deploymentsNamed(stood).flatMap((id) => {
      const row = rows.value.get('deployment', id) as Deployment | undefined;
      return row === undefined ? [] : [[id, row] as const];
    });
    const learned = slotLessons(moment, stood, stands, presentThen(past), {
      deployments: new Map(deployments),
      held:
        held === undefined
          ? undefined
          : (rows.value.get('timeline', positionKey(held.position)) as AttemptLine | undefined),
      late: late.get(key) ?? [],
      keys,
    });
    if (learned !== undefined) lessons.push(learned);
  }
  return ok({ lessons, isCut });
};

const slotsOf = async (
  atHand: AtHand,
  filter: Filter,
): Promise<Result<ReadonlyMap<string, SlotState>, CliProblem>> => {
  const slots = await scanRows<SlotState>(atHand, 'slot', {
    isWanted: ({ slot }) => matches(slot, filter),
  });
  return slots.ok ? ok(new Map(slots.value.map((state) => [slotKey(state.slot), state]))) : slots;
};

/** `show --at`: a deployment as it was known then, and what is known now of it at that moment. */
export const runShowAt = async (
  ports: CliPorts,
  id: string,
  written: string,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  return withPast(ports, 'show', written, (past) => tellDeployment(ports, past, id, isJson));
};

const tellDeployment = async (
  ports: CliPorts,
  past: Past,
  id: string,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const { moment, before, now } = past;
  const today = await findDeployment(now, id);
  if (!today.ok) return today;
  const known = await findDeployment(before, today.value.id);
  if (!known.ok && known.problem.code !== 'not-found') return known;
  const learned = deploymentLessons(moment, today.value, presentThen(past), [
    ...now.state.trust.keys.values(),
  ]);
  if (!known.ok && learned.length === 0)
    return fail(
      problem(
        'not-found',
        `the deployment ${today.value.id} was not known before position ${moment.position}`,
        `it was first heard of at position ${today.value.attempts[0]?.openedAt ?? 'unknown'}`,
      ),
    );
  const view = known.ok ? deploymentView(known.value, presentThen(past)) : null;
  if (isJson) {
    printLines(ports.terminal, [
      {
        at: { position: moment.position, time: isoTime(moment.atMs) },
        knownThen: view,
        knownNow: { deployment: today.value.id, learned: learned.map(lessonLine) },
      },
    ]);
    return ok(undefined);
  }
  sayThen(ports, moment);
  printText(
    ports.terminal,
    view === null ? ['nothing was known of it'] : showText(view, ports.terminal.columns),
  );
  sayNow(
    ports,
    learned.map(
      ({ what, message, position, attempt }) =>
        `attempt ${attempt}: ${what}: ${message} (position ${position})`,
    ),
  );
  return ok(undefined);
};

const aroundDefault = 10;

/** `timeline --around`: attempts before and after a moment, told by when each was first heard of. */
export const runTimelineAround = async (
  ports: CliPorts,
  given: Given,
  written: string,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const limit = given.value('limit');
  const most = limit === null ? ok(aroundDefault) : readCount('limit', limit, newestMaxMost);
  if (!most.ok) return most;
  const opened = await openMoment(ports, 'timeline', '--around', written);
  if (!opened.ok) return opened;
  const { position, now } = opened.value;
  const filter = filterOf(given);
  const rows = async (newestFirst: boolean): Promise<Result<readonly AttemptLine[], CliProblem>> =>
    scanRows<AttemptLine>(now, 'timeline', {
      range: { newestFirst, after: positionKey(newestFirst ? position : position - 1) },
      isWanted: (line) => matches(line, filter),
      wantedMax: most.value,
    });
  const before = await rows(true);
  if (!before.ok) return before;
  const after = await rows(false);
  if (!after.ok) return after;
  const last = await timeBefore(now, position);
  if (!last.ok) return last;
  const atMs = opened.value.timeMs ?? last.value;
  const present = presentOf(ports.clock.nowMs(), [...now.state.trust.keys.values()]);
  const told = (line: AttemptLine, heardAfter: boolean): Line => ({
    ...timelineLine(line, present),
    heardAfter,
    countsBefore: (line.startedAt ?? line.endedAt ?? line.heardAt) <= atMs,
  });
  const earlier = before.value.toReversed().map((line) => told(line, false));
  const later = after.value.map((line) => told(line, true));
  if (isJson) {
    printLines(ports.terminal, [...earlier, ...later]);
    return ok(undefined);
  }
  const shown = listText('around', [...earlier, ...later], ports.terminal);
  const [heading = '', ...rest] = shown;
  printText(ports.terminal, [
    ...(earlier.length + later.length === 0 ? [] : [heading]),
    ...rest.slice(0, earlier.length),
    `-- position ${position}, ${shortTime(isoTime(atMs))} --`,
    ...rest.slice(earlier.length),
  ]);
  return ok(undefined);
};

/** When the record before a position was appended, milliseconds since 1970. */
const timeBefore = async (
  { log }: AtHand,
  position: Position,
): Promise<Result<number, CliProblem>> => {
  const read = await log.read(0, position - 1, 1);
  return read.ok ? ok(read.value[0]?.appendedAtMs ?? 0) : fail(readFailed(read.problem));
};
