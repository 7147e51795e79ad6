import { expect, test } from 'vitest';
import {
  judgedAlike,
  noSigners,
  withTaken,
  withUnknown,
} from '../../../services/core/samples/signers.ts';
import type { DatedKey } from '../../../services/core/trust/trust.ts';
import { retirementGraceMs } from '../../../services/core/trust/trust.ts';
import { keyOf } from '../../support/given.ts';
import { keyState } from '../../support/key-state.ts';

const analyser = keyOf('analyser');
const keysWith = (change: Partial<DatedKey> = {}): ReadonlyMap<string, DatedKey> =>
  new Map([[analyser.keyId, { ...keyState(analyser), ...change }]]);
const taken = withTaken(withTaken(noSigners, analyser.keyId, 5_000), analyser.keyId, 4_000);

test('samples of a key that is good, or that nobody knows just now, are judged as they were', () => {
  expect(judgedAlike(noSigners, new Map())).toBe(true);
  expect(judgedAlike(taken, keysWith())).toBe(true);
  expect(judgedAlike(taken, new Map())).toBe(true);
});

test('a retirement changes nothing before the newest of its samples, and something after it', () => {
  const retiredAt = 7;
  const retiredAtMs = 5_000 - retirementGraceMs;
  expect(judgedAlike(taken, keysWith({ retiredAt, retiredAtMs }))).toBe(true);
  expect(judgedAlike(taken, keysWith({ retiredAt, retiredAtMs: retiredAtMs - 1 }))).toBe(false);
});

test('a key that was found compromised makes all that was taken wrong', () => {
  expect(judgedAlike(taken, keysWith({ compromised: { at: 9, since: 8 } }))).toBe(false);
});

test('a key that is known by now makes wrong what was stepped over', () => {
  const unknown = withUnknown(noSigners, analyser.keyId);
  expect(judgedAlike(unknown, new Map())).toBe(true);
  expect(judgedAlike(unknown, keysWith())).toBe(false);
});

test('of keys that nobody knows only so many are remembered', () => {
  let signers = noSigners;
  for (let key = 0; key < 1_000; key++) signers = withUnknown(signers, `${key % 500}`);
  expect(signers.unknown).toHaveLength(100);
});
