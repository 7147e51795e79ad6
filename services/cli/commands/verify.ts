import type { CommandOf } from './command.ts';
import { option } from './command.ts';

export type VerifyCommand = 'verify-models';

export const verifyCommands: readonly CommandOf<VerifyCommand>[] = [
  {
    name: 'verify-models',
    summary: 'compare the read models, row by row, with a fold of the log of its own',
    words: [],
    options: [
      option('generation', 'NAME', 'another generation than the one that readers use'),
      option('full', null, 'check every signature again, also those remembered as checked'),
      option('follow', null, 'stay and compare again, time after time'),
      option('every', 'TIME', 'with --follow: how often, such as 10m or 2h (default 1h)'),
    ],
    examples: ['', '--full --json', '--follow --every=10m'],
  },
];
