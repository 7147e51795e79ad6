import type { Result } from '../../core/result.ts';
import { commands } from '../commands.ts';
import type { CliProblem } from '../problem.ts';
import type { Request } from './arguments.ts';
import { parseCommandLine } from './arguments.ts';

/** Reads a command line of any command. */
export const parseArguments = (args: readonly string[]): Result<Request, CliProblem> =>
  parseCommandLine(args, commands);
