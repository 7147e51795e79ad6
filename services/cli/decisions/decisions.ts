import type { Given } from '../terminal/arguments.ts';
import type { DecisionCommand } from '../commands/decisions.ts';
import { runExec } from './exec-decisions.ts';
import { followDecisions } from './follow-decisions.ts';
import { runGate } from './gate.ts';
import { runGuard } from './guard.ts';
import { runLastGood } from './last-good.ts';
import { lists, runList } from '../reading/lists.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printProblem } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem, ExitCode } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Result } from '../../core/result.ts';

/** Commands about decisions: to see them, to wait for one, to act on them, and to say which may be acted on. */
export const runDecisions = async (
  ports: CliPorts,
  name: DecisionCommand,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  if (name === 'gate') return runGate(ports, given, isJson);
  const outcome = await runOther(ports, name, given, isJson);
  if (outcome.ok) return 0;
  printProblem(ports.terminal, isJson, outcome.problem);
  return outcome.problem.exit;
};

const runOther = async (
  ports: CliPorts,
  name: Exclude<DecisionCommand, 'gate'>,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  switch (name) {
    case 'decisions':
      if (given.has('exec')) return runExec(ports, given, isJson);
      if (given.has('shell') || given.has('once') || given.has('checkpoint'))
        return refuse(
          'option-missing',
          '--shell, --once and --checkpoint are about what --exec runs',
          'for instance: plimsoll decisions --follow --exec=./obey.sh',
        );
      return given.has('follow')
        ? followDecisions(ports, given, isJson)
        : runList(ports, lists.decisions, given, isJson);
    case 'decisions stop':
    case 'decisions resume':
    case 'decisions approve':
    case 'decisions decline':
    case 'decisions lift':
      return onlyAtHand(ports, name) ?? runGuard(ports, name, given, isJson);
    case 'last-good':
      return runLastGood(ports, given, isJson);
  }
};
