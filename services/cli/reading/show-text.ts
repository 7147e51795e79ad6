import type { Json } from '../../core/canonical.ts';
import { headlineOf } from '../../core/canary/decision/sentence.ts';
import { isOpenLine } from '../../core/noted-view.ts';
import type { Line } from '../../core/views.ts';
import { digestShown, plainText, shortTime } from '../terminal/display.ts';
import { metricsText } from '../explain/metrics-text.ts';
import { wrapped } from '../terminal/wrapped.ts';

/** The whole of a deployment as people read it: attempts, who said what when, decisions, conflicts. */
export const showText = (view: Line, columns: number | null): readonly string[] =>
  [
    `deployment ${said(view['deployment'])}`,
    ...labelsText(lines(view['labels'] ?? [])),
    ...lines(view['attempts']).flatMap(attemptText),
    ...changesText(lines(view['changes'] ?? [])),
    ...lines(view['conflicts']).map(
      (conflict) =>
        `CONFLICT: marker ${said(conflict['marker'])} of ${said(conflict['principal'])} stands at position ` +
        `${said(conflict['first'])} and came again with other content at ${said(conflict['position'])}`,
    ),
  ].flatMap((line) => wrapped(plainText(line), columns));

const attemptText = (attempt: Line): readonly string[] => [
  '',
  `attempt ${said(attempt['attempt'])}: ${subjectOf(attempt)}, ${said(attempt['status'])}${marksOf(attempt)}`,
  ...fact('name', attempt['name'] === 'default' ? null : attempt['name']),
  ...fact('reason', attempt['failureReason']),
  ...fact('digest', attempt['digest']),
  ...fact('strategy', attempt['strategy']),
  ...fact('canary share', attempt['canaryShare']),
  ...fact('colour', attempt['colour']),
  ...fact('phase', attempt['phase']),
  ...detailsOf(attempt['details']),
  '  history',
  ...lines(attempt['history']).map(entryText),
  ...decisionsText(lines(attempt['decisions'])),
];

const labelsText = (labels: readonly Line[]): readonly string[] =>
  labels.length === 0
    ? []
    : [`labels ${labels.map(({ name, value }) => `${said(name)}:${said(value)}`).join(', ')}`];

const changesText = (changes: readonly Line[]): readonly string[] =>
  changes.length === 0
    ? []
    : [
        '',
        'said beside it',
        ...changes.map(
          (one) =>
            `    ${time(one['at'])}  position ${said(one['position'])}  ${said(one['kind'])}${one['name'] === null ? '' : ` ${said(one['name'])}`} ` +
            `by ${said(one['signer'])}${noteOf(one)}${overText(one)}${one['reason'] === null ? '' : `: ${said(one['reason'])}`}`,
        ),
      ];

/** Of what goes on for a time: whether it still does. */
const overText = (one: Line): string => {
  if (isOpenLine(one)) return ', not over';
  return one['ended'] === null
    ? ''
    : `, over since ${time(one['endedAt'])} (position ${said(one['ended'])})`;
};

const subjectOf = (attempt: Line): string => {
  if (attempt['unplanned'] === true) return 'unplanned';
  const target = attempt['target'] === null ? '' : ` (${said(attempt['target'])})`;
  const namespace =
    attempt['namespace'] === 'default' ? '' : ` in namespace ${said(attempt['namespace'])}`;
  return `${said(attempt['component'])} ${said(attempt['version'])} to ${said(attempt['environment'])}${target}${namespace}`;
};

const marksOf = (attempt: Line): string =>
  [
    attempt['rollback'] === true ? ', a rollback' : '',
    attempt['rerunOf'] === null ? '' : `, a rerun of attempt ${said(attempt['rerunOf'])}`,
    attempt['suspect'] === true ? ', SUSPECT: its key was found compromised' : '',
    attempt['conflict'] === true ? ', CONFLICT: its gate is held' : '',
  ].join('');

const entryText = (entry: Line): string => {
  const reported = entry['statusReported'];
  const word =
    typeof reported === 'string' && reported !== entry['kind'] ? ` (said as ${reported})` : '';
  const says = entry['says'] === null ? '' : `: ${said(entry['says'])}`;
  const suspect = entry['suspect'] === true ? ', SUSPECT' : '';
  const waited =
    typeof entry['waitedMs'] === 'number' && entry['waitedMs'] > 0
      ? `, waited ${entry['waitedMs']} ms`
      : '';
  const skewed = entry['clockSkewed'] === true ? ', producer clock off' : '';
  return (
    `    ${time(entry['at'])}  position ${said(entry['position'])}  ${said(entry['kind'])}${word} ` +
    `by ${said(entry['signer'])} (key ${said(entry['key'])})${noteOf(entry)}${says}${waited}${skewed}${suspect}`
  );
};

const noteOf = ({ note }: Line): string => (note === 'applied' ? '' : `, ${said(note)}`);

const decisionsText = (decisions: readonly Line[]): readonly string[] =>
  decisions.length === 0
    ? []
    : [
        '  decisions',
        ...decisions.flatMap((decision) => [
          `    ${time(decision['at'])}  position ${said(decision['position'])}  ${said(decision['decision'])} ` +
            `by ${said(decision['signer'])} (key ${said(decision['key'])})${noteOf(decision)}, verdict ${said(decision['verdict'])}: ${said(decision['reason'])}`,
          ...explanationText(decision).map((line) => `      ${line}`),
          `      ${said(decision['windows'])} windows of ${said(decision['windowMs'])} ms, samples ` +
            `${samplesOf(decision['samples'])}, judge ${said(decision['judge'])}, policy ${digestShown(said(decision['policyDigest']))}`,
        ]),
      ];

/** The lines of the metrics say what the other sentences say; of a repeat they stand with what it repeats. */
const explanationText = (decision: Line): readonly string[] => {
  const explanation = said(decision['explanation']);
  const metrics = lines(decision['metrics']);
  return metrics.length === 0 && decision['note'] !== 'repeat'
    ? [explanation]
    : [
        headlineOf(explanation),
        ...metricsText(metrics, decision['carriedFrom'] !== null).map((line) => `  ${line}`),
      ];
};

const samplesOf = (samples: Json | undefined): string => {
  if (!isLine(samples)) return 'unknown';
  return `${said(samples['partition'])}/${said(samples['from'])} to ${said(samples['to'])}`;
};

const detailsOf = (details: Json | undefined): readonly string[] =>
  isLine(details)
    ? Object.entries(details).map(([name, value]) => `  ${wordsOf(name)}: ${valueText(value)}`)
    : [];

/** `functionVersion` as `function version`. */
const wordsOf = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const valueText = (value: Json | undefined): string => {
  if (isList(value)) return value.map(valueText).join(', ');
  if (!isLine(value)) return said(value);
  const { name, value: content, type, id, title } = value;
  if (name !== undefined) return `${said(name)} ${said(content)}`;
  return [said(type), said(id), title === null ? '' : said(title)].join(' ').trimEnd();
};

const fact = (name: string, value: Json | undefined): readonly string[] =>
  value === null || value === undefined ? [] : [`  ${name}: ${said(value)}`];

const said = (value: Json | undefined): string => {
  if (value === undefined || value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const time = (value: Json | undefined): string =>
  typeof value === 'string' ? shortTime(value) : '-';

const lines = (value: Json | undefined): readonly Line[] =>
  isList(value) ? value.filter(isLine) : [];

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const isLine = (value: Json | undefined): value is Line =>
  typeof value === 'object' && value !== null && !isList(value);
