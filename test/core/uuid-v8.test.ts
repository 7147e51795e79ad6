import { expect, test } from 'vitest';
import { uuidOfParts, uuidV8 } from '../../services/core/uuid-v8.ts';

test('keeps the digest but for the six bits that say which kind of UUID it is', () => {
  expect(uuidV8('0123456789abcdef0123456789abcdef'.repeat(2))).toBe(
    '01234567-89ab-8def-8123-456789abcdef',
  );
  expect(uuidV8('f'.repeat(64))).toBe('ffffffff-ffff-8fff-bfff-ffffffffffff');
  expect(uuidV8('0'.repeat(64))).toBe('00000000-0000-8000-8000-000000000000');
});

test('lists that would run into one another are told apart', () => {
  const seen: string[] = [];
  const digest = (text: string): string => {
    seen.push(text);
    return '0'.repeat(64);
  };
  for (const parts of [['a', 'b'], ['ab'], ['a', '', 'b'], ['', 'ab'], ['1:a1:b']])
    uuidOfParts(digest, parts);
  expect(new Set(seen).size).toBe(5);
});
