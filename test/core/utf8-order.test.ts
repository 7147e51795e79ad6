import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { compareUtf8 } from '../../services/core/utf8-order.ts';

test('strings are ordered as their UTF-8 bytes are', () => {
  const unit = fc.string({ unit: 'binary', maxLength: 6 });
  const order = fc.property(unit, unit, (a, b) => {
    expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
  });
  fc.assert(order, { numRuns: 1_000, examples: [['\u{1f600}', '\uff5e']] });
});
