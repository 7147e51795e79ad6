import type { Given } from './terminal/arguments.ts';
import type { CommandName } from './commands.ts';
import type { EmittingCommand } from './release/draft.ts';
import { emit } from './release/emit.ts';
import { receiptSentence } from './release/emit-text.ts';
import { printLines, printProblem, printText } from './terminal/output.ts';
import type { CliPorts } from './ports.ts';
import type { ExitCode } from './problem.ts';

/**
 * Runs one command to its end and answers its exit code (of `run` the program's). What it has to say is printed. What pipelines run must start
 * quickly, so everything else is loaded when it is asked for.
 */
export const run = async (ports: CliPorts, name: CommandName, given: Given): Promise<number> => {
  if (isEmitting(name)) return runEmitting(ports, name, given, given.has('json'));
  const { runOther } = await import('./run-other.ts');
  return runOther(ports, name, given);
};

const emitting: { readonly [Name in EmittingCommand]: true } = {
  'release plan': true,
  'release update': true,
  'release log': true,
  'record-deployment': true,
  'record-undeployment': true,
  'record-release': true,
  'record-support-ended': true,
  traffic: true,
  phase: true,
  'migration start': true,
  'migration finish': true,
  'change flag': true,
  'change config': true,
  'change secret': true,
  'incident open': true,
  'incident resolve': true,
  label: true,
  freeze: true,
  emit: true,
};

const isEmitting = (name: CommandName): name is EmittingCommand => Object.hasOwn(emitting, name);

const runEmitting = async (
  ports: CliPorts,
  name: EmittingCommand,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  const { receipt, marker, problem, telemetry } = await emit(ports, name, given);
  if (receipt !== undefined && (isJson || problem === undefined)) {
    if (isJson) printLines(ports.terminal, [receipt]);
    else if (marker !== undefined) printText(ports.terminal, [receiptSentence(receipt, marker)]);
  }
  await telemetry;
  if (problem === undefined) return 0;
  printProblem(ports.terminal, isJson, problem);
  return given.has('no-fail') ? 0 : problem.exit;
};
