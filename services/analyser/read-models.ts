import type { Position } from '../core/log/record.ts';
import { policyModel } from '../core/policy-records.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import { readTrustRow } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import { readRow } from '../core/row-text.ts';
import type { KeyState } from '../core/trust/trust.ts';
import type { Stop } from '../ports/clock.ts';
import type { Checkpoint, Generation, ReadRows, RowKey } from '../ports/read-model-store.ts';
import type { AnalyserPorts } from './ports.ts';

export type ReadModelsProblem = {
  readonly code: 'behind' | 'empty' | 'unreachable' | 'changing' | 'stopped';
  readonly message: string;
};

type Ports = Pick<AnalyserPorts, 'store' | 'clock' | 'tools'>;

const lookAgainMsFirst = 5;
const lookAgainMsMax = 100;
const scanRowsMax = 1000;
const rereadsMax = 20;

/** Rows as of a state that holds every record before `next`. Waits for it, but not longer than `withinMs`. */
export const rowsWhenAt = async (
  ports: Ports,
  stop: Stop,
  next: Position,
  withinMs: number,
  keys: readonly RowKey[],
): Promise<Result<ReadRows, ReadModelsProblem>> => {
  let waitedMs = 0;
  for (let pauseMs = lookAgainMsFirst; ; pauseMs = Math.min(pauseMs * 2, lookAgainMsMax)) {
    if (stop.aborted) return refuse('stopped', 'stopped');
    const rows = await rowsNow(ports, keys);
    if (rows.ok && (rows.value.checkpoint?.next ?? 0) >= next) return rows;
    if (waitedMs >= withinMs) {
      if (!rows.ok) return rows;
      const at = rows.value.checkpoint?.next ?? 0;
      return refuse('behind', `the read models stand at ${at}, not yet at ${next}`);
    }
    await ports.clock.sleep(pauseMs, stop);
    waitedMs += pauseMs;
  }
};

const rowsNow = async (
  { store }: Ports,
  keys: readonly RowKey[],
): Promise<Result<ReadRows, ReadModelsProblem>> => {
  const generation = await currentGeneration({ store });
  if (!generation.ok) return generation;
  const rows = await store.rows(generation.value, keys);
  return rows.ok ? rows : refuse('unreachable', rows.problem.message);
};

/** The newest document of policies on the log, as text; null: nobody has set any. */
export const readPolicies = async (
  ports: Pick<Ports, 'store'>,
): Promise<Result<string | null, ReadModelsProblem>> => {
  const generation = await currentGeneration(ports);
  if (!generation.ok) return generation;
  const newest = { newestFirst: true, rowsMax: 1 };
  const read = await ports.store.scan(generation.value, policyModel, newest);
  if (!read.ok) return refuse('unreachable', read.problem.message);
  const [row] = read.value.rows;
  return ok(row === undefined ? null : readRow<PolicyRow>(policyModel, row.value).document);
};

/** The keys that the log trusts or has trusted, by id. */
export const readKeys = async ({
  store,
  tools,
}: Ports): Promise<Result<ReadonlyMap<string, KeyState>, ReadModelsProblem>> => {
  const generation = await currentGeneration({ store });
  if (!generation.ok) return generation;
  for (let reads = 0; reads < rereadsMax; reads++) {
    const rows = await keyRows(store, generation.value);
    if (!rows.ok) return rows;
    if (rows.value === undefined) continue;
    const keys = rows.value.map((row) => readTrustRow(tools.text, row));
    return ok(new Map(keys.map((key) => [key.id, key])));
  }
  return refuse('changing', 'the keys change faster than they can be read');
};

/** Undefined: a step was committed between two pages. */
const keyRows = async (
  store: AnalyserPorts['store'],
  generation: Generation,
): Promise<Result<readonly string[] | undefined, ReadModelsProblem>> => {
  const rows: Row[] = [];
  let at: Position | undefined;
  for (;;) {
    const page = await pageOf(store, generation, 'trust', 'key/', rows.at(-1)?.key);
    if (!page.ok) return page;
    const next = page.value.checkpoint?.next;
    if (at !== undefined && next !== at) return ok(undefined);
    at = next;
    rows.push(...page.value.rows);
    if (page.value.rows.length < scanRowsMax) return ok(rows.map(({ value }) => value));
  }
};

/** The slots, with their keys. Pages may be of different steps. */
export const readSlots = async ({
  store,
}: Pick<Ports, 'store'>): Promise<Result<readonly Row[], ReadModelsProblem>> => {
  const generation = await currentGeneration({ store });
  if (!generation.ok) return generation;
  const rows: Row[] = [];
  for (;;) {
    const page = await pageOf(store, generation.value, 'slot', '', rows.at(-1)?.key);
    if (!page.ok) return page;
    rows.push(...page.value.rows);
    if (page.value.rows.length < scanRowsMax) return ok(rows);
  }
};

type Row = { readonly key: string; readonly value: string };

const pageOf = async (
  store: AnalyserPorts['store'],
  generation: Generation,
  model: string,
  prefix: string,
  after: string | undefined,
): Promise<
  Result<
    { readonly checkpoint: Checkpoint | undefined; readonly rows: readonly Row[] },
    ReadModelsProblem
  >
> => {
  const page = await store.scan(generation, model, {
    ...(prefix === '' ? {} : { prefix }),
    rowsMax: scanRowsMax,
    ...(after === undefined ? {} : { after }),
  });
  return page.ok ? page : refuse('unreachable', page.problem.message);
};

const currentGeneration = async ({
  store,
}: Pick<Ports, 'store'>): Promise<Result<Generation, ReadModelsProblem>> => {
  const current = await store.current();
  if (!current.ok) return refuse('unreachable', current.problem.message);
  return current.value === undefined
    ? refuse('empty', 'there are no read models yet; is a projector running?')
    : ok(current.value);
};

const refuse = (
  code: ReadModelsProblem['code'],
  message: string,
): Result<never, ReadModelsProblem> => fail({ code, message });
