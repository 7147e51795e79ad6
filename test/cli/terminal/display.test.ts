import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  displayWidth,
  jsonText,
  plainText,
  shortened,
  shortTime,
  table,
} from '../../../services/cli/terminal/display.ts';

test('nothing that steers a terminal, or turns the direction of writing, gets through', () => {
  expect(plainText('a\u001b[31mb\nc\u202ed\u200be\u2028f')).toBe(
    String.raw`a\u001b[31mb\nc\u202ed\u200be\u2028f`,
  );
  for (const code of [0x00, 0x07, 0x1b, 0x7f, 0x9b, 0x061c, 0x200e, 0x2029, 0x202e, 0x2066, 0x2069])
    expect(plainText(String.fromCharCode(code))).toBe(
      String.raw`\u` + code.toString(16).padStart(4, '0'),
    );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plainText(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test('JSON steers no terminal either, and says the same to every reader', () => {
  expect(jsonText({ version: 'a\u009b31mb\u202e', '\u0085': ['\u007f'] })).toBe(
    String.raw`{"version":"a\u009b31mb\u202e","\u0085":["\u007f"]}`,
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (json, text) => {
      const line = jsonText({ json, text });
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify({ json, text })));
    }),
  );
});

describe('a table', () => {
  test('is aligned by what a terminal shows, and leaves out columns that are empty', () => {
    expect(
      table(
        ['NAME', 'TARGET', 'VERSION'],
        [
          ['größe', '', '1'],
          ['注文', '', '2'],
          ['e\u0301', '', '3'],
        ],
        null,
      ),
    ).toEqual(['NAME   VERSION', 'größe  1', '注文   2', 'e\u0301      3']);
  });

  test('is never wider than the terminal', () => {
    const cells = fc.array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(cells, fc.integer({ min: 10, max: 60 }), (rows, columns) => {
        for (const line of table(['A', 'B'], rows, columns))
          expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
    expect(shortened('abcdef', 4)).toBe('abc…');
    expect(shortened('注文注文', 4)).toBe('注…');
  });

  test('shows times in UTC and says so', () => {
    expect(shortTime('2026-11-21T10:00:00.123Z')).toBe('2026-11-21 10:00:00Z');
    expect(shortTime(null)).toBe('');
  });
});
