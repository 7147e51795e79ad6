/**
 * Orders two well-formed strings as their UTF-8 bytes do (so by code point), without encoding them.
 * JavaScript's own `<` compares UTF-16 units, which puts U+1F600 before U+FF5E; SQLite and Redis do not.
 */
export const compareUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const unitA = a.charCodeAt(at);
    const unitB = b.charCodeAt(at);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
};

/** Half of a surrogate pair stands for a code point above U+FFFF: it ranks after every other unit. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
