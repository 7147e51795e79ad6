import type { CommandOf, Option } from './command.ts';
import { option, required } from './command.ts';

export type DeadLetterCommand =
  | 'dead-letters list'
  | 'dead-letters show'
  | 'dead-letters redrive'
  | 'dead-letters discard';

const operatorOptions: readonly Option[] = [
  required('reason', 'TEXT', 'why: it stays on the log'),
  option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
];

export const deadLetterCommands: readonly CommandOf<DeadLetterCommand>[] = [
  {
    name: 'dead-letters list',
    summary: 'records that were not accepted and wait for somebody, oldest first',
    words: [],
    options: [
      option('code', 'CODE', 'only letters of this code'),
      option('all', null, 'also letters that were redriven or discarded, and their repeats'),
      option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)'),
    ],
    examples: ['', '--code=key-unknown', '--all --json'],
  },
  {
    name: 'dead-letters show',
    summary: 'one record that was not accepted: code, headers, bytes, what became of it',
    words: [{ name: 'position' }],
    options: [],
    examples: ['812'],
  },
  {
    name: 'dead-letters redrive',
    summary: 'append letters again, to be judged now by their true age',
    words: [{ name: 'position', isOptional: true, isRepeatable: true }],
    options: [
      option('code', 'CODE', 'instead of positions: all open letters of this code'),
      option('deployment', 'UUID', 'instead of positions: all open letters about it'),
      option('dry-run', null, 'append nothing: say what would become of each'),
      option('force', null, 'also what was redriven, discarded, or would be refused again'),
      option('reason', 'TEXT', 'why: it stays on the log (required unless --dry-run)'),
      option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
    ],
    examples: ['--code=key-unknown --dry-run', '812 813 --reason="the key is trusted now"'],
  },
  {
    name: 'dead-letters discard',
    summary: 'let letters rest; they stay on the log and in list --all',
    words: [{ name: 'position', isRepeatable: true }],
    options: operatorOptions,
    examples: ['812 --reason="a scanner, not a producer"'],
  },
];
