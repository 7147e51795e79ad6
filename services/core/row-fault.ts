/**
 * Why a store cannot keep a row at this place, or undefined. Stores join model, key and value with line breaks,
 * so model and key hold none; and half a surrogate pair has no UTF-8 bytes, so two different keys would become one.
 */
export const rowFault = (row: {
  readonly model: string;
  readonly key: string;
  readonly value?: string | null;
}): 'line-break' | 'not-unicode' | undefined => {
  if (row.model.includes('\n') || row.key.includes('\n')) return 'line-break';
  const texts = [row.model, row.key, row.value ?? ''];
  return texts.every((text) => text.isWellFormed()) ? undefined : 'not-unicode';
};
