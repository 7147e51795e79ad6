import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryRecordLog } from '../../../services/adapters/memory/record-log.ts';
import type { AtHand } from '../../../services/cli/ports.ts';
import { readAtHand } from '../../../services/cli/reading/reader-at-hand.ts';
import { scanRows } from '../../../services/cli/reading/reading.ts';
import type { LogRecord, Position } from '../../../services/core/log/record.ts';
import { heldAt, slotLessons } from '../../../services/core/point-in-time.ts';
import { slotKey } from '../../../services/core/markers/slot.ts';
import type { SlotState } from '../../../services/core/slot-state.ts';
import { presentOf } from '../../../services/core/views.ts';
import { foldToEnd } from '../../../services/projector/catch-up.ts';
import type { Step } from '../../support/given.ts';
import { emptyStore, recordsOf, tools } from '../../support/given.ts';
import { histories } from '../../support/histories.ts';
import { audience } from '../../support/markers.ts';
import { value } from '../../support/records.ts';

/** The records on a log, with the times that they have. */
const logOf = async (records: readonly LogRecord[]) => {
  let nowMs = 0;
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => nowMs });
  for (const record of records) {
    nowMs = record.appendedAtMs;
    value(await log.append(0, [record]));
  }
  return log;
};

/** Read models of the records before a position, of a log that goes on or of one that ends there. */
const foldedBefore = async (records: readonly LogRecord[], to?: Position): Promise<AtHand> => {
  const store = emptyStore();
  const log = await logOf(records);
  const ports = { log, store, tools, audience, pinnedLogId: null };
  const folded = value(await foldToEnd(ports, 'g1', to === undefined ? {} : { to }));
  return { log, store, generation: 'g1', state: folded.state };
};

const share = fc.double({ min: 0, max: 1, noNaN: true });
const cutIn = (records: readonly LogRecord[], at: number): Position =>
  1 + Math.floor(at * (records.length - 1));

test('what was known at a position is what the log says that ends there', async () => {
  await fc.assert(
    fc.asyncProperty(histories({ stepsMax: 60 }), share, async (steps, at) => {
      const records = await recordsOf(...steps);
      const position = cutIn(records, at);
      const past = await foldedBefore(records, position);
      const cut = await foldedBefore(records.slice(0, position));
      expect(value(await past.store.dump('g1'))).toEqual(value(await cut.store.dump('g1')));
      const { logTimeMs } = past.state;
      for (const list of ['current', 'timeline', 'dead-letters', 'keys'] as const)
        expect(value(await readAtHand(past, logTimeMs).list(list, {}))).toEqual(
          value(await readAtHand(cut, logTimeMs).list(list, {})),
        );
    }),
    { numRuns: 40 },
  );
});

const onTime = (step: Step): Step => {
  if (!('by' in step)) return step;
  const { waitedMs: _waited, deliveredBy: _by, ...rest } = step;
  return rest;
};

test('where nothing waited and every update met its plan, nothing else is known now of then', async () => {
  await fc.assert(
    fc.asyncProperty(histories({ stepsMax: 60 }), share, async (steps, at) => {
      const records = await recordsOf(...steps.map(onTime));
      const position = cutIn(records, at);
      const past = await foldedBefore(records, position);
      const now = await foldedBefore(records);
      const unplanned = value(await scanRows<{ readonly unplanned: boolean }>(past, 'timeline'));
      fc.pre(!unplanned.some((line) => line.unplanned));
      const atMs = past.state.logTimeMs;
      const before = value(await scanRows<SlotState>(past, 'slot'));
      for (const state of value(await scanRows<SlotState>(now, 'slot'))) {
        const stood = before.find(({ slot }) => slotKey(slot) === slotKey(state.slot));
        expect(heldAt(state, atMs)?.position).toBe(stood?.holders.at(-1)?.position);
        const moment = { position, atMs };
        const known = { deployments: new Map(), held: undefined, late: [], keys: [] };
        expect(slotLessons(moment, stood, state, presentOf(atMs, []), known)).toBe(undefined);
      }
    }),
    { numRuns: 40 },
  );
});
