import { fail, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { rowFault } from '../../core/row-fault.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import type {
  Checkpoint,
  Generation,
  ReadModelStore,
  ReadRows,
  RowKey,
  StoreProblem,
} from '../../ports/read-model-store.ts';
import { openAside } from './aside.ts';
import { commitArguments, rowsArguments, scanArguments } from './arguments.ts';
import { connect, placeOf, problemOf, redisStoreName } from './connection.ts';
import { keysOf } from './keys.ts';
import { damaged, toCheckpoint } from './replies.ts';
import { checkpointFields, defineScripts } from './scripts.ts';
import { keyOfSmall, smallModels } from './small-rows.ts';

const scanPageRows = 1_000;
/** HSCAN begins and ends with it. */
const firstCursor = '0';
const firstSmallCursor = '0:0';
const dumpTriesMax = 5;
const dropTriesMax = 5;

export type RedisReadModelStoreOptions = {
  /** `redis://` or `rediss://`, with user, password and database number where needed. */
  readonly url: string;
  readonly audience: string;
  /** The read models that `scan` can walk in the order of their keys. */
  readonly orderedModels: readonly string[];
  /** Begins the name of every key; `plimsoll` unless told. */
  readonly prefix?: string;
  readonly onLog?: (line: string) => void;
};

/**
 * Keeps the read models of one audience in Redis 7.0 or Valkey 7.2 and later.
 *
 * Each commit is one script, so its rows and its checkpoint are written together; a Redis that loses its last
 * writes (a failover, a torn append-only file) falls back to an earlier step, whole.
 *
 * Fails with `refused` where the server is too old or may evict our keys. Later losses of the connection are
 * healed in the background and answered with `unreachable` meanwhile.
 */
