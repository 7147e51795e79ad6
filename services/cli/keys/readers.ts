import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import type { ReaderCommand } from '../commands/readers.ts';
import { deploymentFound } from '../reading/deployment-found.ts';
import { isOpenLine } from '../../core/noted-view.ts';
import { listText } from '../reading/list-text.ts';
import { lists, runList } from '../reading/lists.ts';
import type { Filter } from '../reading/reader.ts';
import { supportedReleases } from '../reading/releases.ts';
import { openReader } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { runCurrentAt, runShowAt, runTimelineAround } from '../reading/point-in-time.ts';
import { lacksOf } from '../reading/show-lacks.ts';
import { showText } from '../reading/show-text.ts';

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
    case 'changes':
      return given.has('open')
        ? runList(ports, lists.changes, given, isJson, isOpenLine)
        : runList(ports, lists.changes, given, isJson);
    case 'releases':
      return runReleases(ports, given, isJson);
    case 'operations':
    case 'environments':
    case 'components':
    case 'keys list':
      return runList(ports, lists[name], given, isJson);
    case 'show':
      return runShow(ports, given, isJson);
  }
};

const runReleases = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const releases = await supportedReleases(reader.value, { filter: filterOf(given) });
  if (!releases.ok) return releases;
  if (isJson) printLines(ports.terminal, releases.value);
  else if (releases.value.length > 0)
    printText(ports.terminal, listText('current', releases.value, ports.terminal));
  else ports.note({ code: 'empty', message: 'no release is supported', hint: '' });
  return ok(undefined);
};

const filterOf = (given: Given): Filter => ({
  environment: given.value('environment-name'),
  component: given.value('component-name'),
  namespace: given.value('namespace'),
  target: null,
});

const runShow = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const reader = await openReader(ports);
  if (!reader.ok) return reader;
  const named = await deploymentFound(ports, reader.value, given, given.words[0] ?? '');
  if (!named.ok) return named;
  const id = named.value;
  const at = given.value('at');
  if (at !== null) return runShowAt(ports, id, at, isJson);
  const view = await reader.value.show(id);
  if (!view.ok) return view;
  if (isJson) printLines(ports.terminal, [view.value]);
  else printText(ports.terminal, showText(view.value, ports.terminal.columns));
  const lacks = await lacksOf(reader.value, view.value);
  if (!lacks.ok) return lacks;
  for (const message of lacks.value) ports.note({ code: 'fields-required', message, hint: '' });
  return ok(undefined);
};
