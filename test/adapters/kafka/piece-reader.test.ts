import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPieceReader } from '../../../services/adapters/kafka/piece-reader.ts';
import type { PieceReader } from '../../../services/adapters/kafka/piece-reader.ts';
import { fetchBytesMax } from '../../../services/adapters/kafka/fetch-answer.ts';
import type { LogRecord } from '../../../services/core/log/record.ts';
import { fail, ok } from '../../../services/core/result.ts';
import type { RecordLog } from '../../../services/ports/record-log.ts';
import { readOn } from '../../../services/projector/catch-up.ts';

const textOf = ({ value }: LogRecord): string => Buffer.from(value).toString();
const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const withinMs = 10_000;

type Broker = {
  /** The values of the log that lies there now. */
  log: readonly string[];
  nowMs: number;
  /** How many records come with one fetch of the usual size, at most. A batch that is begun comes whole. */
  recordsMax: number;
  readonly batchRecords: number;
  readonly fetches: { readonly from: number; readonly bytesMax: number }[];
  /** Called before each answer. */
  before: () => void;
};

const open = (given: Partial<Broker> = {}): { broker: Broker; reader: PieceReader } => {
  const broker: Broker = {
    ...{ log: [], nowMs: 0, recordsMax: 100, batchRecords: 1, fetches: [] },
    before: () => undefined,
    ...given,
  };
  const recordAt = (position: number): LogRecord => ({
    position,
    appendedAtMs: 1,
    key: new Uint8Array(),
    headers: [],
    value: Buffer.from(broker.log[position] ?? ''),
  });
  const reader = createPieceReader(
    async (from, { bytesMax = fetchBytesMax }) => {
      broker.before();
      broker.fetches.push({ from, bytesMax });
      const { batchRecords, log } = broker;
      if (broker.nowMs >= withinMs) return fail({ code: 'unreachable', message: 'too late' });
      if (from > log.length) return fail({ code: 'beyond-end', message: 'too far' });
      const firstOfBatch = from - (from % batchRecords);
      const room = Math.floor((broker.recordsMax * bytesMax) / fetchBytesMax);
      const batches = Math.max(1, Math.floor(room / batchRecords));
      const to = Math.min(log.length, firstOfBatch + batches * batchRecords);
      const positions = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
      return ok({ records: positions.map(recordAt), end: log.length });
    },
    () => broker.nowMs,
  );
  return { broker, reader };
};

const logOf = (name: string, records: number): readonly string[] =>
  Array.from({ length: records }, (_, at) => `${name}${at}`);

const read = async (reader: PieceReader, from: number, recordsMax: number): Promise<string> => {
  const answer = await reader.read(from, recordsMax, withinMs);
  return answer.ok ? answer.value.map(textOf).join(' ') : answer.problem.code;
};

describe('a piece of a log', () => {
  test('has as many records as are asked for, and fewer only at the end, however few come at once', async () => {
    const { reader } = open({ log: logOf('a', 7), recordsMax: 2 });
    expect(await read(reader, 1, 5)).toBe('a1 a2 a3 a4 a5');
    expect(await read(reader, 4, 5)).toBe('a4 a5 a6');
    expect(await read(reader, 7, 5)).toBe('');
    expect(await read(reader, 8, 5)).toBe('beyond-end');
  });

  test('is found at any place, forwards and back', async () => {
    const { reader } = open({ log: logOf('a', 40), recordsMax: 7, batchRecords: 3 });
    for (let from = 0; from < 40; from = (from + 17) % 41)
      expect(await read(reader, from, 5)).toBe(
        logOf('a', 40)
          .slice(from, from + 5)
          .join(' '),
      );
  });

  test('costs no fetch where the one before left all of it, with the record that was taken last', async () => {
    const { broker, reader } = open({ log: logOf('a', 20), recordsMax: 10 });
    await read(reader, 0, 4);
    expect(await read(reader, 3, 4)).toBe('a3 a4 a5 a6');
    expect(await read(reader, 6, 4)).toBe('a6 a7 a8 a9');
    expect(broker.fetches).toHaveLength(1);
  });

  test('is fetched anew by whoever comes a second later', async () => {
    const { broker, reader } = open({ log: logOf('a', 20) });
    await read(reader, 0, 4);
    broker.nowMs += 999;
    await read(reader, 3, 4);
    expect(broker.fetches).toHaveLength(1);
    broker.nowMs += 1;
    await read(reader, 6, 4);
    expect(broker.fetches).toHaveLength(2);
  });

  test('is not fetched for nothing', async () => {
    const { broker, reader } = open({ log: logOf('a', 20) });
    expect(await read(reader, 5, 0)).toBe('');
    expect(broker.fetches).toHaveLength(0);
  });

  test('goes on behind a batch that fills a fetch by itself, and knows the next time how much room that takes', async () => {
    const { broker, reader } = open({ log: logOf('a', 30), recordsMax: 3, batchRecords: 5 });
    expect(await read(reader, 0, 12)).toBe(logOf('a', 12).join(' '));
    const tried = broker.fetches.length;
    expect(await read(reader, 11, 12)).toBe(logOf('a', 23).slice(11).join(' '));
    expect(broker.fetches.slice(tried).map(({ bytesMax }) => bytesMax)).toEqual([
      4 * fetchBytesMax,
      4 * fetchBytesMax,
    ]);
  });
});

