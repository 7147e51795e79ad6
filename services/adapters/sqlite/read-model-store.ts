import { resolve } from 'node:path';
import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { rowFault } from '../../core/row-fault.ts';
import { stepRefusal } from '../../core/step-refusal.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import type {
  Checkpoint,
  Generation,
  ReadModelStore,
  ReadRows,
  RowKey,
  ScanRange,
  Step,
  StoreProblem,
  WalkedRows,
} from '../../ports/read-model-store.ts';
import { openAside } from './aside.ts';
import type { SqliteFile } from './file.ts';
import { toStoreProblem } from './port-problems.ts';
import { boundsOf } from './scan-range.ts';
import { checkedRow, rowChecksum } from './store-row.ts';
import type { StoreRow } from './store-row.ts';

/** Rows of a dropped generation that one step removes: short, so that others get between. */
const droppedAtOnceMax = 5_000;

/**
 * Keeps the read models of one audience in a file, beside the log or alone. `close` leaves the file open, for
 * others may use it.
 *
 * Steps of a generation that readers do not use yet are on disk at the latest when it is switched to: a machine that
 * stops before leaves an earlier step of it, whole, and its fold goes on from there.
 */
export const openSqliteReadModelStore = (
  file: SqliteFile,
  options: {
    readonly audience: string;
    /** The read models that `scan` can walk in the order of their keys. */
    readonly orderedModels: readonly string[];
  },
): ReadModelStore => {
  const { audience } = options;
  const ordered = new Set(options.orderedModels);
  let closed = false;

  const ask = async <Value>(
    how: SqliteFile['read'],
    work: () => Value,
  ): Promise<Result<Value, StoreProblem>> => {
    if (closed)
      return fail({ code: 'unreachable', message: `the store in ${file.path} is closed` });
    const done = await how(work);
    return done.ok ? done : fail(toStoreProblem(done.problem));
  };
  const read = <Value>(work: () => Value): Promise<Result<Value, StoreProblem>> =>
    ask(file.read, work);
  const write = <Value>(work: () => Value): Promise<Result<Value, StoreProblem>> =>
    ask(file.write, work);

  const current = (): Generation | undefined => {
    const row = file
      .prepare('SELECT generation FROM store_pointers WHERE audience = ?')
      .get(audience) as { generation: Generation } | undefined;
    return row?.generation;
  };

  const held = (generation: Generation): { id: number; checkpoint: Checkpoint } | undefined => {
    const row = file
      .prepare(
        `SELECT id, log_id AS logId, next_position AS next, last_digest AS lastDigest,
         fold_version AS foldVersion, rows_digest AS rowsDigest FROM store_generations WHERE audience = ? AND generation = ?`,
      )
      .get(audience, generation) as ({ id: number } & Checkpoint) | undefined;
    if (row === undefined) return undefined;
    const { id, ...checkpoint } = row;
    return { id, checkpoint };
  };

  /** Stores the checkpoint and answers the generation's id. */
  const putCheckpoint = (generation: Generation, to: Checkpoint): number => {
    const row = file
      .prepare(
        `INSERT INTO store_generations
         (audience, generation, log_id, next_position, last_digest, fold_version, rows_digest)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET log_id = excluded.log_id,
         next_position = excluded.next_position, last_digest = excluded.last_digest,
         fold_version = excluded.fold_version, rows_digest = excluded.rows_digest RETURNING id`,
      )
      .get(
        audience,
        generation,
        to.logId,
        to.next,
        to.lastDigest,
        to.foldVersion,
        to.rowsDigest,
      ) as { id: number };
    return row.id;
  };

  const putRows = (id: number, writes: Step['writes']): void => {
    const remove = file.prepare(
      'DELETE FROM store_rows WHERE generation_id = ? AND model = ? AND key = ?',
    );
    const put = (waiting: Fields, isNew: boolean): void => {
      const rows = waiting.length / putFields;
      const sql = rows === putAtOnce ? (isNew ? addManySql : putManySql) : putSql(rows, isNew);
      const { changes } = file.prepare(sql).run(...waiting);
      if (isNew && changes !== rows) throw rowThere;
    };
    let [old, added]: [Fields, Fields] = [[], []];
    for (const { model, key, value, isNew = false } of writes) {
      if (value === null) {
        if (remove.run(id, model, key).changes !== 0 && isNew) throw rowThere;
        continue;
      }
      const waiting = isNew ? added : old;
      waiting.push(id, model, key, value, rowChecksum({ model, key, value }));
      if (waiting.length < putFields * putAtOnce) continue;
      put(waiting, isNew);
      if (isNew) added = [];
      else old = [];
    }
    if (added.length > 0) put(added, true);
    if (old.length > 0) put(old, false);
  };

  const commit: ReadModelStore['commit'] = async (generation, step) => {
    const faulty = step.writes.find((each) => rowFault(each) !== undefined);
    if (faulty !== undefined)
      return refused(`${rowFault(faulty)} in a row of ${JSON.stringify(faulty.model)}`);
    const used = await read(current);
    if (!used.ok) return used;
    let stored: Checkpoint | undefined;
    try {
      return await ask(
        (work) => file.write(work, used.value === generation ? 'synced' : 'unsynced'),
        () => {
          stored = held(generation)?.checkpoint;
          const refusal = stepRefusal(stored, step);
          if (refusal !== undefined) return { refused: refusal, stored };
          putRows(putCheckpoint(generation, step.to), step.writes);
          return 'committed';
        },
      );
    } catch (error) {
      if (error !== rowThere) throw error;
      return ok({ refused: 'row-there', stored });
    }
  };

  const readRows = (generation: Generation, keys: readonly RowKey[]): ReadRows => {
    const found = held(generation);
    const rows = new Map<string, string>();
    if (found === undefined) return { checkpoint: undefined, rows };
    // All keys of a model in one call: most of them are not there, and a call costs more than a look.
    const get = file.prepare(
      `SELECT asked.key AS at, row.value, row.checksum FROM json_each(?3) AS asked CROSS JOIN store_rows AS row
       ON row.generation_id = ?1 AND row.model = ?2 AND row.key = asked.value`,
    );
    for (const [model, wanted] of Map.groupBy(keys, (asked) => asked.model)) {
      const json = JSON.stringify(wanted.map(({ key }) => key));
      for (const { at, value, checksum } of get.all(found.id, model, json) as FoundRow[]) {
        const key = wanted[at]?.key ?? '';
        rows.set(`${model}\n${key}`, checkedRow({ model, key, value, checksum }).value);
      }
    }
    return { checkpoint: found.checkpoint, rows };
  };

  const scanRows = (
    id: number,
    model: string,
    range: ScanRange,
  ): { readonly key: string; readonly value: string }[] => {
    const { low, high } = boundsOf(range);
    const below = high === undefined ? '' : `AND key ${high.operator} ?`;
    const order = range.newestFirst === true ? 'DESC' : 'ASC';
    const rows = file
      .prepare(
        `SELECT model, key, value, checksum FROM store_rows WHERE generation_id = ? AND model = ?
         AND key ${low.operator} ? ${below} ORDER BY key ${order} LIMIT ?`,
      )
      .all(id, model, low.key, ...(high === undefined ? [] : [high.key]), range.rowsMax);
    return (rows as StoreRow[]).map(checkedRow).map(({ key, value }) => ({ key, value }));
  };

  const walk = (
    generation: Generation,
    cursor: string | undefined,
    rowsMax: number,
  ): WalkedRows => {
    const { model, key } =
      cursor === undefined ? { model: '', key: '' } : (JSON.parse(cursor) as RowKey);
    const rows = file
      .prepare(
        `SELECT model, key, value, checksum FROM store_rows WHERE generation_id = ?
         AND (model, key) > (?, ?) ORDER BY model, key LIMIT ?`,
      )
      .all(held(generation)?.id ?? null, model, key, rowsMax) as StoreRow[];
    const last = rows.at(-1);
    return {
      rows: rows
        .map(checkedRow)
        .map((row) => ({ model: row.model, key: row.key, value: row.value })),
      cursor:
        last === undefined || rows.length < rowsMax
          ? undefined
          : JSON.stringify({ model: last.model, key: last.key }),
    };
  };

  const drop: ReadModelStore['drop'] = async (generation) => {
    const unnamed = await write(() => {
      if (current() === generation) return false;
      file
        .prepare('DELETE FROM store_generations WHERE audience = ? AND generation = ?')
        .run(audience, generation);
      return true;
    });
    if (!unnamed.ok) return unnamed;
    if (!unnamed.value) return refused(`${generation} is the one that readers use`);
    return removeOrphans();
  };

  /** If we stop here, the rows left belong to no generation; nobody sees them, and the next drop removes them. */
  const removeOrphans = async (): Promise<Result<void, StoreProblem>> => {
    for (;;) {
      const removed = await write(
        () =>
          file
            .prepare(
              `DELETE FROM store_rows WHERE rowid IN (SELECT rowid FROM store_rows
               WHERE generation_id NOT IN (SELECT id FROM store_generations) LIMIT ?)`,
            )
            .run(droppedAtOnceMax).changes,
      );
      if (!removed.ok) return removed;
      if (removed.value === 0) return ok(undefined);
    }
  };

  return {
    name: `sqlite ${resolve(file.path)}`,
    current: () => read(current),
    switchTo: (expected, generation) =>
      write(() => {
        if (current() !== expected) return false;
        file
          .prepare(
            `INSERT INTO store_pointers (audience, generation) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET generation = excluded.generation`,
          )
          .run(audience, generation);
        return true;
      }),
    generations: () =>
      read(() => {
        const rows = file
          .prepare(
            'SELECT generation FROM store_generations WHERE audience = ? ORDER BY generation',
          )
          .all(audience) as { generation: Generation }[];
        return rows.map(({ generation }) => generation);
      }),
    drop,
    checkpoint: (generation) => read(() => held(generation)?.checkpoint),
    rows: (generation, keys) => read(() => readRows(generation, keys)),
    scan: async (generation, model, range) => {
      if (!ordered.has(model)) return refused(`read model ${model} is not kept in order`);
      return read(() => {
        const found = held(generation);
        if (found === undefined) return { checkpoint: undefined, rows: [] };
        return { checkpoint: found.checkpoint, rows: scanRows(found.id, model, range) };
      });
    },
    commit,
    walk: (generation, cursor, rowsMax) => read(() => walk(generation, cursor, rowsMax)),
    counts: (generation) =>
      read(() => {
        const counted = file
          .prepare(
            `SELECT model, count(*) AS rows FROM store_rows WHERE generation_id = ? GROUP BY model`,
          )
          .all(held(generation)?.id ?? null) as { model: string; rows: number }[];
        return new Map(counted.map(({ model, rows }) => [model, rows]));
      }),
    dump: (generation) =>
      read(() => {
        const rows = file
          .prepare('SELECT model, key, value, checksum FROM store_rows WHERE generation_id = ?')
          .all(held(generation)?.id ?? null) as StoreRow[];
        return rows
          .map(checkedRow)
          .map(({ model, key, value }) => `${model}\n${key}\n${value}`)
          .toSorted(compareUtf8);
      }),
    aside: openAside(file, audience, { read, write }),
    close: async () => {
      closed = true;
    },
  };
};

type FoundRow = Pick<StoreRow, 'value' | 'checksum'> & {
  /** Its place among the keys that were asked for. */
  readonly at: number;
};

const putFields = 5;
/** Rows that one statement writes: a call costs as much as a row. */
const putAtOnce = 32;

type Fields = (string | number)[];

/** Rows that are new are passed by where they are there, and then fewer were changed. */
const putSql = (rows: number, isNew: boolean): string =>
  `INSERT INTO store_rows (generation_id, model, key, value, checksum)
   VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join()}
   ON CONFLICT DO ${isNew ? 'NOTHING' : 'UPDATE SET value = excluded.value, checksum = excluded.checksum'}`;

const putManySql = putSql(putAtOnce, false);
const addManySql = putSql(putAtOnce, true);

/** Thrown to undo a step that took a row for new. */
const rowThere: Error = new Error('a row is there that a step took for new');

const refused = (message: string): { readonly ok: false; readonly problem: StoreProblem } =>
  fail({ code: 'refused', message });
