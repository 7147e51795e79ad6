import type { ReadAside } from '../core/canary/obey/obeying.ts';
import type { Position } from '../core/log/record.ts';
import type { LoadedRows } from '../core/projection.ts';
import { readFoldState } from '../core/projection.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Trust } from '../core/trust/trust.ts';
import type {
  Checkpoint,
  Generation,
  RowKey,
  ScanRange,
  StoreProblem,
} from '../ports/read-model-store.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse, storeFailed } from './problems.ts';

/** Which state of the read models something was read from. */
export type AsOf = { readonly generation: Generation; readonly checkpoint: Checkpoint };

/** The generation that readers use. Everything it answers says which state it is from. */
export type ReadSide = {
  readonly asOf: () => Promise<Result<AsOf, Problem>>;
  readonly rows: (
    keys: readonly RowKey[],
  ) => Promise<Result<{ readonly asOf: AsOf; readonly rows: LoadedRows }, Problem>>;
  readonly page: (
    model: string,
    range: ScanRange,
  ) => Promise<
    Result<
      {
        readonly asOf: AsOf;
        readonly rows: readonly { readonly key: string; readonly value: string }[];
      },
      Problem
    >
  >;
  /** The keys as of now; read again only when the checkpoint has moved. */
  readonly trust: () => Promise<Result<{ readonly asOf: AsOf; readonly trust: Trust }, Problem>>;
  readonly aside: ReadAside;
  /** Answers as soon as the record at that position is in the read models, or with `not-yet` and how far they are. */
  readonly waitFor: (position: Position, withinMs: number) => Promise<Result<AsOf, Problem>>;
  /** For what depends on when it is read. */
  readonly nowMs: () => number;
};

/** The last position that the read models hold. */
export const positionOf = ({ checkpoint }: AsOf): Position => checkpoint.next - 1;

export const isSameState = (a: AsOf, b: AsOf): boolean =>
  a.generation === b.generation && a.checkpoint.next === b.checkpoint.next;

const lookAgainMsFirst = 5;
const lookAgainMsMax = 50;
/** Requests that may wait for the read models at one time. */
const waitingMax = 200;
const trustRowsMax = 1000;
const rereadsMax = 20;

export const openReadSide = ({
  store,
  tools,
  clock,
}: Pick<GatewayPorts, 'store' | 'tools' | 'clock'>): ReadSide => {
  let known: { readonly asOf: AsOf; readonly trust: Trust } | undefined;
  let waiting = 0;

  const inCurrent = async <Value extends { readonly checkpoint: Checkpoint | undefined }>(
    read: (generation: Generation) => Promise<Result<Value, StoreProblem>>,
  ): Promise<Result<{ readonly asOf: AsOf; readonly value: Value }, Problem>> => {
    // Between the look at the pointer and the read a rebuild may have dropped the generation: then look again.
    for (let attempt = 0; attempt < rereadsMax; attempt++) {
      const current = await store.current();
      if (!current.ok) return storeFailed(current.problem);
      const generation = current.value;
      if (generation === undefined) break;
      const answer = await read(generation);
      if (!answer.ok) return storeFailed(answer.problem);
      const { checkpoint } = answer.value;
      if (checkpoint !== undefined)
        return ok({ asOf: { generation, checkpoint }, value: answer.value });
    }
    return refuse('not-ready', 'there are no read models yet', 'is a projector running?');
  };

  const asOf: ReadSide['asOf'] = async () => {
    const read = await inCurrent(async (generation) => {
      const checkpoint = await store.checkpoint(generation);
      return checkpoint.ok ? ok({ checkpoint: checkpoint.value }) : checkpoint;
    });
    return read.ok ? ok(read.value.asOf) : read;
  };

  const page: ReadSide['page'] = async (model, range) => {
    const read = await inCurrent((generation) => store.scan(generation, model, range));
    return read.ok ? ok({ asOf: read.value.asOf, rows: read.value.value.rows }) : read;
  };

  const readTrust = async (): ReturnType<ReadSide['trust']> => {
    const rows: { readonly key: string; readonly value: string }[] = [];
    let first: AsOf | undefined;
    for (let reads = 0; reads < rereadsMax; reads++) {
      const after = rows.at(-1)?.key;
      const next = await page('trust', {
        rowsMax: trustRowsMax,
        ...(after === undefined ? {} : { after }),
      });
      if (!next.ok) return next;
      if (first !== undefined && !isSameState(first, next.value.asOf)) {
        first = undefined;
        rows.length = 0;
        continue;
      }
      first = next.value.asOf;
      rows.push(...next.value.rows);
      if (next.value.rows.length < trustRowsMax) {
        const { trust } = readFoldState(tools.text, first.checkpoint, rows, undefined);
        known = { asOf: first, trust };
        return ok(known);
      }
    }
    return refuse('busy', 'the read models change faster than they can be read');
  };

  const waitUntil = async (
    position: Position,
    withinMs: number,
  ): Promise<Result<AsOf, Problem>> => {
    let waitedMs = 0;
    for (let pauseMs = lookAgainMsFirst; ; pauseMs = Math.min(pauseMs * 2, lookAgainMsMax)) {
      const now = await asOf();
      if (!now.ok || positionOf(now.value) >= position) return now;
      if (waitedMs >= withinMs)
        return fail({
          code: 'not-yet',
          message: `the read models hold position ${positionOf(now.value)}, not yet ${position}`,
          hint: 'ask again; if it stays so, is a projector running?',
          more: { position: positionOf(now.value) },
        });
      await clock.sleep(pauseMs);
      waitedMs += pauseMs;
    }
  };

  return {
    asOf,
    page,
    nowMs: clock.nowMs,
    aside: async (key) => {
      const read = await store.aside.read([key]);
      return read.ok ? read.value.get(key) : undefined;
    },
    rows: async (keys) => {
      const read = await inCurrent((generation) => store.rows(generation, keys));
      return read.ok ? ok({ asOf: read.value.asOf, rows: read.value.value.rows }) : read;
    },
    trust: async () => {
      const now = await asOf();
      if (!now.ok) return now;
      return known !== undefined && isSameState(known.asOf, now.value) ? ok(known) : readTrust();
    },
    waitFor: async (position, withinMs) => {
      if (waiting >= waitingMax)
        return refuse('busy', `${waiting} requests wait for the read models already`);
      waiting++;
      try {
        return await waitUntil(position, withinMs);
      } finally {
        waiting--;
      }
    },
  };
};
