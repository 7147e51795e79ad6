import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Slot } from '../../services/core/markers/marker.ts';
import { packMarker } from '../../services/core/row-forms/marker.ts';
import { readRow, rowText } from '../../services/core/row-text.ts';
import type { SlotState } from '../../services/core/slot-state.ts';
import { pastMax } from '../../services/core/slot-state.ts';

const anySlot: fc.Arbitrary<Slot> = fc.record({
  namespace: fc.string(),
  environment: fc.string({ unit: 'grapheme' }),
  component: fc.stringMatching(/^[a-z0-9._~/-]{0,12}$/),
  target: fc.option(fc.string()),
});

type Past = SlotState['past'];
const entry: fc.Arbitrary<Past[number]> = fc.record({
  version: fc.string({ unit: 'grapheme' }),
  digest: fc.option(fc.string()),
  position: fc.nat(),
  since: fc.nat(),
});

/** Each makes another past of the one before. */
const change: fc.Arbitrary<(past: Past) => Past> = fc.oneof(
  entry.map((one) => (past: Past) => [...past, one].slice(-pastMax)),
  fc.tuple(entry, fc.nat()).map(
    ([one, at]) =>
      (past: Past) =>
        past.toSpliced(at % (past.length + 1), 0, one),
  ),
  fc.nat(3).map((count) => (past: Past) => past.slice(count)),
  fc.nat(3).map((count) => (past: Past) => past.slice(0, past.length - count)),
  fc.constant((past: Past) => past.map((one) => ({ ...one }))),
  fc.constant((past: Past) => past),
);

const anyRemoved = fc.array(
  fc.record({ version: fc.option(fc.constantFrom('1', '0')), at: fc.nat() }),
  { maxLength: 3 },
);

test('the row of a slot that changes again and again is the text of a slot that was never written before', () => {
  fc.assert(
    fc.property(
      anySlot,
      fc.array(change, { maxLength: 80 }),
      anyRemoved,
      (slot, changes, removed) => {
        let past: Past = [];
        for (const next of changes) {
          past = next(past);
          const state: SlotState = {
            slot,
            holders: [],
            doubt: null,
            beside: [],
            past,
            removed,
            keysAlone: null,
          };
          const text = rowText('slot', state);
          expect(text).toBe(rowText('slot', structuredClone(state)));
          expect(text).toBe(JSON.stringify(JSON.parse(text)));
          expect(readRow('slot', text)).toEqual({
            ...state,
            slot: { ...slot, target: slot.target === '' ? null : slot.target },
          });
        }
      },
    ),
  );
});

test('the row of a marker is JSON', () => {
  const digits = fc.stringMatching(/^[0-9a-f]{32}$/);
  fc.assert(
    fc.property(fc.nat(), digits, fc.option(fc.nat()), (position, digestStart, back) => {
      const openedAt = back === null ? null : Math.max(position - back, 0);
      const row = { position, digestStart, openedAt };
      const text = rowText('marker', row);
      expect(text).toBe(JSON.stringify(packMarker(row)));
      expect(readRow('marker', text)).toEqual(row);
    }),
  );
});
