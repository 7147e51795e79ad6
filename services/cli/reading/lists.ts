import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import { readCount } from '../terminal/duration.ts';
import type { Listing } from './list-text.ts';
import { listText } from './list-text.ts';
import { openReader } from './open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import type { Choice, Filter, ListName } from './reader.ts';

// Lists: asked of a gateway or of the log at hand, printed for people or for programs.

export type ListPlan = {
  readonly list: ListName;
  readonly text: Listing;
  /** What is said where there is nothing. */
  readonly empty: string;
};

export const lists: {
  readonly [
    Name in
      | 'current'
      | 'timeline'
      | 'decisions'
      | 'changes'
      | 'operations'
      | 'environments'
      | 'components'
      | 'keys list'
  ]: ListPlan;
} = {
  current: { list: 'current', text: 'current', empty: 'nothing is known to run here' },
  timeline: { list: 'timeline', text: 'timeline', empty: 'no deployments' },
  decisions: { list: 'decisions', text: 'decisions', empty: 'no decisions' },
  changes: { list: 'changes', text: 'changes', empty: 'nothing was said beside deployments' },
  operations: { list: 'operations', text: 'operations', empty: 'no operations' },
  environments: { list: 'environments', text: 'environments', empty: 'no environments' },
  components: { list: 'components', text: 'components', empty: 'no components' },
  'keys list': { list: 'keys', text: 'keys', empty: 'no keys' },
};

/** What people are shown of a long list unless they ask for more; programs get all of it. */
export const newestShownMax = 50;
/** The most that `--limit` may ask for. */
export const newestMaxMost = 100_000;

export const runList = async (
  ports: CliPorts,
  plan: ListPlan,
  given: Given,
  isJson: boolean,
  isWanted?: (line: Line) => boolean,
): Promise<Result<void, CliProblem>> => {
  const read = readChoice(plan, given);
  if (!read.ok) return read;
  const choice = isWanted === undefined ? read.value : { ...read.value, isWanted };
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const isCut = !isJson && isLong(plan) && choice.newestMax === undefined;
  // One more than is shown tells whether there are more.
  const asked = isCut ? { ...choice, newestMax: newestShownMax + 1 } : choice;
  const lines = await reader.value.list(plan.list, asked);
  if (!lines.ok) return lines;
  if (isJson) {
    printLines(ports.terminal, lines.value);
    return ok(undefined);
  }
  const shown = isCut ? lines.value.slice(-newestShownMax) : lines.value;
  if (shown.length === 0) ports.note({ code: 'empty', message: plan.empty, hint: '' });
  else printText(ports.terminal, listText(plan.text, shown, ports.terminal));
  if (shown.length < lines.value.length)
    ports.note({
      code: 'more',
      message: `only the newest ${newestShownMax} are shown`,
      hint: '--limit=COUNT shows more',
    });
  return ok(undefined);
};

/** Lists that grow with the log. */
const isLong = ({ list }: ListPlan): boolean =>
  list === 'timeline' ||
  list === 'decisions' ||
  list === 'dead-letters' ||
  list === 'changes' ||
  list === 'operations' ||
  list === 'policies';

export const readChoice = ({ list }: ListPlan, given: Given): Result<Choice, CliProblem> => {
  const filter: Filter = {
    environment: given.value('environment-name'),
    component: given.value('component-name'),
    namespace: given.value('namespace'),
    target: given.value('target'),
  };
  switch (list) {
    case 'current':
      return ok({ filter });
    case 'timeline':
    case 'decisions':
    case 'dead-letters':
    case 'policies':
    case 'changes':
    case 'operations': {
      const limit = given.value('limit');
      if (limit === null) return ok({ filter });
      const newestMax = readCount('limit', limit, newestMaxMost);
      return newestMax.ok ? ok({ filter, newestMax: newestMax.value }) : newestMax;
    }
    case 'environments':
    case 'components':
    case 'retention':
    case 'keys':
      return ok({});
  }
};
