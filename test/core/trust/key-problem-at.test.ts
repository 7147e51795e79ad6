import { expect, test } from 'vitest';
import { keyProblemAt, retirementGraceMs } from '../../../services/core/trust/trust.ts';
import type { DatedKey } from '../../../services/core/trust/trust.ts';
import { keyOf } from '../../support/given.ts';
import { keyState } from '../../support/key-state.ts';

const retiredAtMs = 1_000_000;
const retiredKey: DatedKey = { ...keyState(keyOf('analyser'), { retiredAt: 7 }), retiredAtMs };
const codeAt = (key: DatedKey, appendedAtMs: number): string =>
  keyProblemAt(key, appendedAtMs)?.code ?? 'good';

test('what a key signed before it was retired stays good, and for the grace after it', () => {
  expect(codeAt(retiredKey, 0)).toBe('good');
  expect(codeAt(retiredKey, retiredAtMs)).toBe('good');
  expect(codeAt(retiredKey, retiredAtMs + retirementGraceMs)).toBe('good');
  expect(codeAt(retiredKey, retiredAtMs + retirementGraceMs + 1)).toBe('key-retired');
});

test('where nobody knows when it was retired, nothing of it is good', () => {
  expect(codeAt(keyState(keyOf('analyser'), { retiredAt: 7 }), 0)).toBe('key-retired');
});

test('what a compromised key signed is never good, whenever that was and whether it is retired too', () => {
  const compromised = { at: 9, since: 8 };
  expect(codeAt(keyState(keyOf('analyser'), { compromised }), 0)).toBe('key-compromised');
  expect(codeAt({ ...retiredKey, compromised }, 0)).toBe('key-compromised');
});