describe('where the topic is made anew', () => {
  test('what is left of the log before does not go together with the new one', async () => {
    const { broker, reader } = open({ log: logOf('a', 6) });
    expect(await read(reader, 0, 4)).toBe('a0 a1 a2 a3');
    broker.log = logOf('b', 9);
    expect(await read(reader, 3, 6)).toBe('b3 b4 b5 b6 b7 b8');
  });

  test('nor do two fetches of one read', async () => {
    const { broker, reader } = open({ log: logOf('a', 9), recordsMax: 4 });
    broker.before = () => {
      if (broker.fetches.length === 1) broker.log = logOf('b', 9);
    };
    expect(await read(reader, 0, 9)).toBe(logOf('b', 9).join(' '));
  });

  test('and is shorter, that is told', async () => {
    for (const [records, told, toldOfTwo] of [
      [2, 'beyond-end', 'beyond-end'],
      [3, '', ''],
      [4, 'b3', 'b3'],
      [5, 'b3 b4', 'b3 b4'],
      [6, 'b3 b4 b5', 'b3 b4'],
    ] as const) {
      const { broker, reader } = open({ log: logOf('a', 6) });
      await read(reader, 0, 4);
      broker.log = logOf('b', records);
      expect(await read(reader, 3, 6)).toBe(told);
      // And nothing is left of the other one.
      expect(await read(reader, 3, 2)).toBe(toldOfTwo);
    }
  });

  test('again and again, the read gives up in time', async () => {
    const { broker, reader } = open({ recordsMax: 2 });
    broker.before = () => {
      broker.log = logOf(String(broker.nowMs), 9);
      broker.nowMs += 100;
    };
    expect(await read(reader, 0, 9)).toBe('unreachable');
  });

  test('an outage meanwhile loses nothing: the next read finds it out', async () => {
    const { broker, reader } = open({ log: logOf('a', 6) });
    await read(reader, 0, 4);
    broker.log = logOf('b', 9);
    broker.before = () => {
      broker.nowMs += withinMs;
    };
    expect(await read(reader, 3, 6)).toBe('unreachable');
    broker.before = () => undefined;
    broker.nowMs = 500;
    expect(await read(reader, 3, 6)).toBe('b3 b4 b5 b6 b7 b8');
  });

  test('a fold goes on with nothing of it', async () => {
    const { broker, reader } = open({ log: logOf('a', 6) });
    const ports = {
      log: {
        name: 'log',
        read: (_: number, ...asked: [number, number]) => reader.read(...asked, withinMs),
      } as Partial<RecordLog>,
      tools: { crypto: { sha256Hex } },
    } as unknown as Parameters<typeof readOn>[0];
    const foldedTo = (next: number): Parameters<typeof readOn>[1] =>
      ({ next, lastDigest: sha256Hex(Buffer.from(`a${next - 1}`)) }) as Parameters<
        typeof readOn
      >[1];
    expect(await readOn(ports, foldedTo(2), 4)).toMatchObject({ ok: true });
    broker.log = logOf('b', 9);
    expect(await readOn(ports, foldedTo(4), 9)).toMatchObject({
      ok: false,
      problem: { code: 'foreign-log' },
    });
  });
});
