import type { Position } from '../log/record.ts';

/** What the index of marker ids says of one: where it stands, what it said, and where its attempt is. */
export type MarkerRow = {
  readonly position: Position;
  /** The first 32 hex digits of the SHA-256 of its value: there are very many of these rows. */
  readonly digestStart: string;
  /** Where its attempt was opened: the key of its line in `timeline`. Null for an operation. */
  readonly openedAt: Position | null;
};

const digestDigits = 32;

export const markerRowOf = (
  position: Position,
  digest: string,
  openedAt: Position | null,
): MarkerRow => ({ position, digestStart: digest.slice(0, digestDigits), openedAt });

/** Whether a value with this SHA-256 is the one that the index has. */
export const isSameContent = ({ digestStart }: MarkerRow, digest: string): boolean =>
  digest.startsWith(digestStart);

/**
 * Hex digits in pairs, which a store may keep in half the bytes: the digest; how many the position has; the
 * position; how many records before it the attempt was opened, plus one, or 0 for none.
 */
export const packMarker = ({ position, digestStart, openedAt }: MarkerRow): string => {
  const at = position.toString(16);
  const back = (openedAt === null ? 0 : position - openedAt + 1).toString(16);
  const digits = `${at.length.toString(16)}${at}${back}`;
  return `${digestStart}${digits.length % 2 === 0 ? digits : `${at.length.toString(16)}${at}0${back}`}`;
};

export const unpackMarker = (packed: string): MarkerRow => {
  const digits = Number.parseInt(packed.charAt(digestDigits), 16);
  const start = digestDigits + 1;
  const position = Number.parseInt(packed.slice(start, start + digits), 16);
  const back = Number.parseInt(packed.slice(start + digits), 16);
  return {
    position,
    digestStart: packed.slice(0, digestDigits),
    openedAt: back === 0 ? null : position - back + 1,
  };
};
