/** A value that JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/**
 * JSON with sorted names and no white space: the same value is the same bytes. Numbers must be finite.
 * Names sort by UTF-16 code units, as in RFC 8785.
 */
export const canonicalJson = (value: Json): string => {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON holds finite numbers only');
    return String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  // Joined, not added up: a row is kept, and a string that was added up keeps all its pieces.
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = sortedNames(value).map(
    (name) => `${quoted(name)}:${canonicalJson(value[name] ?? null)}`,
  );
  return `{${fields.join(',')}}`;
};

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** Rows are written by the thousand, and most of their text is plain: half the time of quoting each. */
const plainText = /^[ !#-[\]-~]*$/;
const quoted = (text: string): string =>
  plainText.test(text) ? `"${text}"` : JSON.stringify(text);

/** A row that was read back has its names in order already. */
const sortedNames = (value: { readonly [name: string]: Json }): readonly string[] => {
  const names = Object.keys(value);
  for (let index = 1; index < names.length; index++)
    if ((names[index] ?? '') < (names[index - 1] ?? '')) return names.toSorted();
  return names;
};
