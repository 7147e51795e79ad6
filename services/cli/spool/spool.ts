import type { Given } from '../terminal/arguments.ts';
import type { SpoolCommand } from '../commands/spool.ts';
import type { CliPorts } from '../ports.ts';
import type { ExitCode } from '../problem.ts';
import { printProblem } from '../terminal/output.ts';
import { flush } from './flush.ts';
import { dropSpooled, listSpool } from './list.ts';

/** The commands about markers that could not be delivered. */
export const runSpool = async (
  ports: CliPorts,
  name: SpoolCommand,
  given: Given,
  isJson: boolean,
): Promise<ExitCode> => {
  const ended = await runs[name](ports, given, isJson);
  if (ended === undefined) return 0;
  printProblem(ports.terminal, isJson, ended);
  return given.has('no-fail') ? 0 : ended.exit;
};

const runs = { flush, 'spool list': listSpool, 'spool drop': dropSpooled };
