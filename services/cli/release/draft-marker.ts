import type { Result } from '../../core/result.ts';
import type { FactCommand } from '../commands/facts.ts';
import type { CliProblem } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Draft, EmittingCommand, Origin } from './draft.ts';
import { draftRelease } from './draft.ts';

/** The draft of any emitting command. What pipelines run must start quickly: all but releases is loaded when asked for. */
export const draftMarker = async (
  command: Exclude<EmittingCommand, 'emit'>,
  given: Given,
  origin: Origin,
): Promise<Result<Draft, CliProblem>> => {
  if (isRelease(command)) return draftRelease(command, given, origin);
  const { draftFact } = await import('../facts/draft-fact.ts');
  return draftFact(command, given, origin);
};

const isRelease = (command: EmittingCommand): command is Exclude<EmittingCommand, FactCommand> =>
  command === 'release plan' || command === 'release update' || command === 'release log';
