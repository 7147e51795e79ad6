import { asideRefusal } from '../../core/aside-fault.ts';
import { fail } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Aside, AsideEntry, StoreProblem } from '../../ports/read-model-store.ts';
import type { SqliteFile } from './file.ts';
import { boundsOf } from './scan-range.ts';
import { checkedRow, rowChecksum } from './store-row.ts';

type Ask = <Value>(work: () => Value) => Promise<Result<Value, StoreProblem>>;

type AsideRow = AsideEntry & { readonly checksum: number };

/** The values that one audience keeps beside its generations. */
export const openAside = (
  file: SqliteFile,
  audience: string,
  { read, write }: { readonly read: Ask; readonly write: Ask },
): Aside => ({
  read: (keys) =>
    read(() => {
      const get = file.prepare(
        'SELECT key, value, checksum FROM store_aside WHERE audience = ? AND key = ?',
      );
      const found = new Map<string, string>();
      for (const key of keys) {
        const row = get.get(audience, key) as AsideRow | undefined;
        if (row !== undefined) found.set(key, entryOf(row).value);
      }
      return found;
    }),
  write: async (entries) => {
    const refusal = asideRefusal(entries);
    if (refusal !== undefined) return fail({ code: 'refused', message: refusal });
    return write(() => {
      const put = file.prepare(
        `INSERT INTO store_aside (audience, key, value, checksum) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET value = excluded.value, checksum = excluded.checksum`,
      );
      const remove = file.prepare('DELETE FROM store_aside WHERE audience = ? AND key = ?');
      for (const { key, value } of entries) {
        if (value === null) remove.run(audience, key);
        else put.run(audience, key, value, rowChecksum({ model, key, value }));
      }
    });
  },
  scan: (range) =>
    read(() => {
      const { low, high } = boundsOf(range);
      const below = high === undefined ? '' : `AND key ${high.operator} ?`;
      const order = range.newestFirst === true ? 'DESC' : 'ASC';
      const rows = file
        .prepare(
          `SELECT key, value, checksum FROM store_aside WHERE audience = ?
           AND key ${low.operator} ? ${below} ORDER BY key ${order} LIMIT ?`,
        )
        .all(audience, low.key, ...(high === undefined ? [] : [high.key]), range.rowsMax);
      return (rows as AsideRow[]).map(entryOf);
    }),
});

/** Stands in the checksum where a row has its read model. */
const model = 'aside';

const entryOf = (row: AsideRow): AsideEntry => {
  const { key, value } = checkedRow({ model, ...row });
  return { key, value };
};
