import type { Emitted } from '../release/emit.ts';
import { nameMax } from '../../core/markers/limits.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import { anew } from '../release/deployment-of.ts';
import { emit } from '../release/emit.ts';
import { readPlace } from '../release/place.ts';
import type { CliPorts, Terminal } from '../ports.ts';
import type { ProgramEnd } from '../../ports/programs.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';
import { jsonText } from '../terminal/display.ts';
import type { Note } from '../terminal/note.ts';
import { printNote, printProblem } from '../terminal/output.ts';
import { endSaid } from './program-end.ts';

const notRun = 'not run: its plan was not on the log in time';

type Word = 'release plan' | 'release update';

/**
 * Runs the program of `given` between a plan and its end. What we have to tell never delays it nor changes its exit
 * code, and is told when it has ended. With `--strict` it runs only once the plan is on the log. Answers the exit code.
 */
export const runProgram = async (ports: CliPorts, given: Given): Promise<number> => {
  const [program = '', ...words] = given.program;
  const story = tellStory(ports, given);
  const heldNotes = ports.holdNotes();
  if (given.has('strict')) {
    const planned = await story.plan();
    if (planned !== undefined) {
      // It may only have been kept, and then it arrives later.
      await story.end('CANCELED', notRun, notRun, ports.clock.nowMs());
      story.print('', heldNotes());
      return planned.exit;
    }
  }
  const startedAt = ports.clock.nowMs();
  const ending = ports.wrapProgram([program, ...words], { keepsTail: !given.has('no-tail') });
  if (!given.has('strict')) void story.plan(startedAt);
  void story.say('RUNNING', null, startedAt);
  const ended = await ending;
  const endedAt = ports.clock.nowMs();
  if (ended.problem !== null) ports.terminal.err(`plimsoll: ${ended.problem}\n`);
  const { status, reason, reasonInFull } = endSaid(ended);
  const told = await story.end(status, reasonInFull, reason, endedAt);
  const notes = status === 'FAILED' ? [...heldNotes(), ...tailNotes(ended)] : heldNotes();
  story.print(ended.tail, notes);
  return ended.exit === 0 && given.has('strict') && told !== undefined ? told.exit : ended.exit;
};

const tailNotes = ({ tailMissing }: ProgramEnd): readonly Note[] =>
  tailMissing === null
    ? []
    : [
        {
          code: 'tail-missing',
          message: `the reason holds no lines of its stderr: ${tailMissing}`,
          hint: '',
        },
      ];

/** Markers say when something was; that they wait for each other, or are slow to be made, is no later. */
type Story = {
  /** The problem is why it is not on the log. */
  readonly plan: (at?: number) => Promise<CliProblem | undefined>;
  readonly say: (status: string, reason: string | null, at: number) => Promise<Emitted | undefined>;
  /** The same with another reason where the first cannot be told. */
  readonly end: (
    status: string,
    reason: string | null,
    shortReason: string | null,
    at: number,
  ) => Promise<CliProblem | undefined>;
  /** What there is to say of it, behind what the program wrote last. */
  readonly print: (tail: string, notes: readonly Note[]) => void;
};

