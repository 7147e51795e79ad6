import type { Shape } from './codec.ts';

/** What a field holds, so that it can be read from a text. */
export type FieldForm =
  | 'text'
  | 'whole-number'
  | 'number'
  | 'truth'
  /** Milliseconds since 1970. */
  | 'time'
  /** A record inside a list; only lists hold them. */
  | 'parts';

/** One field of a shape that holds no other record, as its newest schema has it. */
export type ShapeField = {
  /** `['slot', 'environment']`. */
  readonly path: readonly string[];
  readonly doc: string;
  readonly form: FieldForm;
  readonly isList: boolean;
  /** Of `parts`: the names of its fields, in the schema's order. Else none. */
  readonly parts: readonly { readonly name: string; readonly isOptional: boolean }[];
  /** What is written where nobody says anything; undefined: it has to be said. */
  readonly byDefault: unknown;
};

/** The fields of a shape, in the schema's order. Pure. */
export type FieldsOfShape = (shape: Shape) => readonly ShapeField[];