export async function openRedisReadModelStore(
  options: RedisReadModelStoreOptions,
): Promise<Result<ReadModelStore, StoreProblem>> {
  const connection = await connect(options.url, options.onLog ?? (() => undefined));
  if (!connection.ok) return connection;
  const client = connection.value;
  const where = placeOf(options.url) ?? '';
  const scripts = defineScripts(client);
  const keys = keysOf(options.prefix ?? 'plimsoll', options.audience);
  const ordered = new Set(options.orderedModels);

  /** The only place where calls fail. */
  const ask = async <Reply>(reply: Promise<Reply>): Promise<Result<Reply, StoreProblem>> => {
    try {
      return ok(await reply);
    } catch (error) {
      return fail(problemOf(error, where));
    }
  };

  /** Keys of a generation's row data, for scripts that take rows and order in pairs. */
  const modelKeys = (generation: Generation, model: string): readonly [string, string] => {
    const rows = keys.rows(generation, model);
    if (smallModels.has(model)) return [rows, keys.small(generation, model)];
    return [rows, ordered.has(model) ? keys.order(generation, model) : rows];
  };

  const commit: ReadModelStore['commit'] = async (generation, step) => {
    const faulty = step.writes.find((write) => rowFault(write) !== undefined);
    if (faulty !== undefined) {
      const message = `${rowFault(faulty)} in a row of ${JSON.stringify(faulty.model)}`;
      return fail({ code: 'refused', message });
    }
    const { models, args } = commitArguments(generation, step, ordered);
    const reply = await ask(
      scripts.commit(
        [
          keys.checkpoint(generation),
          keys.generations,
          keys.models(generation),
          ...models.flatMap((model) => modelKeys(generation, model)),
        ],
        args,
      ),
    );
    if (!reply.ok) return reply;
    if (reply.value[0] === 'committed') return ok('committed');
    if (reply.value[0] !== 'refused') return fail(damaged(reply.value));
    const [, refused, ...fields] = reply.value;
    const stored = toCheckpoint(fields);
    return stored.ok ? ok({ refused, stored: stored.value }) : stored;
  };

  const rows = async (
    generation: Generation,
    wanted: readonly RowKey[],
  ): Promise<Result<ReadRows, StoreProblem>> => {
    // A row that no store could keep is not there; asked for, its key would turn into another one.
    const possible = wanted.filter((row) => rowFault(row) === undefined);
    const { models, smallOf, args, asked } = rowsArguments(possible);
    const reply = await ask(
      scripts.rows(
        [
          keys.checkpoint(generation),
          ...models.map((model) => keys.rows(generation, model)),
          ...smallOf.map((model) => keys.small(generation, model)),
        ],
        [String(models.length), ...args],
      ),
    );
    if (!reply.ok) return reply;
    const [fields, places, values] = reply.value;
    const checkpoint = toCheckpoint(fields);
    if (!checkpoint.ok) return checkpoint;
    const found = new Map<string, string>();
    for (const [index, place] of places.entries()) {
      const row = asked[place];
      const value = values[index];
      if (row !== undefined && value !== undefined) found.set(`${row.model}\n${row.key}`, value);
    }
    return ok({ checkpoint: checkpoint.value, rows: found });
  };

  const scan: ReadModelStore['scan'] = async (generation, model, range) => {
    if (!ordered.has(model)) {
      return fail({ code: 'refused', message: `read model ${model} is not kept in order` });
    }
    const reply = await ask(
      scripts.scan(
        [keys.checkpoint(generation), ...modelKeys(generation, model)],
        scanArguments(range),
      ),
    );
    if (!reply.ok) return reply;
    if (reply.value[0] !== 'scanned') return fail(damaged(reply.value));
    const [, fields, rowKeys, values] = reply.value;
    const checkpoint = toCheckpoint(fields);
    if (!checkpoint.ok) return checkpoint;
    const found: { key: string; value: string }[] = [];
    for (const [index, key] of rowKeys.entries()) {
      const value = values[index];
      if (value === undefined || value === null) {
        return fail({ code: 'corrupt', message: `${model} lists ${key}, but has no such row` });
      }
      found.push({ key, value });
    }
    return ok({ checkpoint: checkpoint.value, rows: found });
  };

  const overview = async (
    generation: Generation,
  ): Promise<Result<{ checkpoint: Checkpoint | undefined; models: string[] }, StoreProblem>> => {
    const reply = await ask(
      scripts.overview([keys.checkpoint(generation), keys.models(generation)], []),
    );
    if (!reply.ok) return reply;
    const [fields, models] = reply.value;
    const checkpoint = toCheckpoint(fields);
    return checkpoint.ok ? ok({ checkpoint: checkpoint.value, models: [...models] }) : checkpoint;
  };

  const readAll = async (
    generation: Generation,
    model: string,
  ): Promise<Result<Map<string, string>, StoreProblem>> => {
    // HSCAN may bring a row twice.
    const found = new Map<string, string>();
    for (let cursor: string | undefined = firstCursor; cursor !== undefined;) {
      const page = await pageOf(generation, model, cursor, scanPageRows);
      if (!page.ok) return page;
      for (const { key, value } of page.value.rows) found.set(key, value);
      ({ cursor } = page.value);
    }
    return ok(found);
  };

  /** Rows of a model, those of a size of their own first. */
  const pageOf = async (
    generation: Generation,
    model: string,
    cursor: string,
    rowsMax: number,
  ): Promise<
    Result<
      {
        readonly rows: readonly { readonly key: string; readonly value: string }[];
        readonly cursor: string | undefined;
      },
      StoreProblem
    >
  > => {
    const [number, bucket] = cursor.split(':');
    const found: { key: string; value: string }[] = [];
    if (number !== undefined && bucket !== undefined) {
      const page = await ask(
        scripts.smallPage([keys.small(generation, model)], [number, bucket, String(rowsMax)]),
      );
      if (!page.ok) return page;
      const [flat, ...next] = page.value;
      for (let at = 0; at + 2 < flat.length; at += 3)
        found.push({
          key: keyOfSmall(flat[at + 1] ?? '', flat[at] ?? ''),
          value: flat[at + 2] ?? '',
        });
      return ok({ rows: found, cursor: next.length === 0 ? undefined : next.join(':') });
    }
    const page = await ask(client.hscan(keys.rows(generation, model), cursor, 'COUNT', rowsMax));
    if (!page.ok) return page;
    const [next, flat] = page.value;
    for (let at = 0; at + 1 < flat.length; at += 2)
      found.push({ key: flat[at] ?? '', value: flat[at + 1] ?? '' });
    const behind = smallModels.has(model) ? firstSmallCursor : undefined;
    return ok({ rows: found, cursor: next === firstCursor ? behind : next });
  };

  /** The cursor names the model and where HSCAN stands in it; models come in the order of their names. */
  const walk: ReadModelStore['walk'] = async (generation, cursor, rowsMax) => {
    const seen = await ask(client.smembers(keys.models(generation)));
    if (!seen.ok) return seen;
    const models = seen.value.toSorted(compareUtf8);
    const [model = models[0], at = firstCursor] =
      cursor === undefined ? [] : (JSON.parse(cursor) as readonly string[]);
    if (model === undefined) return ok({ rows: [], cursor: undefined });
    const page = await pageOf(generation, model, at, rowsMax);
    if (!page.ok) return page;
    const after = page.value.cursor === undefined ? models[models.indexOf(model) + 1] : model;
    return ok({
      rows: page.value.rows.map((row) => ({ model, ...row })),
      cursor:
        after === undefined ? undefined : JSON.stringify([after, page.value.cursor ?? firstCursor]),
    });
  };

  const counts: ReadModelStore['counts'] = async (generation) => {
    const seen = await ask(client.smembers(keys.models(generation)));
    if (!seen.ok) return seen;
    const counted = new Map<string, number>();
    for (const model of seen.value.toSorted(compareUtf8)) {
      const rowsHeld = await ask(client.hlen(keys.rows(generation, model)));
      if (!rowsHeld.ok) return rowsHeld;
      const small = smallModels.has(model)
        ? await ask(scripts.smallCount([keys.small(generation, model)], []))
        : ok(0);
      if (!small.ok) return small;
      const held = rowsHeld.value + small.value;
      if (held > 0) counted.set(model, held);
    }
    return ok(counted);
  };

  const dump: ReadModelStore['dump'] = async (generation) => {
    for (let tries = 0; tries < dumpTriesMax; tries += 1) {
      const before = await overview(generation);
      if (!before.ok) return before;
      const lines: string[] = [];
      for (const model of before.value.models) {
        const found = await readAll(generation, model);
        if (!found.ok) return found;
        for (const [key, value] of found.value) lines.push(`${model}\n${key}\n${value}`);
      }
      const after = await overview(generation);
      if (!after.ok) return after;
      if (isSame(before.value.checkpoint, after.value.checkpoint))
        return ok(lines.toSorted(compareUtf8));
    }
    return fail({
      code: 'refused',
      message: `${generation} changed in each of ${dumpTriesMax} attempts to read it whole: stop the projector first`,
    });
  };

  const drop: ReadModelStore['drop'] = async (generation) => {
    for (let tries = 0; tries < dropTriesMax; tries += 1) {
      const seen = await ask(client.smembers(keys.models(generation)));
      if (!seen.ok) return seen;
      const models = [...new Set([...seen.value, ...ordered])];
      const reply = await ask(
        scripts.drop(
          [
            keys.current,
            keys.generations,
            keys.models(generation),
            keys.checkpoint(generation),
            ...models.flatMap((model) => [
              keys.rows(generation, model),
              keys.order(generation, model),
              keys.small(generation, model),
            ]),
          ],
          [generation, ...models],
        ),
      );
      if (!reply.ok) return reply;
      if (reply.value === 'dropped') return ok(undefined);
      if (reply.value === 'current') {
        return fail({ code: 'refused', message: `${generation} is the one that readers use` });
      }
    }
    return fail({ code: 'refused', message: `${generation} is still being written` });
  };

  return ok({
    name: redisStoreName(options.url, options.audience, options.prefix),
    current: async () => {
      const current = await ask(client.get(keys.current));
      return current.ok ? ok(current.value ?? undefined) : current;
    },
    switchTo: async (expected, generation) => {
      const switched = await ask(scripts.switchTo([keys.current], [expected ?? '', generation]));
      return switched.ok ? ok(switched.value === 1) : switched;
    },
    generations: async () => {
      const names = await ask(client.smembers(keys.generations));
      return names.ok ? ok(names.value.toSorted(compareUtf8)) : names;
    },
    drop,
    checkpoint: async (generation) => {
      const fields = await ask(client.hmget(keys.checkpoint(generation), ...checkpointFields));
      return fields.ok ? toCheckpoint(fields.value) : fields;
    },
    rows,
    scan,
    commit,
    walk,
    counts,
    dump,
    aside: openAside(client, scripts, keys, ask),
    close: async () => {
      client.removeAllListeners('close');
      // QUIT lets calls that are under way be answered; without a connection there are none.
      await client.quit().catch(() => undefined);
      client.disconnect();
    },
  });
}

function isSame(a: Checkpoint | undefined, b: Checkpoint | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