/** Markers one after the other, each behind the one before it. */
const tellStory = (ports: CliPorts, given: Given): Story => {
  // Nothing of ours stands between what the program writes.
  const lines: string[] = [];
  const terminal: Terminal = { ...ports.terminal, err: (text) => void lines.push(text) };
  const isJson = given.has('json');
  let isTelemetryAway = false;
  const noteOnce = (said: Note): void => {
    // Of three markers alike; one line is enough.
    if (said.code === 'telemetry-not-sent' && isTelemetryAway) return;
    isTelemetryAway ||= said.code === 'telemetry-not-sent';
    printNote(terminal, isJson, said);
  };
  const quiet = { ...ports, terminal, note: noteOnce };
  const emitted: Emitted[] = [];
  const telling: Promise<void>[] = [];
  let { words } = given;
  let deployment: string | undefined;
  let isRefused = false;
  let isLate = false;
  let last: Promise<unknown> = Promise.resolve();

  const next = (
    word: Word,
    said: () => Promise<Given>,
    at: number | undefined,
  ): Promise<Emitted | undefined> => {
    const saying = last.then(async () => {
      if (isRefused) return undefined;
      const told = await emitSafely(quiet, word, await said(), at);
      emitted.push(told);
      // A receiver that hangs holds up no marker behind this one.
      if (told.telemetry !== undefined) telling.push(told.telemetry);
      // Without its plan, or with another's, nothing more can be told of it.
      if (word === 'release plan')
        isRefused = told.receipt === undefined || told.receipt.delivery === 'refused';
      deployment ??= told.marker?.deployment ?? undefined;
      // What nobody took in its time is tried by another process: nobody waits for it a second time.
      isLate ||= told.receipt?.delivery === 'spooled' && !given.has('strict');
      return told;
    });
    last = saying;
    return saying;
  };

  const say: Story['say'] = (status, reason, at) =>
    next(
      'release update',
      async () =>
        overlaid(given, words, (name) => ofUpdate.has(name), {
          status,
          'failure-reason': reason,
          deployment: deployment ?? given.value('deployment'),
          async: isLate ? '' : given.value('async'),
        }),
      at,
    );

  const asNamed = async (): Promise<Given> => {
    const named = await placeName(ports, given);
    words = named === null ? given.words : [named];
    return overlaid(given, words, () => true, { [anew]: '' });
  };

  return {
    say,
    plan: async (at) => (await next('release plan', asNamed, at))?.problem,
    end: async (status, reason, shortReason, at) => {
      let told = await say(status, reason, at);
      if (told?.problem?.exit === 2 && reason !== shortReason) {
        emitted.pop();
        told = await say(status, shortReason, at);
      }
      await Promise.all(telling);
      return told?.problem;
    },
    print: (tail, notes) => {
      for (const note of notes) printNote(terminal, isJson, note);
      for (const { receipt, problem: cause } of emitted) {
        if (isJson && receipt !== undefined) terminal.err(`${jsonText(receipt)}\n`);
        if (cause !== undefined) printProblem(terminal, isJson, cause);
      }
      const isCutOff = tail !== '' && !tail.endsWith('\n');
      if (lines.length > 0) ports.terminal.err(`${isCutOff ? '\n' : ''}${lines.join('')}`);
    },
  };
};

/**
 * What a deployment is called that nobody has named: its place, such as `production/checkout`, so that several in one CI
 * run are several. Null: it has a name, or no place that makes one.
 */
const placeName = async (ports: CliPorts, given: Given): Promise<string | null> => {
  if (given.words.length > 0) return null;
  const place = await readPlace(given, ciJob(ports.env), ports.repositoryAddress);
  if (!place.ok) return null;
  const { namespace, environment, component, target } = place.value;
  const parts = [namespace === 'default' ? null : namespace, environment, component, target];
  const name = parts.filter((part) => part !== null).join('/');
  return name.length <= nameMax ? name : null;
};

/** Whatever goes wrong with us must not end the program. */
const emitSafely = async (
  ports: CliPorts,
  word: Word,
  given: Given,
  at: number | undefined,
): Promise<Emitted> => {
  try {
    return await emit(oneOf(ports), word, given, at);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const told = problem('internal', why, 'this is a fault of Plimsoll; please report it');
    return { receipt: undefined, marker: undefined, problem: told };
  }
};

/** What an update takes of the words: how it is sent. All else is the plan's. */
const ofUpdate: ReadonlySet<string> = new Set(['key', 'source', 'timeout', 'strict', 'redact']);

/** Each marker has a deadline of its own: the program may have run for hours. */
const oneOf = (ports: CliPorts): CliPorts => {
  const begunMs = ports.sinceStartMs();
  return { ...ports, sinceStartMs: () => ports.sinceStartMs() - begunMs };
};

/** Some of the words, and others laid over them; null takes one away. */
const overlaid = (
  given: Given,
  words: readonly string[],
  keeps: (name: string) => boolean,
  over: { readonly [name: string]: string | null },
): Given => {
  const valueOf = (name: string): string | null | undefined =>
    Object.hasOwn(over, name) ? over[name] : undefined;
  return {
    words,
    program: [],
    value: (name) =>
      valueOf(name) ?? (keeps(name) && !Object.hasOwn(over, name) ? given.value(name) : null),
    values: (name) => (keeps(name) && !Object.hasOwn(over, name) ? given.values(name) : []),
    has: (name) =>
      Object.hasOwn(over, name) ? over[name] !== null : keeps(name) && given.has(name),
  };
};
