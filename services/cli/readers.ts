import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { Given } from './arguments.ts';
import type { ReaderCommand } from './commands/readers.ts';
import { decisionLine } from './list-text.ts';
import { lists, newestShownMax, readChoice, runList } from './lists.ts';
import { openReader } from './open-reader.ts';
import { printLines, printText } from './output.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';
import { runCurrentAt, runShowAt, runTimelineAround } from './point-in-time.ts';
import type { Choice } from './reader.ts';
import { showText } from './show-text.ts';

/** Commands that show rows of the read models. */
export const runReaders = async (
  ports: CliPorts,
  name: ReaderCommand | 'keys list',
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  switch (name) {
    case 'current':
    case 'timeline': {
      const written = given.value(name === 'current' ? 'at' : 'around');
      if (written === null) return runList(ports, lists[name], given, isJson);
      const runPast = name === 'current' ? runCurrentAt : runTimelineAround;
      return runPast(ports, given, written, isJson);
    }
    case 'operations':
    case 'environments':
    case 'components':
    case 'keys list':
      return runList(ports, lists[name], given, isJson);
    case 'decisions':
      return given.has('follow')
        ? followDecisions(ports, given, isJson)
        : runList(ports, lists[name], given, isJson);
    case 'show':
      return runShow(ports, given, isJson);
  }
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
