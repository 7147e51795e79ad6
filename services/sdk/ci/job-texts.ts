/** Every text in what a CI job says of itself: nobody typed it, so a secret in it is written over and refuses nothing. */
export const textsIn = (value: unknown): ReadonlySet<string> => {
  if (typeof value === 'string') return new Set([value]);
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(Object.values(value).flatMap((item) => [...textsIn(item)]));
};
