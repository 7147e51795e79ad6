import { isKind, kinds } from '../../core/markers/kinds.ts';
import type { Kind } from '../../core/markers/marker.ts';
import type { FieldsOfShape } from '../../core/markers/shape-field.ts';
import { toldFields } from '../../core/markers/told-fields.ts';
import type { Option } from '../commands/command.ts';
import { meaningOf, twoColumns, written } from '../terminal/help.ts';
import { flagsOfKind } from './emit-flags.ts';

/**
 * The help about the flags of one kind: `plimsoll emit KIND --help`, with the kind in either form, or `plimsoll help
 * emit KIND`. Undefined: no kind that can be told is named.
 */
export const emitHelp = (
  about: string,
  args: readonly string[],
  fieldsOf: FieldsOfShape,
): string | undefined => {
  const kind = about === 'emit' ? kindAmong(args) : /^emit (\S+)$/.exec(about)?.[1];
  return kind === undefined || !isKind(kind) || kinds[kind].role !== 'emitter'
    ? undefined
    : helpOf(kind, fieldsOf);
};

const kindAmong = (args: readonly string[]): string | undefined => {
  const inline = args.find((arg) => arg.startsWith('--kind='))?.slice('--kind='.length);
  const apart = args.indexOf('--kind');
  return inline ?? (apart < 0 ? args.find((arg) => isKind(arg)) : args[apart + 1]);
};

const helpOf = (kind: Kind, fieldsOf: FieldsOfShape): string => {
  const required = new Set(
    toldFields(kind, fieldsOf).flatMap(({ name, isRequired }) => (isRequired ? [name] : [])),
  );
  const flags = flagsOfKind(kind, fieldsOf).map((flag) => ({
    ...flag,
    isRequired: required.has(flag.name),
  }));
  const asked = flags.filter(({ isRequired }) => isRequired);
  const rest = flags.filter(({ isRequired }) => !isRequired);
  const rows = [...asked, ...rest].map((flag) => [written(flag), meaningOf(flag)] as const);
  const leftWidth = Math.max(...rows.map(([left]) => left.length));
  return [
    `plimsoll emit --kind=${kind} [FLAGS]`,
    `  ${kinds[kind].headline}: a flag for each field of its schema`,
    '',
    ...twoColumns(rows.flatMap((row) => rowsOf(row, leftWidth))),
    '',
    'A field of slot or details may be named whole: --slot.environment, --details.commit.',
    '--from-json=FILE tells some of them in JSON; flags win. How it is delivered and signed:',
    'plimsoll emit --help.',
    'Example:',
    `  plimsoll emit --kind=${kind} ${exampleOf(kind, asked)}`,
    '',
  ].join('\n');
};

const columnsMax = 100;

/** What is told of a flag goes on below itself where it is longer than the screen. */
const rowsOf = (
  [left, right]: readonly [string, string],
  leftWidth: number,
): readonly (readonly [string, string])[] => {
  const lines: string[] = [];
  for (const word of right.split(' ')) {
    const last = lines.at(-1);
    const isFitting = last !== undefined && last.length + word.length < columnsMax - leftWidth - 4;
    if (isFitting) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => [index === 0 ? left : '', line]);
};

const names: { readonly [what: string]: string } = {
  flag: 'new-basket',
  config: 'limits.yaml',
  secret: 'db-password',
  migration: 'add-column',
  incident: 'INC-7',
};
const samples: { readonly [flag: string]: string } = {
  component: 'shop',
  version: '2.0.0',
  phase: 'bake',
  outcome: 'succeeded',
  labels: 'team=payments',
};

/** What has to be said, or, of what can be said with nothing more, whose it is. */
const exampleOf = (kind: Kind, asked: readonly Option[]): string => {
  const [what = ''] = kind.split('-');
  const told = asked.map(({ name }) => `--${name}=${samples[name] ?? names[what] ?? 'TEXT'}`);
  const run = kinds[kind].shape === 'update' ? ['--run=default'] : [];
  const share = kind === 'traffic-shifted' ? ['--canary-share=0.25'] : [];
  return [...run, ...told, ...share].join(' ');
};
