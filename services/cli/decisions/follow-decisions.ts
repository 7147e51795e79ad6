import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import { decisionLine } from '../reading/list-text.ts';
import { lists, newestShownMax, readChoice } from '../reading/lists.ts';
import { openReader } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import type { Choice } from '../reading/reader.ts';

const followEveryMs = 1000;
const followLinesMax = 1000;

/** The newest decisions, then each new one, until the operator asks to stop. */
export const followDecisions = async (
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
