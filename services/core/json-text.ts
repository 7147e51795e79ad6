export type JsonFields = { readonly [name: string]: unknown };

/** What a text holds, unchecked; undefined: it is no JSON. For texts whose length is capped already. */
export const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The fields of the object that a text holds, unchecked; undefined: it is no JSON object. */
export const jsonFieldsIn = (text: string): JsonFields | undefined => {
  const given = jsonIn(text);
  return isJsonFields(given) ? given : undefined;
};

/** Whether a value out of JSON is an object, and no list. */
export const isJsonFields = (value: unknown): value is JsonFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
