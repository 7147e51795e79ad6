import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { runArchive } from './archive.ts';
import type { Given } from './arguments.ts';
import type { CommandName } from './commands.ts';
import { runDeadLetters } from './dead-letters.ts';
import type { EmittingCommand } from './draft.ts';
import { emit } from './emit.ts';
import { receiptSentence } from './emit-text.ts';
import { runInstances } from './instances.ts';
import { markCompromised, retireKey, trustKey } from './key-changes.ts';
import { newKey } from './key-new.ts';
import { decisionLine } from './list-text.ts';
import { lists, newestShownMax, readChoice, runList } from './lists.ts';
import { onlyAtHand, openReader } from './open-reader.ts';
import { printLines, printProblem, printText } from './output.ts';
import type { CliPorts, ServiceName } from './ports.ts';
import type { CliProblem, ExitCode } from './problem.ts';
import { refuse } from './problem.ts';
import { runCurrentAt, runShowAt, runTimelineAround } from './point-in-time.ts';
import { runProblems } from './problems.ts';
import type { Choice } from './reader.ts';
import { runReplays } from './replay.ts';
import { runRetention } from './retention.ts';
import { runServices } from './run-services.ts';
import { showText } from './show-text.ts';
import { runVerifyModels } from './verify-models.ts';

/** Runs one command to its end and answers its exit code. What it has to say is printed. */
export const run = async (ports: CliPorts, name: CommandName, given: Given): Promise<ExitCode> => {
  const isJson = given.has('json');
  const end = (outcome: Result<void, CliProblem>): ExitCode => {
    if (outcome.ok) return 0;
    printProblem(ports.terminal, isJson, outcome.problem);
    return outcome.problem.exit;
  };
  switch (name) {
    case 'release plan':
    case 'release update':
    case 'release log':
      return runEmitting(ports, name, given, isJson);
    case 'instance start':
      return runInstances(ports, name, given, isJson);
    case 'current':
    case 'timeline': {
      const written = given.value(name === 'current' ? 'at' : 'around');
      if (written === null) return end(await runList(ports, lists[name], given, isJson));
      const runPast = name === 'current' ? runCurrentAt : runTimelineAround;
      return end(await runPast(ports, given, written, isJson));
    }
    case 'operations':
    case 'environments':
    case 'components':
    case 'keys list':
      return end(await runList(ports, lists[name], given, isJson));
    case 'decisions':
      return end(
        given.has('follow')
          ? await followDecisions(ports, given, isJson)
          : await runList(ports, lists[name], given, isJson),
      );
    case 'show':
      return end(await runShow(ports, given, isJson));
    case 'dead-letters list':
    case 'dead-letters show':
    case 'dead-letters redrive':
    case 'dead-letters discard':
      return end(await runDeadLetters(ports, name, given, isJson));
    case 'retention set':
    case 'retention list':
    case 'retention plan':
    case 'retention apply':
      return end(await runRetention(ports, name, given, isJson));
    case 'problems':
      return runProblems(ports, given, isJson);
    case 'verify-models':
      return end(await runVerifyModels(ports, given, isJson));
    case 'keys new':
      return end(await printed(ports, isJson, newKey(ports, given), keyMadeText));
    case 'keys trust':
    case 'keys retire':
    case 'keys compromised':
      return end(
        onlyAtHand(ports, name) ??
          (await printed(ports, isJson, keyChanges[name](ports, given), keyChangedText)),
      );
    case 'archive':
    case 'archive verify':
    case 'export':
    case 'migrate':
      return end(await runArchive(ports, name, given, isJson));
    case 'replay plan':
    case 'replay run':
    case 'replay pause':
    case 'replay status':
    case 'replay diff':
    case 'replay switch':
    case 'replay back':
    case 'replay drop':
    case 'rebuild':
      return end(await runReplays(ports, name, given, isJson));
    case 'up':
      return end(await serve(ports, ['projector', 'analyser', 'gateway'], isJson));
    case 'gateway':
    case 'projector':
    case 'analyser':
      return end(await serve(ports, [name], isJson));
  }
};

const keyChanges = {
  'keys trust': trustKey,
  'keys retire': retireKey,
  'keys compromised': markCompromised,
};

