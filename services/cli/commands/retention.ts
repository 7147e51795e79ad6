import type { CommandOf, Option } from './command.ts';
import { option, required } from './command.ts';

export type RetentionCommand =
  | 'retention set'
  | 'retention list'
  | 'retention plan'
  | 'retention apply';

const environmentOption = option(
  'environment',
  'NAME',
  "only this environment; 'pr-*' for those that begin so",
);
const keyOption: Option = option('key', 'FILE', "the operator's key (default: keys/admin.json)");

export const retentionCommands: readonly CommandOf<RetentionCommand>[] = [
  {
    name: 'retention set',
    summary: 'how long read models keep ended deployments of an environment',
    words: [],
    options: [
      required('environment', 'NAME', "its name, or 'pr-*' for those that begin so; '*' for all"),
      required('days', 'DAYS', 'days since it was last heard of'),
      required('reason', 'TEXT', 'why: it stays on the log'),
      keyOption,
    ],
    examples: ['--environment="pr-*" --days=7 --reason="previews are gone after a week"'],
  },
  {
    name: 'retention list',
    summary: 'what is set and what is built in; the most exact name counts',
    words: [],
    options: [],
    examples: ['', '--json'],
  },
  {
    name: 'retention plan',
    summary: 'what would be forgotten, by environment; nothing is changed',
    words: [],
    options: [environmentOption, keyOption],
    examples: ['', '--environment="pr-*" --json'],
  },
  {
    name: 'retention apply',
    summary: 'forget in the read models what is older; the log keeps every record',
    words: [],
    options: [environmentOption, required('reason', 'TEXT', 'why: it stays on the log'), keyOption],
    examples: ['--reason=monthly'],
  },
];
