import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { appendBytesMax } from '../../services/core/log/append-size.ts';
import type { NewRecord, Position } from '../../services/core/log/record.ts';
import type { Appended, RecordLog } from '../../services/ports/record-log.ts';
import { eventuallyMs } from '../support/eventually.ts';
import { positionsOf, record, text, value } from '../support/records.ts';
import { subscriptionContract } from './record-log-subscription.contract.ts';
import type { OpenedLog } from './record-log-subscription.contract.ts';

export type RecordLogContractOptions = {
  /** How often each property is tried. */
  readonly propertyRuns?: number;
  /** How long a subscription may take to get what it is owed, milliseconds. */
  readonly withinMs?: number;
  /** Set where several machines give the times: one may be behind another. */
  readonly timesMayGoBack?: true;
  /** Set where old records go: forgets what was appended before the given time. */
  readonly prune?: (log: RecordLog, partition: number, appendedBeforeMs: number) => Promise<void>;
};

/** What every record log promises, sentence by sentence. `open` gives a new and empty log each time. */
export const recordLogContract = (
  name: string,
  open: () => Promise<OpenedLog>,
  options: RecordLogContractOptions = {},
): void => {
  const withinMs = options.withinMs ?? eventuallyMs;
  const withLog =
    (use: (opened: OpenedLog) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const opened = await open();
      try {
        await use(opened);
      } finally {
        await opened.close();
      }
    };

  describe(`${name}: append`, () => {
    test(
      'gives positions from 0 on, without gaps, and the time of each',
      withLog(async ({ log }) => {
        const first = value(await log.append(0, [record('a')]));
        const more = value(await log.append(0, [record('b'), record('c')]));
        expect(positionsOf([...first, ...more])).toEqual([0, 1, 2]);
        const stored = value(await log.read(0, 0, 10));
        expect(stored.map(({ position, appendedAtMs }) => ({ position, appendedAtMs }))).toEqual([
          ...first,
          ...more,
        ]);
      }),
    );

    test(
      'keeps key, headers and value byte for byte',
      withLog(async ({ log }) => {
        const odd: NewRecord = {
          key: new Uint8Array([0, 255, 128, 10]),
          headers: [
            { name: 'plimsoll-signature', value: new Uint8Array([0, 1, 254, 255]) },
            { name: 'twice', value: new TextEncoder().encode('first') },
            { name: 'zwölf-☃', value: new Uint8Array(0) },
            { name: '__proto__', value: new TextEncoder().encode('x') },
          ],
          value: Uint8Array.from({ length: 70_000 }, (_, at) => at % 251),
        };
        const empty: NewRecord = {
          key: new Uint8Array(0),
          headers: [],
          value: new Uint8Array(0),
        };
        value(await log.append(0, [odd, empty]));
        const stored = value(await log.read(0, 0, 2));
        expect(stored.map(text)).toEqual([text(odd), text(empty)]);
      }),
    );

    test(
      'is untouched by what the caller does with its buffers afterwards',
      withLog(async ({ log }) => {
        const mine = record('before');
        value(await log.append(0, [mine]));
        mine.value.fill(0);
        mine.key.fill(0);
        expect(value(await log.read(0, 0, 1)).map(text)).toEqual([text(record('before'))]);
      }),
    );

    test(
      'puts the records of one call next to each other, whoever else appends',
      withLog(async ({ log, reopen }) => {
        const logs = [log, (await reopen?.()) ?? log] as const;
        const calls = Array.from({ length: 20 }, (_, call) =>
          logs[call % 2 === 0 ? 0 : 1].append(
            0,
            ['a', 'b', 'c'].map((part) => record(`${call}${part}`)),
          ),
        );
        for (const answer of await Promise.all(calls)) {
          const positions = positionsOf(value(answer));
          const first = positions[0] ?? Number.NaN;
          expect(positions).toEqual([first, first + 1, first + 2]);
        }
        const stored = value(await log.read(0, 0, 100));
        expect(positionsOf(stored)).toEqual(Array.from({ length: 60 }, (_, at) => at));
        await logs[1].close();
      }),
    );

    test(
      'takes none of the records when one of them is too large',
      withLog(async ({ log }) => {
        const tooLarge = { ...record('large'), value: new Uint8Array(appendBytesMax + 1) };
        const answer = await log.append(0, [record('a'), tooLarge, record('b')]);
        expect(answer).toMatchObject({ ok: false, problem: { code: 'refused' } });
        expect(value(await log.range(0))).toEqual({ start: 0, end: 0 });
      }),
    );

    test(
      'of nothing is nothing',
      withLog(async ({ log }) => {
        expect(value(await log.append(0, []))).toEqual([]);
        expect(value(await log.range(0))).toEqual({ start: 0, end: 0 });
      }),
    );

    test.skipIf(options.timesMayGoBack === true)(
      'never lets time go back',
      withLog(async ({ log }) => {
        const answers: Appended[] = [];
        for (let round = 0; round < 30; round += 1)
          answers.push(...value(await log.append(0, [record('a'), record('b')])));
        const times = answers.map(({ appendedAtMs }) => appendedAtMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
    );

    test(
      'keeps partitions apart',
      withLog(async ({ log }) => {
        value(await log.append(0, [record('zero')]));
        value(await log.append(1, [record('one'), record('two')]));
        expect(value(await log.range(0))).toEqual({ start: 0, end: 1 });
        expect(value(await log.range(1))).toEqual({ start: 0, end: 2 });
        expect(value(await log.read(1, 0, 10)).map(text)).toEqual(['one', 'two'].map(toText));
      }),
    );

    test(
      'to a partition that is not there is a fault of the program',
      withLog(async ({ log }) => {
        await expect(log.append(log.partitions, [record('a')])).rejects.toThrow(RangeError);
        await expect(log.read(-1, 0, 1)).rejects.toThrow(RangeError);
      }),
    );
  });

  describe(`${name}: read`, () => {
    const fill = async (log: RecordLog, records: number): Promise<void> => {
      const all = Array.from({ length: records }, (_, at) => record(`${at}`));
      value(await log.append(0, all));
    };

    test(
      'gives as many records as asked for, and fewer only at the end',
      withLog(async ({ log }) => {
        await fill(log, 7);
        expect(positionsOf(value(await log.read(0, 0, 3)))).toEqual([0, 1, 2]);
        expect(positionsOf(value(await log.read(0, 3, 3)))).toEqual([3, 4, 5]);
        expect(positionsOf(value(await log.read(0, 6, 3)))).toEqual([6]);
      }),
    );

    test(
      'of the end is empty, of an empty log too, and it does not wait',
      withLog(async ({ log }) => {
        expect(value(await log.read(0, 0, 10))).toEqual([]);
        await fill(log, 2);
        expect(value(await log.read(0, 2, 10))).toEqual([]);
      }),
    );

    test(
      'past the end says so',
      withLog(async ({ log }) => {
        await fill(log, 2);
        expect(await log.read(0, 3, 10)).toMatchObject({
          ok: false,
          problem: { code: 'beyond-end' },
        });
      }),
    );

    test(
      'sees what another process appended, and the other sees ours',
      withLog(async ({ log, reopen }) => {
        if (reopen === undefined) return;
        const other = await reopen();
        await fill(log, 2);
        value(await other.append(0, [record('theirs')]));
        expect(value(await log.read(0, 2, 1)).map(text)).toEqual([toText('theirs')]);
        expect(value(await other.range(0))).toEqual({ start: 0, end: 3 });
        await other.close();
      }),
    );

    test(
      'after close says so, and append takes nothing',
      withLog(async ({ log, reopen }) => {
        const closed = (await reopen?.()) ?? log;
        await closed.close();
        await closed.close();
        expect(await closed.read(0, 0, 1)).toMatchObject({
          ok: false,
          problem: { code: 'closed' },
        });
        expect(await closed.range(0)).toMatchObject({ ok: false, problem: { code: 'closed' } });
        expect(await closed.append(0, [record('late')])).toMatchObject({
          ok: false,
          problem: { code: 'unreachable' },
        });
      }),
    );

    test(
      'gives back any series of appends, however it is cut',
      async () => {
        const appends = fc.array(
          fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 }),
          { minLength: 1, maxLength: 6 },
        );
        const property = fc.asyncProperty(
          appends,
          fc.integer({ min: 1, max: 7 }),
          async (series, recordsMax) => {
            const { log, close } = await open();
            try {
              for (const values of series)
                value(
                  await log.append(
                    0,
                    values.map((bytes) => ({ ...record('k'), value: bytes })),
                  ),
                );
              const read = await readAll(log, recordsMax);
              expect(read).toEqual(
                series.flat().map((bytes) => Buffer.from(bytes).toString('hex')),
              );
            } finally {
              await close();
            }
          },
        );
        await fc.assert(property, { numRuns: options.propertyRuns ?? 25 });
      },
      withinMs * 3,
    );
  });

  const prune = options.prune ?? neverPruned;
  describe.runIf(options.prune !== undefined)(`${name}: retention`, () => {
    test(
      'forgets the oldest records, moves the start and never gives a position twice',
      withLog(async ({ log }) => {
        value(await log.append(0, [record('a'), record('b')]));
        value(await log.append(1, [record('other')]));
        await prune(log, 0, Number.MAX_SAFE_INTEGER);
        expect(value(await log.range(0))).toEqual({ start: 2, end: 2 });
        expect(await log.read(0, 1, 1)).toMatchObject({
          ok: false,
          problem: { code: 'before-start' },
        });
        expect(value(await log.read(0, 2, 1))).toEqual([]);
        expect(positionsOf(value(await log.append(0, [record('c')])))).toEqual([2]);
        expect(value(await log.range(1))).toEqual({ start: 0, end: 1 });
      }),
    );

    test(
      'keeps what is young enough',
      withLog(async ({ log }) => {
        const [first] = value(await log.append(0, [record('a')]));
        await prune(log, 0, first?.appendedAtMs ?? 0);
        expect(value(await log.range(0))).toEqual({ start: 0, end: 1 });
      }),
    );
  });

  subscriptionContract(name, withLog, { withinMs, prune: options.prune });
};

const neverPruned = (): Promise<void> => Promise.reject(new Error('this log never forgets'));

const toText = (content: string): string => text(record(content));

/** Hex of every value, read in pieces until the end says that it is the end. */
const readAll = async (log: RecordLog, recordsMax: number): Promise<string[]> => {
  const values: string[] = [];
  let next: Position = 0;
  for (;;) {
    const records = value(await log.read(0, next, recordsMax));
    if (records.length === 0) return values;
    values.push(...records.map((each) => Buffer.from(each.value).toString('hex')));
    next += records.length;
  }
};
