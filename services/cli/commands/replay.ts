import type { CommandOf, Option } from './command.ts';
import { option, repeatable, required } from './command.ts';

export type ReplayCommand =
  | 'replay plan'
  | 'replay run'
  | 'replay pause'
  | 'replay status'
  | 'replay diff'
  | 'replay switch'
  | 'replay back'
  | 'replay drop'
  | 'rebuild';

const choiceOptions: readonly Option[] = [
  option('from', 'POSITION', 'only records from this position on'),
  option('to', 'POSITION', 'stop before this position; a switch folds the rest'),
  option('from-time', 'TIME', 'the same by UTC time, such as 2026-11-21T10:00:00Z'),
  option('to-time', 'TIME', 'the same by UTC time'),
  repeatable('environment', 'NAME', 'only this environment'),
  repeatable('component', 'NAME', 'only this component'),
  repeatable('kind', 'KIND', 'only records of this kind, such as planned'),
  repeatable('header', 'NAME=VALUE', 'only records with this header'),
];

const checkOptions: readonly Option[] = [
  option('full', null, 'check every signature again; else those that are remembered are believed'),
  option('sample', 'SHARE', 'share of the remembered ones that is checked again (default 0.01)'),
  option('seed', 'NUMBER', 'which ones follows from this (default: by chance)'),
];

const reason: Option = required('reason', 'TEXT', 'why: it stays on the log');
const key: Option = option('key', 'FILE', "the operator's key (default: keys/admin.json)");

export const replayCommands: readonly CommandOf<ReplayCommand>[] = [
  {
    name: 'replay plan',
    summary: 'what a replay would fold, how long it takes, and which rows would change',
    words: [],
    options: [
      ...choiceOptions,
      ...checkOptions,
      option('no-effect', null, 'do not compare with the read models in use'),
    ],
    examples: ['', '--component=checkout --json'],
  },
  {
    name: 'replay run',
    summary: 'fold the log into a new generation beside the one in use; Ctrl-C pauses',
    words: [],
    options: [
      ...choiceOptions,
      ...checkOptions,
      option('rate', 'COUNT', 'records a second at most'),
      option('resume', 'GENERATION', 'go on with one that was paused or killed, as it was begun'),
      reason,
      key,
    ],
    examples: [
      '--reason="rows looked wrong"',
      '--rate=5000 --reason=audit --full',
      '--resume=g3 --reason="after the break"',
    ],
  },
  {
    name: 'replay pause',
    summary: 'ask whoever folds a generation to pause',
    words: [{ name: 'generation' }],
    options: [],
    examples: ['g3'],
  },
  {
    name: 'replay status',
    summary: 'every generation: rows, how far, for what, who uses it',
    words: [],
    options: [],
    examples: ['', '--json'],
  },
  {
    name: 'replay diff',
    summary: 'two generations row by row (the second: the one in use), by the records that differ',
    words: [{ name: 'generation' }, { name: 'second', isOptional: true }],
    options: [
      option('limit', 'COUNT', 'differences that are listed (default 50; with --json all)'),
      option('after', 'COUNT', 'leave out so many of them first'),
    ],
    examples: ['g2', 'g1 g2 --json'],
  },
  {
    name: 'replay switch',
    summary: 'let readers use this generation; projectors follow within two seconds',
    words: [{ name: 'generation' }],
    options: [
      option('force', null, 'also one that was folded from a part of the log'),
      reason,
      key,
    ],
    examples: ['g2 --reason="compared, as expected"'],
  },
  {
    name: 'replay back',
    summary: 'let readers use the generation that they used before',
    words: [],
    options: [option('stale', null, 'also where it is far behind'), reason, key],
    examples: ['--reason="rows are missing"'],
  },
  {
    name: 'replay drop',
    summary: 'remove a generation that nobody uses',
    words: [{ name: 'generation' }],
    options: [option('force', null, 'also the one that readers used before'), reason, key],
    examples: ['g1 --reason="not needed any more"'],
  },
  {
    name: 'rebuild',
    summary: 'fold the whole log again, beside the read models in use, then switch',
    words: [],
    options: [option('full', null, 'check every signature again'), reason, key],
    examples: ['--reason="rows looked wrong"', '--full --reason="store was restored"'],
  },
];
