import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { findMarkerLines, markerLine } from '../../../services/core/spool/marker-line.ts';
import { spooledBytesMax } from '../../../services/core/spool/spooled-marker.ts';
import { tools } from '../../support/given.ts';

const { text } = tools;

const foundIn = (written: string, pieceLength: number): readonly (Uint8Array | undefined)[] => {
  const lines = findMarkerLines(text);
  const found: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < written.length; at += pieceLength)
    found.push(...lines.add(written.slice(at, at + pieceLength)));
  return [...found, ...lines.end()];
};

/** What CI systems write around a line; nothing of it is of the alphabet of base64. */
const around = fc.string({
  unit: fc.constantFrom(' ', '\n', '\r', '\t', '.', ':', ';', '\u001b', '[', ']', '"', '|', '-'),
  maxLength: 20,
});

test('lines are found wherever they stand, in pieces of any length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(around, fc.uint8Array({ minLength: 1, maxLength: 60 }), around), {
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 40 }),
      (parts, pieceLength) => {
        const written = parts
          .map(([before, bytes, after]) => `${before}${markerLine(text, bytes)}\n${after}`)
          .join('');
        expect(foundIn(written, pieceLength)).toEqual(parts.map(([, bytes]) => bytes));
      },
    ),
  );
});

describe('of a hostile log', () => {
  test('a line that never ends is told once, and what follows is found', () => {
    const endless = `plimsoll-marker:v1:${'A'.repeat(2 * spooledBytesMax)}`;
    const good = markerLine(text, Uint8Array.of(1, 2, 3));
    expect(foundIn(`${endless} ${good}\n`, 65_536)).toEqual([undefined, Uint8Array.of(1, 2, 3)]);
  });

  test('a line that was cut off by the next one does not take it along', () => {
    const good = markerLine(text, Uint8Array.of(1, 2, 3));
    expect(foundIn(`plimsoll-marker:v1:AAAAA${good}`, 9)).toEqual([
      undefined,
      Uint8Array.of(1, 2, 3),
    ]);
  });

  test('what is no base64 is told as such', () => {
    expect(
      foundIn('plimsoll-marker:v1:AAA plimsoll-marker:v1:… plimsoll-marker:v1:A=== x', 7),
    ).toEqual([undefined, undefined]);
  });

  test('prefixes without number hold nothing up', () => {
    const found = foundIn('plimsoll-marker:v1:'.repeat(20_000), 65_536);
    expect(found).toEqual([]);
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant('plimsoll-marker:v1:'), fc.string()), { maxLength: 20 }),
        fc.integer({ min: 1, max: 9 }),
        (parts, pieceLength) => {
          expect(() => foundIn(parts.join(''), pieceLength)).not.toThrow();
        },
      ),
    );
  });
});
