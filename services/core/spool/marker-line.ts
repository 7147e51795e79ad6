import type { Text } from '../markers/crypto.ts';
import { spooledBytesMax } from './spooled-marker.ts';

// A spooled marker as one line for the log of a CI job, whose disk is gone when it ends: `plimsoll-marker:v1:` and the
// bytes of the spool's file in base64 (RFC 4648, 4).

const prefix = 'plimsoll-marker:v1:';

export const markerLine = (text: Text, spooled: Uint8Array): string =>
  `${prefix}${text.encodeBase64(spooled)}`;

/** Signs of base64 in the longest line that is read. */
const signsMax = Math.ceil(spooledBytesMax / 3) * 4;

/**
 * Finds such lines in a text that comes in pieces, wherever they stand in a line: CI systems write times and colours
 * before them. It holds no more than one line of ours at a time. Answers the bytes of each; undefined for one that is
 * too long or no base64.
 */
export type MarkerLines = {
  readonly add: (piece: string) => readonly (Uint8Array | undefined)[];
  /** What a text ends with that has no line end. */
  readonly end: () => readonly (Uint8Array | undefined)[];
};

export const findMarkerLines = (text: Text): MarkerLines => {
  /** What may be the beginning of a prefix, or a prefix with signs behind it. */
  let held = '';
  const look = (isEnd: boolean): readonly (Uint8Array | undefined)[] => {
    const found: (Uint8Array | undefined)[] = [];
    for (;;) {
      const start = held.indexOf(prefix);
      if (start < 0) {
        held = held.slice(Math.max(0, held.length - prefix.length + 1));
        return found;
      }
      const from = start + prefix.length;
      // What was cut off may have the next one right behind it.
      const next = held.indexOf(prefix, from);
      const until = Math.min(from + signsMax + 1, next < 0 ? held.length : next);
      const signs = /^[A-Za-z0-9+/]*={0,2}/.exec(held.slice(from, until))?.[0] ?? '';
      const isOpen = held.length < from + signs.length + prefix.length && !isEnd;
      if (isOpen && signs.length <= signsMax) {
        held = held.slice(start);
        return found;
      }
      // A sentence that speaks of such lines is none.
      if (signs !== '') found.push(signs.length > signsMax ? undefined : text.decodeBase64(signs));
      held = held.slice(from + signs.length);
    }
  };
  return {
    add: (piece) => {
      held += piece;
      return look(false);
    },
    end: () => look(true),
  };
};
