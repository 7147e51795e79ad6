import type { CommandOf, Option } from './command.ts';
import { option, required } from './command.ts';
import { placeOptions, plannedInRun } from './release.ts';

export type DecisionCommand =
  | 'gate'
  | 'decisions stop'
  | 'decisions resume'
  | 'decisions approve'
  | 'decisions decline'
  | 'decisions lift'
  | 'decisions'
  | 'last-good';

const reasonAndKey: readonly Option[] = [
  required('reason', 'TEXT', 'why: it stays on the log'),
  option('key', 'FILE', "the operator's key (default: keys/admin.json)"),
];
const stopOptions: readonly Option[] = [
  ...reasonAndKey,
  option('environment', 'NAME', 'only there, such as production or pr-* (default: everywhere)'),
];

// The longer name first: the command line is read from the left.
export const decisionCommands: readonly CommandOf<DecisionCommand>[] = [
  {
    name: 'gate',
    summary: 'wait until a canary is promoted or rolled back; the exit code says which',
    words: [{ name: 'deployment', isOptional: true }],
    options: [
      option('wait', 'TIME', 'at most so long, such as 90s, 15m or 2h (default 15m)'),
      option('environment-name', 'NAME', 'where it goes to, if it was planned for several places'),
      ...placeOptions.filter(({ name }) => name !== 'environment-name'),
      plannedInRun,
    ],
    notes: [
      'Exit codes: 0 promote, 10 roll-back, 11 hold, 12 inconclusive, 13 no decision in time,',
      '3 the attempt has ended, 4 no such deployment, 5 key, 6 unreachable.',
      'The deployment is an id, or the name given to plan, in this CI run or here (default: default).',
      'An advance does not release it. A hold counts while it is said; a minute after, the gate waits on.',
    ],
    examples: ['0f3e5a6c-7b1d-8c2e-9f40-51627384a5b6 --wait=15m', '--wait=30m --json'],
  },
  {
    name: 'decisions stop',
    summary: 'nobody obeys decisions any more, until they are resumed',
    words: [],
    options: stopOptions,
    examples: ['--reason="payments are down"', '--environment=production --reason=incident'],
  },
  {
    name: 'decisions resume',
    summary: 'decisions count again',
    words: [],
    options: stopOptions,
    examples: ['--reason="incident is over"'],
  },
  {
    name: 'decisions approve',
    summary: 'a decision that asks may be obeyed, for half an hour',
    words: [{ name: 'decision' }],
    options: reasonAndKey,
    examples: ['814 --reason="looked at the dashboards"'],
  },
  {
    name: 'decisions decline',
    summary: 'a decision that asks is not to be obeyed',
    words: [{ name: 'decision' }],
    options: reasonAndKey,
    examples: ['814 --reason="a load test caused it"'],
  },
  {
    name: 'decisions lift',
    summary: 'a slot that a roll-back froze may be decided about again',
    words: [],
    options: [...placeOptions, ...reasonAndKey],
    examples: ['--environment-name=production --component-name=checkout --reason=fixed'],
  },
  {
    name: 'decisions',
    summary: 'what the analyser decided, oldest first; or act on what may be obeyed',
    words: [],
    options: [
      option('follow', null, 'stay and print each new decision'),
      option('limit', 'COUNT', 'only the newest so many (default 50; with --json all)'),
      option('exec', 'COMMAND', 'run it once for each that may be obeyed: JSON on its stdin'),
      option('shell', null, 'COMMAND is a line for sh, and no program with its words'),
      option('once', null, 'act on what may be obeyed now, and end'),
      option('checkpoint', 'FILE', 'what was done (default: in the data folder)'),
    ],
    notes: [
      'COMMAND finds the decision as JSON on its standard input and as PLIMSOLL_DECISION_ACT,',
      '_ID, _TO_VERSION … in its environment. Those of different slots run side by side, 8 at most.',
      'It is run again with the same _ID if it fails, or if plimsoll is killed before its end is in',
      'the checkpoint: beside the first, which kill -9 leaves running. It must bear to run twice.',
    ],
    examples: ['', '--follow --json', '--follow --exec=./obey.sh', '--once --exec=./obey.sh'],
  },
  {
    name: 'last-good',
    summary: 'the version to go back to in a slot',
    words: [],
    options: placeOptions,
    notes: [
      'What holds the slot, while something that began since runs beside it (a canary); else what',
      'held it before. Left out: what a rollback led away from, conflicts, compromised keys.',
    ],
    examples: ['--environment-name=production --component-name=checkout'],
  },
];
