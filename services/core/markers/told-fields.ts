import { kinds } from './kinds.ts';
import type { Kind } from './marker.ts';
import { fieldAsked } from './parse-marker.ts';
import type { FieldsOfShape, ShapeField } from './shape-field.ts';
import { defaultsOf, isOneOfItsOwn, notTold } from './told-json.ts';
import type { Body } from './upcast.ts';

// What somebody can tell of a kind, field by field: made from its schema and from what its kind asks of the fields.

export type ToldField = ShapeField & {
  /** As an option has it: `commit`, `function-version`. No two fields of a kind share one. */
  readonly name: string;
  /** The same with what it stands in: `details.commit`. */
  readonly wholeName: string;
  /** The only words that it takes; none: any. */
  readonly words: readonly string[];
  readonly isRequired: boolean;
};

/** The fields of a kind that can be told, in the order of its schema. */
export const toldFields = (kind: Kind, fieldsOf: FieldsOfShape): readonly ToldField[] =>
  fieldsOf(kinds[kind].shape).flatMap((field): readonly ToldField[] => {
    const path = field.path.join('.');
    const { isUnsaid, words, isRefused } = fieldAsked(kind, path);
    const isKnown = notTold.includes(path) || path === 'kind' || path === 'audience';
    if (isKnown || isUnsaid || (path === 'deployment' && isOneOfItsOwn(kind))) return [];
    const byDefault = defaultOf(kind, path) ?? field.byDefault;
    return [
      {
        ...field,
        words,
        byDefault,
        name: kebab(field.path.at(-1) ?? path),
        wholeName: field.path.map(kebab).join('.'),
        isRequired: !isFilledIn(path) && (byDefault === undefined || isRefused(byDefault)),
      },
    ];
  });

/** What stands there without being told, and in no schema. */
const defaultOf = (kind: Kind, path: string): unknown => {
  const byKind: Body = defaultsOf(kind);
  return path === 'slot.namespace' || path === 'slot.environment' ? 'default' : byKind[path];
};

/** What whoever takes it knows: the time, and the deployment of the run. */
const isFilledIn = (path: string): boolean => path === 'occurredAt' || path === 'deployment';

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
