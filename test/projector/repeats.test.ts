import { expect, test } from 'vitest';
import type { CheckTools } from '../../services/core/check/check-record.ts';
import type { FoldState } from '../../services/core/projection.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import {
  again,
  by,
  emptyStore,
  portsOf,
  recordsOf,
  retires,
  tools,
  trusts,
} from '../support/given.ts';
import { audience, planned, started } from '../support/markers.ts';
import { pureFold } from '../support/pure-fold.ts';
import { value } from '../support/records.ts';

/** Folds in batches of two; says which records were decoded, and what became of each. */
const foldWatched = async (records: readonly LogRecord[], restarts = false) => {
  const decoded: number[] = [];
  let at = 0;
  const watching: CheckTools = {
    ...tools,
    codec: {
      ...tools.codec,
      decode: (digest, bytes) => {
        decoded.push(records.findIndex(({ value: own }, index) => index >= at && own === bytes));
        return tools.codec.decode(digest, bytes);
      },
    },
  };
  const store = emptyStore();
  const outcomes: string[] = [];
  let state: FoldState | undefined;
  for (; at < records.length; at += 2) {
    const from = restarts ? value(await loadState(portsOf(store), 'g')) : state;
    const batch = records.slice(at, at + 2);
    const done = value(await applyBatch(portsOf(store, watching), 'g', from, batch));
    ({ state } = done);
    outcomes.push(...done.outcomes.map((one) => ('code' in one ? one.code : one.outcome)));
  }
  expect(value(await store.dump('g'))).toEqual(pureFold(records, audience).dumpAt(records.length));
  return { decoded, outcomes };
};

const history = [
  trusts('ci'), // 1
  by('ci', planned()), // 2
  by('ci', started()), // 3
  again(2), // 4
  again(3), // 5
];

test('what comes again, byte for byte, is a duplicate without being decoded', async () => {
  const { decoded, outcomes } = await foldWatched(await recordsOf(...history));
  expect(decoded).toEqual([0, 1, 2, 3]);
  expect(outcomes.slice(4)).toEqual(['duplicate', 'duplicate']);
});

test('who begins anew remembers nothing, and says the same', async () => {
  const { decoded, outcomes } = await foldWatched(await recordsOf(...history), true);
  expect(decoded).toEqual([0, 1, 2, 3, 4, 5]);
  expect(outcomes.slice(4)).toEqual(['duplicate', 'duplicate']);
});

test('other headers are other bytes', async () => {
  const records = await recordsOf(...history);
  const spoilt = records.map((record) =>
    record.position === 4
      ? {
          ...record,
          headers: record.headers.map((header) =>
            header.name === 'ce_source' ? { ...header, value: Buffer.from('elsewhere') } : header,
          ),
        }
      : record,
  );
  const { decoded, outcomes } = await foldWatched(spoilt);
  expect(decoded).toContain(4);
  expect(outcomes[4]).toBe('header-mismatch');
});

test('a key that has ended ends its repeats, too', async () => {
  const records = await recordsOf(...history.slice(0, 3), retires('ci'), again(2), again(3));
  const { outcomes } = await foldWatched(records);
  expect(outcomes.slice(4)).toEqual(['trust', 'key-retired', 'key-retired']);
});
