import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { boundsOf } from '../../../services/adapters/sqlite/scan-range.ts';
import { compareUtf8 } from '../../../services/core/utf8-order.ts';

test('the keys between the bounds of a prefix are those that begin with it', () => {
  // Around every place where the next character is not the next number.
  const letter = fc.constantFrom(
    '\0',
    'a',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  );
  const anyKey = fc.array(letter, { maxLength: 3 }).map((letters) => letters.join(''));
  const property = fc.property(anyKey, anyKey, (prefix, key) => {
    const { low, high } = boundsOf({ prefix, rowsMax: 1 });
    expect(high?.key.isWellFormed() ?? true).toBe(true);
    const isAbove = compareUtf8(key, low.key) >= 0;
    const isBelow = high === undefined || compareUtf8(key, high.key) < 0;
    expect(isAbove && isBelow).toBe(key.startsWith(prefix));
  });
  fc.assert(property, { numRuns: 2_000 });
});
