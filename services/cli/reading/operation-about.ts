import type { Json } from '../../core/canonical.ts';
import type { OperationKind } from '../../core/markers/marker.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Line } from '../../core/views.ts';
import { digestShown } from '../terminal/display.ts';
import { lineIn, linesIn, textIn } from './line-fields.ts';

/** What an operation was about, in few words. Its kind may be one that a newer gateway knows. */
export const aboutOperation = (line: Line): string =>
  [
    ...subjectOf(line),
    refusedText(line),
    isNoteSubject(line) ? '' : textIn(line, 'note'),
    line['suspect'] === true ? 'SUSPECT KEY' : '',
  ]
    .filter((part) => part !== '')
    .join('; ');

const subjectOf = (line: Line): readonly string[] => {
  const kind = textIn(line, 'kind');
  return Object.hasOwn(subjects, kind) ? subjects[kind as keyof typeof subjects](line) : [];
};

const letters = (line: Line): readonly string[] => [named('letter', listIn(line, 'positions'))];
const place = (line: Line): readonly string[] => [textIn(line, 'environment') || 'everywhere'];
const decision = (line: Line): readonly string[] => [
  textIn(line, 'note') || 'decision',
  named('position', listIn(line, 'positions')),
];
/** Of older records the note is empty. */
const isNoteSubject = (line: Line): boolean => textIn(line, 'kind').startsWith('decision-');
const rows = (line: Line): readonly string[] => [textIn(line, 'generation'), rangeOf(line)];

const subjects: {
  readonly [Kind in OperationKind | 'policy-set']: (line: Line) => readonly string[];
} = {
  'letters-redriven': letters,
  'letters-discarded': letters,
  'deployments-forgotten': (line) => [countOf(listIn(line, 'deployments').length, 'deployment')],
  'retention-set': (line) => [
    textIn(line, 'environment'),
    countOf(Number(textIn(line, 'days')), 'day'),
  ],
  'decisions-stopped': place,
  'decisions-resumed': place,
  'decision-approved': decision,
  'decision-declined': decision,
  'freeze-lifted': (line) => [
    named('freeze by the roll-back at position', listIn(line, 'positions')),
  ],
  'policy-set': (line) => [`document ${digestShown(textIn(line, 'digest'))}`],
  'generation-begun': rows,
  'generation-paused': rows,
  'generation-built': rows,
  'generation-switched': rows,
  'generation-dropped': rows,
  'log-archived': rows,
  'log-sealed': rows,
  'log-continued': rows,
};

const listIn = (line: Line, name: string): readonly Json[] => {
  const value = line[name];
  return Array.isArray(value) ? (value as readonly Json[]) : [];
};

/** Named one by one as far as there is room. */
const namedMax = 4;

const named = (what: string, of: readonly Json[]): string =>
  of.length > namedMax
    ? countOf(of.length, what)
    : `${what}${of.length === 1 ? '' : 's'} ${of.map((one) => JSON.stringify(one)).join(', ')}`;

const rangeOf = (line: Line): string => {
  const [from, to] = [textIn(line, 'from'), textIn(line, 'to')];
  if (to === '') return '';
  return from === '' || from === '0' ? `up to position ${to}` : `positions ${from} to ${to}`;
};

const refusedText = (line: Line): string => {
  const effect = lineIn(line, 'effect');
  const refused = effect === null ? [] : linesIn(effect, 'refused');
  return refused.length === 0
    ? ''
    : `not done: ${refused.map((one) => `${textIn(one, 'count')} ${textIn(one, 'code')}`).join(', ')}`;
};
