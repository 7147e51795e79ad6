import type { Result } from '../core/result.ts';
import type { Given } from './terminal/arguments.ts';
import type { CommandName } from './commands.ts';
import type { EmittingCommand } from './release/draft.ts';
import { printProblem } from './terminal/output.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem, ExitCode } from './problem.ts';

/** Commands that do not emit, each area of them loaded when it is asked for. */
export const runOther = async (
  ports: CliPorts,
  name: Exclude<CommandName, EmittingCommand>,
  given: Given,
): Promise<number> => {
  const isJson = given.has('json');
  const end = (outcome: Result<void, CliProblem>): ExitCode => {
    if (outcome.ok) return 0;
    printProblem(ports.terminal, isJson, outcome.problem);
    return outcome.problem.exit;
  };
  switch (name) {
    case 'run': {
      const { runProgram } = await import('./wrap/run-program.ts');
      return runProgram(ports, given);
    }
    case 'instance start': {
      const { runInstances } = await import('./release/instances.ts');
      return runInstances(ports, name, given, isJson);
    }
    case 'env': {
      const { runEnv } = await import('./telemetry/env.ts');
      return end(await runEnv(ports, given, isJson));
    }
    case 'flush':
    case 'spool list':
    case 'spool drop': {
      const { runSpool } = await import('./spool/spool.ts');
      return runSpool(ports, name, given, isJson);
    }
    case 'freeze lift': {
      const { runLiftFreeze } = await import('./facts/lift-freeze.ts');
      return end(await runLiftFreeze(ports, given, isJson));
    }
    case 'current':
    case 'timeline':
    case 'changes':
    case 'releases':
    case 'operations':
    case 'environments':
    case 'components':
    case 'keys list':
    case 'show': {
      const { runReaders } = await import('./keys/readers.ts');
      return end(await runReaders(ports, name, given, isJson));
    }
    case 'init':
    case 'doctor':
    case 'config':
    case 'completion': {
      const { runSetup } = await import('./setup/setup.ts');
      return end(await runSetup(ports, name, given, isJson));
    }
    case 'explain': {
      const { runExplain } = await import('./explain/explain.ts');
      return end(await runExplain(ports, given, isJson));
    }
    case 'backtest': {
      const { runBacktest } = await import('./backtest/backtest.ts');
      return end(await runBacktest(ports, given, isJson));
    }
    case 'gate':
    case 'decisions':
    case 'decisions stop':
    case 'decisions resume':
    case 'decisions approve':
    case 'decisions decline':
    case 'decisions lift':
    case 'last-good': {
      const { runDecisions } = await import('./decisions/decisions.ts');
      return runDecisions(ports, name, given, isJson);
    }
    case 'dead-letters list':
    case 'dead-letters show':
    case 'dead-letters redrive':
    case 'dead-letters discard': {
      const { runDeadLetters } = await import('./dead-letters/dead-letters.ts');
      return end(await runDeadLetters(ports, name, given, isJson));
    }
    case 'retention set':
    case 'retention list':
    case 'retention plan':
    case 'retention apply': {
      const { runRetention } = await import('./archive/retention.ts');
      return end(await runRetention(ports, name, given, isJson));
    }
    case 'policy check':
    case 'policy explain':
    case 'policy plan':
    case 'policy set':
    case 'policy list':
    case 'policy show': {
      const { runPolicy } = await import('./policy/policy.ts');
      return end(await runPolicy(ports, name, given, isJson));
    }
    case 'problems': {
      const { runProblems } = await import('./reading/problems.ts');
      return runProblems(ports, given, isJson);
    }
    case 'verify-models': {
      const { runVerifyModels } = await import('./replay/verify-models.ts');
      return end(await runVerifyModels(ports, given, isJson));
    }
    case 'keys new':
    case 'keys trust':
    case 'keys retire':
    case 'keys compromised': {
      const { runKeys } = await import('./keys/keys.ts');
      return end(await runKeys(ports, name, given, isJson));
    }
    case 'tokens new':
    case 'tokens list': {
      const { runTokens } = await import('./tokens/tokens.ts');
      return end(await runTokens(ports, name, given, isJson));
    }
    case 'archive':
    case 'archive verify':
    case 'export':
    case 'migrate': {
      const { runArchive } = await import('./archive/archive.ts');
      return end(await runArchive(ports, name, given, isJson));
    }
    case 'replay plan':
    case 'replay run':
    case 'replay pause':
    case 'replay status':
    case 'replay diff':
    case 'replay switch':
    case 'replay back':
    case 'replay drop':
    case 'rebuild': {
      const { runReplays } = await import('./replay/replay.ts');
      return end(await runReplays(ports, name, given, isJson));
    }
    case 'up':
    case 'gateway':
    case 'projector':
    case 'analyser': {
      const { serve } = await import('./run-services.ts');
      const names = name === 'up' ? (['projector', 'analyser', 'gateway'] as const) : [name];
      return end(await serve(ports, names, isJson));
    }
  }
};
