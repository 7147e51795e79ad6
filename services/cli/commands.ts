import { settingNames } from '../core/settings.ts';
import type { ArchiveCommand } from './commands/archive.ts';
import { archiveCommands } from './commands/archive.ts';
import type { BacktestCommand } from './commands/backtest.ts';
import { backtestCommands } from './commands/backtest.ts';
import type { CommandOf } from './commands/command.ts';
import type { DecisionCommand } from './commands/decisions.ts';
import { decisionCommands } from './commands/decisions.ts';
import type { DeadLetterCommand } from './commands/dead-letters.ts';
import { deadLetterCommands } from './commands/dead-letters.ts';
import type { ExplainCommand } from './commands/explain.ts';
import { explainCommands } from './commands/explain.ts';
import type { FactCommand, LiftCommand } from './commands/facts.ts';
import { factCommands } from './commands/facts.ts';
import type { InstanceCommand } from './commands/instances.ts';
import { instanceCommands } from './commands/instances.ts';
import type { KeyCommand } from './commands/keys.ts';
import { keyCommands } from './commands/keys.ts';
import type { TokenCommand } from './commands/tokens.ts';
import { tokenCommands } from './commands/tokens.ts';
import type { PolicyCommand } from './commands/policy.ts';
import { policyCommands } from './commands/policy.ts';
import type { ProblemCommand } from './commands/problems.ts';
import { problemCommands } from './commands/problems.ts';
import type { ReaderCommand } from './commands/readers.ts';
import { readerCommands } from './commands/readers.ts';
import type { ReleaseCommand } from './commands/release.ts';
import { releaseCommands } from './commands/release.ts';
import type { ReplayCommand } from './commands/replay.ts';
import { replayCommands } from './commands/replay.ts';
import type { RetentionCommand } from './commands/retention.ts';
import { retentionCommands } from './commands/retention.ts';
import type { SpoolCommand } from './commands/spool.ts';
import { spoolCommands } from './commands/spool.ts';
import type { SetupCommand } from './commands/setup.ts';
import { setupCommands } from './commands/setup.ts';
import type { TelemetryCommand } from './commands/telemetry.ts';
import { telemetryCommands } from './commands/telemetry.ts';
import type { WrapCommand } from './commands/run.ts';
import { wrapCommands } from './commands/run.ts';
import type { VerifyCommand } from './commands/verify.ts';
import { verifyCommands } from './commands/verify.ts';
import type { ServiceCommand } from './commands/services.ts';
import { serviceCommands } from './commands/services.ts';

// The table of commands: one file an area.

export type CommandName =
  | ReleaseCommand
  | WrapCommand
  | FactCommand
  | LiftCommand
  | InstanceCommand
  | TelemetryCommand
  | SpoolCommand
  | ReaderCommand
  | DecisionCommand
  | ProblemCommand
  | ExplainCommand
  | BacktestCommand
  | DeadLetterCommand
  | RetentionCommand
  | PolicyCommand
  | VerifyCommand
  | ReplayCommand
  | KeyCommand
  | TokenCommand
  | ArchiveCommand
  | ServiceCommand
  | SetupCommand;

export type Command = CommandOf<CommandName>;

export const commands: readonly Command[] = [
  ...releaseCommands,
  ...wrapCommands,
  ...factCommands,
  ...instanceCommands,
  ...telemetryCommands,
  ...spoolCommands,
  ...readerCommands,
  ...decisionCommands,
  ...problemCommands,
  ...explainCommands,
  ...backtestCommands,
  ...deadLetterCommands,
  ...retentionCommands,
  ...policyCommands,
  ...verifyCommands,
  ...replayCommands,
  ...keyCommands,
  ...tokenCommands,
  ...archiveCommands,
  ...serviceCommands,
  ...setupCommands,
];

/** What commands of two words are about, by their first word. */
export const groupSummaries: { readonly [group: string]: string } = {
  release: 'what a pipeline says of a deployment',
  migration: 'schemas and data on their way',
  change: 'what changed beside deployments',
  freeze: 'nothing new may come there',
  incident: 'what went wrong, and is over',
  decisions: 'what the analyser decided; to act on it',
  spool: 'markers that could not be delivered',
  'dead-letters': 'records that were not accepted',
  replay: 'read models folded anew',
  retention: 'how long read models keep deployments',
  policy: 'how canaries are judged',
  keys: 'who may sign what',
  tokens: 'who may send markers without a key',
  archive: 'the log in files that prove themselves; beside it',
};

export const settingsHelp: readonly (readonly [name: string, meaning: string])[] =
  Object.entries(settingNames);
