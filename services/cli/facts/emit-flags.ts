import { isJsonFields } from '../../core/json-text.ts';
import { kinds } from '../../core/markers/kinds.ts';
import type { Kind } from '../../core/markers/marker.ts';
import type { FieldsOfShape } from '../../core/markers/shape-field.ts';
import type { ToldField } from '../../core/markers/told-fields.ts';
import { toldFields } from '../../core/markers/told-fields.ts';
import type { Body } from '../../core/markers/upcast.ts';
import { nearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Option } from '../commands/command.ts';
import { option } from '../commands/command.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Given } from '../terminal/arguments.ts';

// Flags of `emit`, made from the schemas: one for each field of a kind that can be told.

/** Stands for an id, as in JSON. */
const runOption = option(
  'run',
  'NAME',
  'in place of a deployment: the name of its plan in this run',
);

/** Kinds that can be told, in the order of the register. */
export const tellableKinds = (): readonly Kind[] =>
  (Object.keys(kinds) as Kind[]).filter((kind) => kinds[kind].role === 'emitter');

/** The flags of one kind. */
export const flagsOfKind = (kind: Kind, fieldsOf: FieldsOfShape): readonly Option[] => {
  const fields = toldFields(kind, fieldsOf);
  return fields.flatMap((field) =>
    field.name === 'deployment' ? [flagOf(field), runOption] : [flagOf(field)],
  );
};

/** The flags of all kinds: which of them its kind has is known when the kind is. */
export const flagsOfAll = (fieldsOf: FieldsOfShape): readonly Option[] => [
  ...new Map(
    tellableKinds()
      .flatMap((kind) => flagsOfKind(kind, fieldsOf))
      .map((flag) => [flag.name, flag]),
  ).values(),
];

const flagOf = (field: ToldField): Option => ({
  name: field.name,
  others: field.wholeName === field.name ? [] : [field.wholeName],
  value: valueWord(field),
  meaning: meaningOf(field),
  isRepeatable: field.isList,
  isRequired: false,
});

/** The words where there are only some, else what the schema says; and how it is written, where that is not plain. */
const meaningOf = (field: ToldField): string => {
  if (field.words.length > 0) return field.words.join(' or ');
  const said = saidOf(field.doc);
  switch (field.form) {
    case 'time':
      return `${said}: UTC, or ms since 1970`;
    case 'parts':
      return isPair(field) ? said : `${said}: ${partsText(field)}`;
    case 'truth':
    case 'text':
    case 'whole-number':
    case 'number':
      return said;
  }
};

/** The first sentence, without the kind that it begins with, and without what a null would say. */
const saidOf = (doc: string): string => {
  const [sentence = ''] = /^.*?(?=\.(?:\s|$)|$)/s.exec(doc) ?? [];
  return sentence.replace(/^[a-z-]+: /, '').replace(/,? or null\b.*$/s, '');
};

const partsText = ({ parts }: ToldField): string =>
  `{${parts.map(({ name, isOptional }) => `"${name}": "…"${isOptional ? '?' : ''}`).join(', ')}}`;

const valueWord = (field: ToldField): string | null => {
  switch (field.form) {
    case 'truth':
      return null;
    case 'text':
      return field.words.length > 0 ? 'WORD' : 'TEXT';
    case 'whole-number':
    case 'number':
      return 'NUMBER';
    case 'time':
      return 'TIME';
    case 'parts':
      return isPair(field) ? 'NAME=VALUE' : 'JSON';
  }
};

/** Two texts, such as a name and its value. */
const isPair = ({ parts }: ToldField): boolean =>
  parts.length === 2 && parts.every(({ isOptional }) => !isOptional);

/** Whether any field of any kind is told by a flag. */
export const hasFlags = (given: Given, fieldsOf: FieldsOfShape): boolean =>
  flagsOfAll(fieldsOf).some(({ name }) => given.has(name));

/** JSON that somebody told, and what the flags say beside it or in place of it. */
export const withFlags = (
  json: Body,
  kind: Kind,
  given: Given,
  fieldsOf: FieldsOfShape,
): Result<Body, CliProblem> => {
  const fields = toldFields(kind, fieldsOf);
  const strange = strangeFlag(kind, given, fieldsOf);
  if (strange !== undefined) return strange;
  let told = json;
  for (const field of fields) {
    if (!given.has(field.name)) continue;
    const value = fieldValue(field, given.values(field.name));
    if (!value.ok) return value;
    told = withField(told, field.path, value.value);
  }
  const run = given.value('run');
  if (run === null) return ok(told);
  if (given.has('deployment'))
    return refuse(
      'option-invalid',
      '--deployment and --run are two names for one thing',
      'give one of them',
    );
  return ok({ ...without(told, 'deployment'), run });
};

