import type { Result } from '../../core/result.ts';
import type { SetupCommand } from '../commands/setup.ts';
import { runDoctor } from '../doctor/doctor.ts';
import { runInit } from '../init/init.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';
import { printCompletion } from './completion.ts';
import { printConfig } from './config.ts';

/** What sets Plimsoll up and shows how it is set up. */
export const runSetup = async (
  ports: CliPorts,
  name: SetupCommand,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  switch (name) {
    case 'init':
      return runInit(ports, given, isJson);
    case 'doctor':
      return runDoctor(ports, given, isJson);
    case 'config':
      return printConfig(ports, isJson);
    case 'completion':
      return printCompletion(ports, given);
  }
};
