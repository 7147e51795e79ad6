import type { CommandOf, Option } from './command.ts';
import { option } from './command.ts';
import { plannedInRun } from './release.ts';

export type ReaderCommand =
  | 'current'
  | 'timeline'
  | 'show'
  | 'environments'
  | 'components'
  | 'changes'
  | 'releases'
  | 'operations';

export const filterOptions: readonly Option[] = [
  option('environment-name', 'NAME', 'only this environment'),
  option('component-name', 'NAME', 'only this component'),
  option('namespace', 'NAME', 'only this namespace'),
  option('target', 'NAME', 'only this target'),
];

const atOption = option(
  'at',
  'POSITION',
  'what was known before a position or UTC time, and is known now of it',
);

export const readerCommands: readonly CommandOf<ReaderCommand>[] = [
  {
    name: 'current',
    summary: 'what runs where',
    words: [],
    options: [...filterOptions, atOption],
    examples: ['', '--environment-name=production --json', '--at=2026-11-21T10:00:00Z'],
  },
  {
    name: 'timeline',
    summary: 'attempts to deploy, oldest first',
    words: [],
    options: [
      ...filterOptions,
      option(
        'around',
        'POSITION',
        'attempts before and after a position or UTC time, --limit of each',
      ),
      option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)'),
    ],
    examples: ['', '--component-name=checkout --limit=10', '--around=812'],
  },
  {
    name: 'show',
    summary: 'one deployment: attempts, signers, positions, verdicts, reasons',
    words: [{ name: 'deployment' }],
    options: [atOption, plannedInRun],
    notes: [
      'The deployment is an id, or the name given to plan, in this CI run or here; else what only one',
      'has of late: the beginning of an id, COMPONENT@VERSION, a component. Several are listed.',
    ],
    examples: ['checkout-v2', 'checkout@2.0.0', '0f3e5a6c-7b1d-8c2e-9f40-51627384a5b6 --at=812'],
  },
  {
    name: 'environments',
    summary: 'environments seen so far',
    words: [],
    options: [],
    examples: ['--json'],
  },
  {
    name: 'components',
    summary: 'components seen so far',
    words: [],
    options: [],
    examples: ['--json'],
  },
  {
    name: 'changes',
    summary: 'changes and incidents beside deployments, labels, freezes; oldest first',
    words: [],
    options: [
      ...filterOptions,
      option('open', null, 'only what goes on: incidents, migrations, freezes'),
      option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)'),
    ],
    examples: ['', '--open', '--environment-name=production --limit=10 --json'],
  },
  {
    name: 'releases',
    summary: 'released versions that are still supported, oldest first in each place',
    words: [],
    options: filterOptions.filter(({ name }) => name !== 'target'),
    examples: ['', '--component-name=foo-app --json'],
  },
  {
    name: 'operations',
    summary: 'what operators did with the log and the read models, and why',
    words: [],
    options: [option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)')],
    examples: ['', '--limit=10 --json'],
  },
];
