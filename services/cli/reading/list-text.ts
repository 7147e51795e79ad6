import { isOpenLine } from '../../core/noted-view.ts';
import type { Json } from '../../core/canonical.ts';
import { headlineOf } from '../../core/canary/decision/sentence.ts';
import type { Line } from '../../core/views.ts';
import {
  digestShown,
  paintStatus,
  plainText,
  shortened,
  shortTime,
  table,
} from '../terminal/display.ts';
import { aboutOperation } from './operation-about.ts';
import type { Terminal } from '../ports.ts';

// Lines of core/views.ts as tables. A line may come from a gateway: nothing about its fields is taken for granted.

type Column = readonly [heading: string, cell: (line: Line) => string];

const text =
  (field: string): ((line: Line) => string) =>
  (line) => {
    const value = line[field];
    if (typeof value === 'string') return value;
    return typeof value === 'number' ? String(value) : '';
  };

const time =
  (field: string): ((line: Line) => string) =>
  (line) => {
    const value = line[field];
    return typeof value === 'string' ? shortTime(value) : '';
  };

const list =
  (field: string): ((line: Line) => string) =>
  (line) => {
    const value = line[field];
    return Array.isArray(value) ? value.join(' ') : '';
  };

/** Said only where it is not what nearly everybody has. */
const unlessDefault =
  (field: string): ((line: Line) => string) =>
  (line) =>
    text(field)(line) === 'default' ? '' : text(field)(line);

const claim =
  (field: string): ((line: Line) => string) =>
  ({ claims }) =>
    isLine(claims) ? text(field)(claims) : '';

const isLine = (value: Json | undefined): value is Line =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const marks = (line: Line): string =>
  [
    typeof line['onBehalf'] === 'string' ? `token ${line['onBehalf']}` : '',
    line['unplanned'] === true ? 'unplanned' : '',
    line['rollback'] === true ? 'rollback' : '',
    line['suspect'] === true ? 'SUSPECT KEY' : '',
    line['conflict'] === true ? 'CONFLICT' : '',
  ]
    .filter((mark) => mark !== '')
    .join(', ');

const joined =
  (...parts: readonly ((line: Line) => string)[]): ((line: Line) => string) =>
  (line) =>
    parts
      .map((part) => part(line))
      .filter((part) => part !== '')
      .join('; ');

const uncertainty = (line: Line): string => {
  const { uncertain } = line;
  return isLine(uncertain)
    ? `uncertain since ${text('version')(uncertain)} ${text('status')(uncertain)}`
    : '';
};

const besideIt = (line: Line): string =>
  [text('version')(line), text('status')(line), line['conflict'] === true ? 'CONFLICT' : '']
    .filter((part) => part !== '')
    .join(' ');

const beside = (line: Line): string => {
  const others = line['beside'];
  return Array.isArray(others) && others.length > 0
    ? `beside it ${others.map((other) => besideIt(other as Line)).join(', ')}`
    : '';
};

/** Where it does not stand, or nobody may act on it by itself, that is said with it. */
const decision = (line: Line): string =>
  joined(
    text('decision'),
    (of) => (of['mode'] === 'decide' ? '' : text('mode')(of)),
    (of) => (of['note'] === 'applied' ? '' : text('note')(of)),
  )(line);

/** Its first sentence; explain has the whole of it. */
const why = (line: Line): string => headlineOf(text('explanation')(line));

/** Said where a letter is no open one that nobody touched. */
const letterStateText = (line: Line): string => {
  const state = text('state')(line);
  if (state === 'repeat') return `repeat of ${text('redriveOf')(line)}`;
  if (state !== 'open') return state;
  const redrives = text('redrives')(line);
  return redrives === '0' ? '' : `open, redriven ${redrives} times`;
};

const place: readonly Column[] = [
  ['NAMESPACE', unlessDefault('namespace')],
  ['ENVIRONMENT', text('environment')],
  ['COMPONENT', text('component')],
  ['TARGET', text('target')],
];

const nameColumns: readonly Column[] = [
  ['NAME', text('name')],
  ['ATTEMPTS', text('attempts')],
  ['FIRST (UTC)', time('firstAt')],
  ['LAST (UTC)', time('lastAt')],
];

const percent = (share: unknown): string =>
  typeof share === 'number' ? `${Math.round(share * 10_000) / 100} %` : '';

const attemptColumns: readonly Column[] = [
  ['STARTED (UTC)', time('startedAt')],
  ['ENDED (UTC)', time('endedAt')],
  ...place,
  ['VERSION', text('version')],
  ['STATUS', text('status')],
  ['SIGNER', text('signer')],
  ['DEPLOYMENT', text('deployment')],
  ['ATTEMPT', (line) => (line['attempt'] === 1 ? '' : text('attempt')(line))],
  ['NOTES', joined(text('failureReason'), marks)],
];

/** When an attempt was first heard of, as seen from a moment. */
const heard = (line: Line): string => {
  if (line['heardAfter'] !== true) return 'before';
  return line['countsBefore'] === true ? 'after, counts from before' : 'after';
};

/** `new-basket 6 -> 7`, `add-column failed`, `team:red`. */
const whatChanged = (line: Line): string => {
  const labels = line['labels'];
  const versions =
    line['toVersion'] === null
      ? ''
      : line['fromVersion'] === null
        ? `to ${text('toVersion')(line)}`
        : `${text('fromVersion')(line)} -> ${text('toVersion')(line)}`;
  const named = Array.isArray(labels)
    ? labels.map((label) => `${text('name')(label as Line)}:${text('value')(label as Line)}`)
    : [];
  return [
    text('name')(line),
    versions,
    text('outcome')(line),
    ...(line['kind'] === 'label' ? named : []),
  ]
    .filter((part) => part !== '')
    .join(' ');
};

