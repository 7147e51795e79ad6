import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowsDigestOf } from '../../services/core/rows-digest.ts';
import type { FoldState } from '../../services/core/projection.ts';
import { applyBatch, loadState } from '../../services/projector/project.ts';
import { emptyStore, portsOf, recordsOf, tools } from '../support/given.ts';
import { histories } from '../support/histories.ts';
import { value } from '../support/records.ts';

const rowsIn = (dump: readonly string[]) =>
  dump.map((line) => {
    const [model = '', key = '', ...text] = line.split('\n');
    return { model, key, value: text.join('\n') };
  });

const digestOf = (dump: readonly string[]): string => rowsDigestOf(tools.crypto, rowsIn(dump));

test('after every step, however the log is cut, the checkpoint holds the digest of all rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories({ stepsMax: 60 }),
      fc.array(fc.record({ length: fc.integer({ min: 1, max: 20 }), restarts: fc.boolean() }), {
        minLength: 1,
        maxLength: 12,
      }),
      async (steps, cuts) => {
        const records = await recordsOf(...steps);
        const store = emptyStore();
        let state: FoldState | undefined;
        for (let from = 0, cut = 0; from < records.length; cut++) {
          const { length, restarts } = cuts[cut % cuts.length] ?? { length: 1, restarts: false };
          const batch = records.slice(from, from + length);
          // Who begins anew reads its rows; who goes on remembers them.
          const before = restarts ? value(await loadState(portsOf(store), 'g')) : state;
          ({ state } = value(await applyBatch(portsOf(store), 'g', before, batch)));
          from += length;
          const checkpoint = value(await store.checkpoint('g'));
          expect(checkpoint?.rowsDigest).toBe(digestOf(value(await store.dump('g'))));
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('a row that was changed, removed or added behind the back of the fold is found by comparing', async () => {
  const records = await recordsOf();
  const store = emptyStore();
  value(await applyBatch(portsOf(store), 'g', undefined, records));
  const digest = value(await store.checkpoint('g'))?.rowsDigest;
  const rows = rowsIn(value(await store.dump('g')));
  const [first, ...rest] = rows;
  if (first === undefined) throw new Error('there are no rows');
  const found = (changed: typeof rows): boolean => rowsDigestOf(tools.crypto, changed) !== digest;
  expect({
    same: found(rows.toReversed()),
    removed: found(rest),
    added: found([...rows, { ...first, key: `${first.key}2` }]),
    changed: found([{ ...first, value: `${first.value} ` }, ...rest]),
    moved: found([{ ...first, model: 'elsewhere' }, ...rest]),
    doubled: found([first, ...rows]),
  }).toEqual({
    same: false,
    removed: true,
    added: true,
    changed: true,
    moved: true,
    doubled: true,
  });
});
