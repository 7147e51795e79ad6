import type { CommandName } from '../commands.ts';

/** Commands that the table lists and this edition lacks: the package for pipelines has no services. Here all are there. */
export const absentCommands: ReadonlySet<CommandName> = new Set();
