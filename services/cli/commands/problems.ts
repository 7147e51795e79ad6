import type { CommandOf } from './command.ts';
import { option } from './command.ts';
import { filterOptions } from './readers.ts';

export type ProblemCommand = 'problems';

export const problemCommands: readonly CommandOf<ProblemCommand>[] = [
  {
    name: 'problems',
    summary: 'what is missing or wrong, and what to do about it; the gravest first',
    words: [],
    options: [
      option('expected', 'FILE', 'places that must report a version within a deadline (JSON)'),
      ...filterOptions,
      option('days', 'COUNT', 'how far to look back (default 30)'),
      option('fail-on', 'WORD', 'exit 3 where there is an alarm, or a warning: alarm or warning'),
      option('follow', null, 'stay and print each new problem once; with --fail-on until then'),
    ],
    examples: ['', '--expected=expected.json --fail-on=alarm', '--follow --json'],
  },
];
