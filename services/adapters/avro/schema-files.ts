import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shape } from '../../core/markers/codec.ts';
import { packageRoot } from '../system/package-root.ts';

/** One published schema, as its file holds it. */
export type SchemaFile = {
  readonly shape: Shape;
  readonly version: number;
  readonly text: string;
};

/** The folder that comes with this code. */
export const schemasFolder: string = join(packageRoot, 'schemas');

/**
 * Every `<shape>.v<n>.avsc` of the folder, by shape and version. Throws for a file of a shape that this
 * code does not know: the folder and the code are published together.
 */
export function loadSchemas(folder: string = schemasFolder): readonly SchemaFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => {
      const name = parseSchemaFileName(file);
      if (name === undefined) throw new Error(`${file} is not named <shape>.v<version>.avsc`);
      return Object.assign(lazyText(join(folder, file)), name);
    })
    .toSorted((a, b) => (a.shape === b.shape ? a.version - b.version : a.shape < b.shape ? -1 : 1));
}

/** Read when it is first asked for: a command writes with one schema of many. */
const lazyText = (path: string): { readonly text: string } => {
  let text: string | undefined;
  return {
    get text() {
      return (text ??= readFileSync(path, 'utf8'));
    },
  };
};

/** `update.v2.avsc` is version 2 of update; undefined for any name that is not exactly of that form. */
export function parseSchemaFileName(
  file: string,
): { readonly shape: Shape; readonly version: number } | undefined {
  const match = /^([a-z]+)\.v([1-9][0-9]{0,3})\.avsc$/.exec(file);
  const shape = match?.[1];
  if (shape === undefined || !isShape(shape)) return undefined;
  return { shape, version: Number(match?.[2]) };
}

const shapes: { readonly [Name in Shape]: true } = {
  plan: true,
  update: true,
  place: true,
  change: true,
  decision: true,
  trust: true,
  operation: true,
  policy: true,
  instance: true,
  points: true,
  analysis: true,
  tick: true,
  copy: true,
};

const isShape = (word: string): word is Shape => Object.hasOwn(shapes, word);