const serve = async (
  ports: CliPorts,
  names: readonly ServiceName[],
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const cause = await runServices(ports, names, (told) =>
    isJson ? printLines(ports.terminal, [told]) : printText(ports.terminal, [told.message]),
  );
  return cause === undefined ? ok(undefined) : fail(cause);
};

const runEmitting = async (
  ports: CliPorts,
  name: EmittingCommand,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  const { receipt, marker, problem } = await emit(ports, name, given);
  if (receipt !== undefined && (isJson || problem === undefined)) {
    if (isJson) printLines(ports.terminal, [receipt]);
    else if (marker !== undefined) printText(ports.terminal, [receiptSentence(receipt, marker)]);
  }
  if (problem === undefined) return 0;
  printProblem(ports.terminal, isJson, problem);
  return given.has('no-fail') ? 0 : problem.exit;
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const runShow = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const id = (given.words[0] ?? '').toLowerCase();
  if (!uuid.test(id))
    return refuse(
      'word-invalid',
      `${JSON.stringify(id.slice(0, 64))} is no id of a deployment or marker`,
      'it is a UUID; plimsoll timeline shows those of deployments',
    );
  const at = given.value('at');
  if (at !== null) return runShowAt(ports, id, at, isJson);
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const view = await reader.value.show(id);
  if (!view.ok) return view;
  if (isJson) printLines(ports.terminal, [view.value]);
  else printText(ports.terminal, showText(view.value));
  return ok(undefined);
};

const followEveryMs = 1000;
const followLinesMax = 1000;

/** The newest decisions, then each new one, until the operator asks to stop. */
const followDecisions = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const first = readChoice(lists.decisions, given);
  if (!first.ok) return first;
  let choice: Choice = { newestMax: newestShownMax, ...first.value };
  let isFirst = true;
  let isAway = false;
  while (!ports.stop.aborted) {
    const reader = await openReader(ports);
    const news = reader.ok ? await reader.value.list('decisions', choice) : reader;
    if (!news.ok) {
      // Whoever follows for days outlives a restart of what it asks.
      if (isFirst || news.problem.exit !== 6) return news;
      if (!isAway) ports.note(news.problem);
      isAway = true;
      await ports.clock.sleep(followEveryMs, ports.stop);
      continue;
    }
    isAway = false;
    if (isJson) printLines(ports.terminal, news.value);
    else {
      if (isFirst && news.value.length === 0)
        ports.note({ code: 'empty', message: `${lists.decisions.empty} yet`, hint: '' });
      printText(
        ports.terminal,
        news.value.map((line) => decisionLine(line, ports.terminal)),
      );
    }
    isFirst = false;
    const last = news.value.at(-1)?.['position'];
    const after = typeof last === 'number' ? last : (choice.after ?? 0);
    choice = { after, newestMax: followLinesMax };
    await ports.clock.sleep(followEveryMs, ports.stop);
  }
  return ok(undefined);
};

const printed = async <Value extends object>(
  ports: CliPorts,
  isJson: boolean,
  work: Promise<Result<Value, CliProblem>>,
  textOf: (value: Value) => readonly string[],
): Promise<Result<void, CliProblem>> => {
  const done = await work;
  if (!done.ok) return done;
  if (isJson) printLines(ports.terminal, [done.value]);
  else printText(ports.terminal, textOf(done.value));
  return ok(undefined);
};

const keyMadeText = (made: {
  readonly key: string;
  readonly principal: string;
  readonly file: string;
  readonly publicFile: string;
}): readonly string[] => [
  `key ${made.key} of ${made.principal}: ${made.file} (keep it secret)`,
  `an administrator trusts it with: plimsoll keys trust ${made.publicFile} --role=emitter --environment=NAME --component=NAME`,
];

const keyChangedText = (changed: {
  readonly key: string;
  readonly principal: string;
  readonly kind: string;
  readonly delivery: string;
  readonly position: number;
}): readonly string[] => [
  changed.delivery === 'duplicate'
    ? `already so: ${changed.kind} for ${changed.key} of ${changed.principal} (position ${changed.position})`
    : `${changed.kind}: ${changed.key} of ${changed.principal} (position ${changed.position}; it counts from the next one on)`,
];
