import { compareUtf8 } from '../../core/utf8-order.ts';
import type { ScanRange } from '../../ports/read-model-store.ts';

/** The part of an index that a scan walks: at most one condition on each side, so that SQLite seeks to both. */
export type Bounds = {
  readonly low: { readonly operator: '>' | '>='; readonly key: string };
  readonly high: { readonly operator: '<'; readonly key: string } | undefined;
};

export const boundsOf = ({ prefix = '', after, newestFirst = false }: ScanRange): Bounds => {
  const end = prefixEnd(prefix);
  const low = { operator: '>=', key: prefix } as const;
  const high = end === undefined ? undefined : ({ operator: '<', key: end } as const);
  if (after === undefined) return { low, high };
  if (newestFirst)
    return end !== undefined && compareUtf8(after, end) >= 0
      ? { low, high }
      : { low, high: { operator: '<', key: after } };
  return compareUtf8(after, prefix) < 0
    ? { low, high }
    : { low: { operator: '>', key: after }, high };
};

const highestCodePoint = 0x10ffff;

/** The first string, by bytes, that is past all that begin with the prefix; undefined where there is none. */
const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === highestCodePoint) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // U+D800 to U+DFFF are halves of surrogate pairs and no characters.
  points.push(last === 0xd7ff ? 0xe000 : last + 1);
  return String.fromCodePoint(...points);
};