const openNote = (line: Line): string =>
  isOpenLine(line) ? 'open' : line['note'] === 'applied' ? '' : text('note')(line);

export type Listing =
  | 'current'
  | 'timeline'
  | 'around'
  | 'decisions'
  | 'deadLetters'
  | 'changes'
  | 'operations'
  | 'retention'
  | 'policies'
  | 'environments'
  | 'components'
  | 'keys';

const listings: { readonly [Name in Listing]: readonly Column[] } = {
  current: [
    ...place,
    ['VERSION', text('version')],
    ['STATUS', text('status')],
    ['SINCE (UTC)', time('since')],
    ['SIGNER', text('signer')],
    ['NOTES', joined(uncertainty, beside, marks)],
  ],
  timeline: attemptColumns,
  around: [['HEARD', heard], ...attemptColumns],
  decisions: [
    ['AT (UTC)', time('at')],
    ['DECISION', decision],
    ...place,
    ['FROM', text('fromVersion')],
    ['TO', text('toVersion')],
    ['SHARE', (line) => percent(line['share'])],
    ['POSITION', text('position')],
    ['WHY', why],
  ],
  deadLetters: [
    ['POSITION', text('position')],
    ['AT (UTC)', time('appendedAt')],
    ['CODE', text('code')],
    ['SIGNER', text('signer')],
    ['KIND', claim('kind')],
    ['DEPLOYMENT', claim('deployment')],
    ['STATE', letterStateText],
    ['MESSAGE', text('message')],
  ],
  changes: [
    ['POSITION', text('position')],
    ['AT (UTC)', time('at')],
    ['KIND', text('kind')],
    ...place,
    ['WHAT', whatChanged],
    ['SIGNER', text('signer')],
    ['NOTES', joined(openNote, marks)],
    ['REASON', text('reason')],
  ],
  operations: [
    ['POSITION', text('position')],
    ['AT (UTC)', time('at')],
    ['KIND', text('kind')],
    ['SIGNER', text('signer')],
    ['ABOUT', aboutOperation],
    ['REASON', text('reason')],
  ],
  policies: [
    ['POSITION', text('position')],
    ['AT (UTC)', time('at')],
    ['SIGNER', text('signer')],
    ['DOCUMENT', (line) => digestShown(text('digest')(line))],
    ['NOTES', marks],
    ['REASON', text('reason')],
  ],
  retention: [
    ['ENVIRONMENT', text('environment')],
    ['DAYS', text('days')],
    ['SET BY', (line) => (line['position'] === null ? 'built in' : text('signer')(line))],
    ['AT (UTC)', time('at')],
    ['POSITION', text('position')],
    ['REASON', text('reason')],
    ['NOTES', marks],
  ],
  environments: [...nameColumns, ['COMPONENTS', list('components')]],
  components: [...nameColumns, ['ENVIRONMENTS', list('environments')]],
  keys: [
    ['KEY', text('key')],
    ['PRINCIPAL', text('principal')],
    ['ROLES', list('roles')],
    ['ENVIRONMENTS', list('environments')],
    ['COMPONENTS', list('components')],
    ['KINDS', list('kinds')],
    [
      'STATE',
      (line) => {
        if (line['compromisedSince'] !== null)
          return `compromised since ${text('compromisedSince')(line)}`;
        return line['retiredAt'] === null ? 'trusted' : `retired at ${text('retiredAt')(line)}`;
      },
    ],
  ],
};

export const listText = (
  listing: Listing,
  lines: readonly Line[],
  { columns, hasColour }: Terminal,
): readonly string[] => {
  const isWhyBelow = listing === 'decisions' && columns !== null && columns < whyBesideMin;
  const chosen = isWhyBelow ? listings[listing].slice(0, -1) : listings[listing];
  const rows = lines.map((line) => chosen.map(([, cell]) => cell(line)));
  const told = table(
    chosen.map(([heading]) => heading),
    rows,
    columns,
  );
  const shown = isWhyBelow
    ? told.flatMap((row, index) => {
        const line = lines[index - 1];
        return line === undefined ? [row] : [row, shortened(`  ${plainText(why(line))}`, columns)];
      })
    : told;
  return hasColour ? shown.map(paintStatus) : shown;
};

/** Columns of a terminal from which on a decision has room for its reason in the same line. */
const whyBesideMin = 130;

/**
 * A decision in one line that needs no heading, for whoever sees them come one by one:
 * `2026-11-21 10:00:00Z  roll-back; held  checkout 2.0.0 -> production (eu)  why  (position 7)`.
 */
export const decisionLine = (line: Line, { hasColour }: Terminal): string => {
  const target = text('target')(line);
  const environment = [unlessDefault('namespace')(line), text('environment')(line)]
    .filter((part) => part !== '')
    .join('/');
  const told = [
    time('at')(line),
    decision(line),
    `${text('component')(line)} ${text('fromVersion')(line)} -> ${environment}${target === '' ? '' : ` (${target})`}`,
    why(line),
    `(position ${text('position')(line)})`,
  ];
  const shown = plainText(told.join('  '));
  return hasColour ? paintStatus(shown) : shown;
};