/** A flag that other kinds have, and this one does not. */
const strangeFlag = (
  kind: Kind,
  given: Given,
  fieldsOf: FieldsOfShape,
): Result<never, CliProblem> | undefined => {
  const names = flagsOfKind(kind, fieldsOf).map(({ name }) => name);
  const strange = flagsOfAll(fieldsOf).find(({ name }) => given.has(name) && !names.includes(name));
  if (strange === undefined) return undefined;
  const near = nearest(strange.name, names);
  return refuse(
    'option-unknown',
    `plimsoll emit --kind=${kind} has no option --${strange.name}`,
    near === undefined
      ? `plimsoll emit --kind=${kind} --help lists them`
      : `did you mean --${near}?`,
  );
};

/** The value of one field, from what was written for it. */
const fieldValue = (field: ToldField, written: readonly string[]): Result<unknown, CliProblem> => {
  const items: unknown[] = [];
  for (const one of written) {
    const item = itemOf(field, one);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok(field.isList ? items : items[0]);
};

const itemOf = (field: ToldField, written: string): Result<unknown, CliProblem> => {
  switch (field.form) {
    case 'truth':
      return ok(true);
    case 'text':
      return ok(written);
    case 'time':
      // A time in words is read where JSON is.
      return ok(/^[0-9]{1,15}$/.test(written) ? Number(written) : written);
    case 'whole-number':
      return /^-?[0-9]{1,15}$/.test(written)
        ? ok(Number(written))
        : unreadable(field, written, 'write a whole number');
    case 'number':
      return numberOf(field, written);
    case 'parts':
      return partsOf(field, written);
  }
};

/** A share may be told in per cent, as everywhere. */
const numberOf = (field: ToldField, written: string): Result<number, CliProblem> => {
  const [, number, percent] =
    /^(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?)(%)?$/i.exec(written) ?? [];
  return number === undefined
    ? unreadable(field, written, 'write a number, or per cent: 0.1 or 10%')
    : ok(Number(number) / (percent === undefined ? 1 : 100));
};

const partsOf = (field: ToldField, written: string): Result<unknown, CliProblem> => {
  const asJson = `JSON: ${partsText(field)}`;
  if (written.trimStart().startsWith('{')) {
    const json = parsed(written);
    return isJsonFields(json) ? ok(json) : unreadable(field, written, `write it as ${asJson}`);
  }
  const [first, second] = field.parts;
  // Labels are written with a colon everywhere else: of both marks the first one ends the name.
  const at = written.search(field.name === 'labels' ? /[:=]/ : /=/);
  if (!isPair(field) || first === undefined || second === undefined)
    return unreadable(field, written, `write it as ${asJson}`);
  return at < 1 || at === written.length - 1
    ? unreadable(field, written, `write it as NAME=VALUE, or as ${asJson}`)
    : ok({ [first.name]: written.slice(0, at), [second.name]: written.slice(at + 1) });
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const quotedMax = 64;
const unreadable = (
  { name }: ToldField,
  written: string,
  hint: string,
): Result<never, CliProblem> =>
  refuse(
    'option-invalid',
    `--${name}=${JSON.stringify(written.slice(0, quotedMax))} cannot be read`,
    hint,
  );

/** The JSON with that field. */
const withField = (json: Body, path: readonly string[], value: unknown): Body => {
  const [first = '', second] = path;
  if (second === undefined)
    return { ...(first === 'deployment' ? without(json, 'run') : json), [first]: value };
  const inside = json[first];
  // A part of the slot stands beside the others, and a null says that there are none.
  if (first === 'slot' && (inside === undefined || inside === null))
    return { ...without(json, 'slot'), [second]: value };
  return { ...json, [first]: { ...(isJsonFields(inside) ? inside : {}), [second]: value } };
};

const without = (json: Body, name: string): Body =>
  Object.fromEntries(Object.entries(json).filter(([one]) => one !== name));
