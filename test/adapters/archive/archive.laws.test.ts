import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openReader } from '../../../services/adapters/archive/reader.ts';
import { joinArchive } from '../../../services/adapters/archive/seam.ts';
import type { LogRecord, NewRecord } from '../../../services/core/log/record.ts';
import { allOf, archive, Killed, killedAt, logOf, topic, verify } from '../../support/archives.ts';
import { keyOf, signed, tools } from '../../support/given.ts';
import { hostileLog } from '../../support/hostile-log.ts';
import { added, audience } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());

/** A log that nobody polished, whose second record names the operator's key. */
const [opening, ...rest] = await hostileLog({ seed: 7, audience, records: 60 });
const records: readonly NewRecord[] = [
  ...(opening === undefined ? [] : [opening]),
  await signed('admin', added(keyOf('ops'), { roles: ['operator'] }), 'ops'),
  ...rest,
];
const whole: readonly LogRecord[] = await allOf(await logOf(records));

const archived = async (folder: string): Promise<readonly LogRecord[]> => {
  const reader = value(await openReader(tools.crypto.sha256Hex, folder, topic));
  return value(await reader.read(0, reader.end + 1));
};

/** Whoever wrote by now is gone. */
const hoursLater = (): number => Date.now() + 2 * 3_600_000;

describe('an archive run that is killed', () => {
  test('at any step, before it, half-way or after it, is finished by the next one', async () => {
    const log = await logOf(records);
    const cuts = { fileRecordsMax: 25 };
    const count = killedAt(Number.POSITIVE_INFINITY, 'after');
    value(await archive(newFolder(), log, { fileRecordsMax: 20, disk: count.disk }));
    expect(count.steps()).toBe(17);
    for (let step = 1; step <= count.steps(); step++)
      for (const when of ['before', 'half-way', 'after'] as const) {
        const folder = newFolder();
        const { disk } = killedAt(step, when);
        // It cut its files elsewhere: what it left under other names must not stay for ever.
        const shorter = { fileRecordsMax: 20 };
        await expect(archive(folder, log, { ...shorter, disk })).rejects.toThrow(Killed);
        // What stands there now is nothing, or an archive: whole as far as it goes.
        const between = await verify(folder);
        expect(between.ok || between.problem.code).toSatisfy(
          (told: true | string) => told === true || told === 'archive-missing',
          `killed ${when} step ${step}`,
        );
        const told = value(await archive(folder, log, { ...cuts, nowMs: hoursLater }));
        expect(told.to).toBe(records.length);
        expect(await archived(folder)).toEqual(whole);
        expect(
          value(await verify(folder)).strangers.filter((name) => name.endsWith('.avro')),
        ).toEqual([]);
      }
  }, 120_000);

  test('leaves the very files that a run leaves which nobody disturbed', async () => {
    const log = await logOf(records);
    const [undisturbed, disturbed] = [newFolder(), newFolder()];
    value(await archive(undisturbed, log, { fileRecordsMax: 25 }));
    for (let step = 1; step <= 14; step += 2) {
      const { disk } = killedAt(step, 'after');
      await archive(disturbed, log, { fileRecordsMax: 25, disk }).catch(() => undefined);
    }
    value(await archive(disturbed, log, { fileRecordsMax: 25, nowMs: hoursLater }));
    const files = (folder: string): readonly (readonly [string, string])[] => {
      const at = join(folder, topic, '0');
      return readdirSync(at)
        .filter((name) => !name.endsWith('.tmp'))
        .map((name) => [name, readFileSync(join(at, name), 'hex')] as const);
    };
    expect(files(disturbed)).toEqual(files(undisturbed));
  });
});

describe('an archive', () => {
  test('is the log, wherever runs and files were cut and from wherever it is read', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: records.length }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 70 }),
      fc.nat({ max: records.length }),
      fc.integer({ min: 1, max: 80 }),
      async (ends, fileRecordsMax, from, recordsMax) => {
        const folder = newFolder();
        const log = await logOf([]);
        let next = 0;
        for (const end of [...ends.toSorted((a, b) => a - b), records.length]) {
          for (const record of records.slice(next, end)) value(await log.append(0, [record]));
          next = Math.max(next, end);
          value(await archive(folder, log, { fileRecordsMax }));
        }
        const all = await allOf(log);
        const reader = value(await openReader(tools.crypto.sha256Hex, folder, topic));
        expect(reader.end).toBe(records.length);
        expect(value(await reader.read(from, recordsMax))).toEqual(
          all.slice(from, from + recordsMax),
        );
        value(await verify(folder));
      },
    );
    await fc.assert(property, { numRuns: 40 });
  }, 120_000);

  test('and its log, joined anywhere, are one log from 0 on', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 2, max: records.length }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat({ max: records.length }),
      fc.integer({ min: 1, max: 80 }),
      async (end, share, from, recordsMax) => {
        const folder = newFolder();
        const log = await logOf(records);
        value(await archive(folder, await logOf(records.slice(0, end))));
        // One archived record at least is still on the log.
        value(await log.prune(0, whole[Math.floor(end * share)]?.appendedAtMs ?? 0));
        const reader = value(await openReader(tools.crypto.sha256Hex, folder, topic));
        const joined = value(await joinArchive(tools, log, reader));
        expect(value(await joined.range(0))).toEqual({ start: 0, end: records.length });
        expect(value(await joined.read(0, from, recordsMax))).toEqual(
          whole.slice(from, from + recordsMax),
        );
      },
    );
    await fc.assert(property, { numRuns: 60 });
  }, 120_000);
});
