import { expect, test } from 'vitest';
import type { Result } from '../../services/core/result.ts';
import { ok } from '../../services/core/result.ts';
import type { ReplayProblem } from '../../services/ports/replaying.ts';
import type { Side } from '../../services/replay/diff.ts';
import { compare } from '../../services/replay/diff.ts';
import { emptyStore } from '../support/given.ts';
import { value } from '../support/records.ts';

const keyOf = (index: number): string => String(index).padStart(12, '0');

/** A generation of so many rows of one model, newest key first, each with the same text. */
const sideOf = (
  text: string,
  count: number,
  onRows: (keys: number) => void = () => undefined,
): Side => ({
  generation: 'g1',
  isFiltered: false,
  store: {
    ...emptyStore(),
    walk: async (_generation, cursor, rowsMax) => {
      const from = cursor === undefined ? count : Number(cursor);
      const length = Math.min(rowsMax, from);
      const rows = Array.from({ length }, (_, index) => ({
        ...{ model: 'timeline', key: keyOf(from - 1 - index), value: text },
      }));
      return ok({ rows, cursor: from > length ? String(from - length) : undefined });
    },
    rows: async (_generation, keys) => {
      onRows(keys.length);
      const held = keys.filter(({ key }) => Number(key) < count);
      return ok({
        checkpoint: {
          ...{ logId: 'log', next: 1, lastDigest: 'd', foldVersion: 1 },
          rowsDigest: '0'.repeat(32),
        },
        rows: new Map(held.map(({ model, key }) => [`${model}\n${key}`, text])),
      });
    },
  },
});

const level = async (): Promise<Result<void, ReplayProblem>> => ok(undefined);

test('of more rows than are shown the first by key are shown, and all are counted', async () => {
  const diff = value(await compare(sideOf('a', 21_000), sideOf('b', 20_500), level, {}));
  expect(diff.models).toEqual([{ model: 'timeline', added: 0, removed: 500, changed: 20_500 }]);
  expect(diff.isCut).toBe(true);
  expect(diff.differences.map(({ key }) => key)).toEqual(
    Array.from({ length: 10_000 }, (_, index) => keyOf(index)),
  );
});

test('rows that differ are read a page of each side at a time, so that no side is held whole', async () => {
  const asked: string[] = [];
  const first = sideOf('a', 2000, () => asked.push('first'));
  const second = sideOf('b', 2000, () => asked.push('second'));
  value(await compare(first, second, level, {}));
  // The second look: after both sides were walked, with four pages of the other side each.
  expect(asked.slice(8)).toEqual(Array.from({ length: 4 }, () => ['first', 'second']).flat());
});
