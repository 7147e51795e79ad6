import { describe, expect, test } from 'vitest';
import { createKeysWritten, keysWrittenMax } from '../../services/core/keys-written.ts';

/** As ids of markers that are made one after the other. */
const keyOf = (number: number): string =>
  `01a3f0c4-${(number >>> 16).toString(16).padStart(4, '0')}-7${(number & 0xfff).toString(16).padStart(3, '0')}-8000-${number.toString(16).padStart(12, '0')}:ci`;

describe('keys that were written', () => {
  test.each([0, 1, 5_000, 60_000])('of %d keys it knows each, and few others', (count) => {
    const written = createKeysWritten();
    for (let number = 0; number < count; number++) written.add(keyOf(number));
    let forgotten = 0;
    for (let number = 0; number < count; number++)
      if (!written.mayHave(keyOf(number))) forgotten += 1;
    expect(forgotten).toBe(0);
    const others = 20_000;
    let mistaken = 0;
    for (let number = count; number < count + others; number++)
      if (written.mayHave(keyOf(number))) mistaken += 1;
    expect(mistaken).toBeLessThan(others / 30);
  });

  test('of more than it has room for it says of every key that it may be there', () => {
    const written = createKeysWritten();
    for (let number = 0; number <= keysWrittenMax; number++) written.add(`${number}`);
    expect(written.mayHave(keyOf(1))).toBe(true);
    expect(written.mayHave('0')).toBe(true);
  });
});
