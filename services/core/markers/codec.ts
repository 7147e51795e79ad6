import type { Result } from '../result.ts';

/** Shapes of the log, of `instances`, then of `samples`. One schema per shape and version. */
export type Shape =
  | 'plan'
  | 'update'
  | 'place'
  | 'change'
  | 'decision'
  | 'trust'
  | 'operation'
  | 'policy'
  | 'instance'
  | 'points'
  | 'analysis'
  | 'tick'
  | 'copy';

/** A published schema. `digest` is the SHA-256 (hex) of its parsing canonical form (Avro 1.12). */
export type SchemaRef = {
  readonly shape: Shape;
  readonly version: number;
  readonly digest: string;
};

/**
 * - `body-malformed`: not one value of that schema, or bytes are left over.
 * - `body-too-deep`: more items or nesting than any record of ours has (a decode bomb).
 * - `body-not-canonical`: it decodes, but encoding it again gives other bytes.
 */
export type DecodeProblem = {
  readonly code: 'schema-unknown' | 'body-malformed' | 'body-too-deep' | 'body-not-canonical';
  readonly message: string;
};

/** The fields that every shape begins with, so that a record of an unknown schema can still be listed. */
export type EnvelopePrefix = {
  readonly marker: string;
  readonly deployment: string | null;
  readonly kind: string;
  readonly audience: string;
};

/** A field that is missing, or is none of the shape, or not of its type. `path`: for instance `slot.component`. */
export type FillProblem = {
  readonly code: 'field-invalid';
  readonly path: string;
  readonly message: string;
};

/** Completes a body that was written by hand with what its shape says by default. Pure, and takes anything. */
export type FillBody = (
  shape: Shape,
  written: unknown,
) => Result<{ readonly [field: string]: unknown }, FillProblem>;

/** Turns bodies into bytes and back. Pure: the same bytes give the same answer on every machine. */
export type MarkerCodec = {
  readonly schema: (digest: string) => SchemaRef | undefined;
  /** The version of a shape that this code writes. */
  readonly writer: (shape: Shape) => SchemaRef;
  /** Throws a TypeError for a body that is not of the shape: a programmer's error. */
  readonly encode: (
    shape: Shape,
    body: unknown,
  ) => { readonly schema: SchemaRef; readonly bytes: Uint8Array };
  /** Bounded, and exact: answers only bodies whose encoding is these very bytes. Never throws on bytes. */
  readonly decode: (
    digest: string,
    bytes: Uint8Array,
  ) => Result<{ readonly schema: SchemaRef; readonly body: unknown }, DecodeProblem>;
  /** The common first fields of a record of any schema, or undefined. Nothing in it may be acted on. */
  readonly prefix: (bytes: Uint8Array) => EnvelopePrefix | undefined;
};
