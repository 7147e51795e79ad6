/**
 * Why a store cannot keep a row at this place, or undefined. Stores join model, key and value with line breaks,
 * so model and key hold none; and half a surrogate pair has no UTF-8 bytes, so two different keys would become one.
 */
export const rowFault = ({
  model,
  key,
  value,
}: {
  readonly model: string;
  readonly key: string;
  readonly value?: string | null;
}): 'line-break' | 'not-unicode' | undefined => {
  if (model.includes('\n') || key.includes('\n')) return 'line-break';
  const isUnicode = model.isWellFormed() && key.isWellFormed() && (value ?? '').isWellFormed();
  return isUnicode ? undefined : 'not-unicode';
};
