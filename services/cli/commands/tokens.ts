import type { CommandOf } from './command.ts';
import { option, repeatable, required } from './command.ts';

export type TokenCommand = 'tokens new' | 'tokens list';

export const tokenCommands: readonly CommandOf<TokenCommand>[] = [
  {
    name: 'tokens new',
    summary: 'make a token with which JSON markers are taken: curl and webhooks have no key',
    words: [],
    options: [
      required('name', 'NAME', 'who sends with it, such as shop-ci'),
      {
        ...repeatable('environment', 'NAME', "environment it may act on; 'pre*' or '*' for many"),
        isRequired: true,
      },
      repeatable('component', 'NAME', "component it may act on (default '*')"),
      repeatable('kind', 'KIND', "kind of marker it may send (default '*')"),
      option('expires', 'TIME', 'when it ends: UTC, such as 2027-01-31T00:00:00Z (default never)'),
    ],
    notes: [
      'The token is shown once; the list keeps its SHA-256. A gateway looks at the list each',
      'second, so who takes the line out takes the token back.',
      'The list is tokens.txt in the data folder, or what PLIMSOLL_TOKENS names.',
    ],
    examples: ['--name=shop-ci --environment=staging --component=checkout'],
  },
  {
    name: 'tokens list',
    summary: 'tokens of the list, and what they may do',
    words: [],
    options: [],
    examples: ['--json'],
  },
];
