import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NewRecord } from '../../services/core/log/record.ts';
import type { CopyTarget } from '../../services/ports/migrating.ts';
import type { RecordLog } from '../../services/ports/record-log.ts';
import { Killed, logOf } from '../support/archives.ts';
import { fold, keyOf, signed } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { added, audience, logged } from '../support/markers.ts';
import { digestOf, everything, move, openMoveFile, openMoveTarget } from '../support/moving.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';

const scratch = scratchFolder();
const [opening, ...rest] = await hostileLog({ seed: 11, audience, records: 40 });
const records: readonly NewRecord[] = [
  ...(opening === undefined ? [] : [opening]),
  await signed('admin', added(keyOf('ops'), { roles: ['operator'] }), 'ops'),
  ...rest,
];
const writers = await Promise.all(
  Array.from({ length: 60 }, (_, index) => signed('wide', logged(`${index}.1.1`), `w ${index}`)),
);

/** Steps that change something: in the first run the process is killed before or after the one of that number. */
const killing = (
  step: number,
  after: boolean,
  beforeEach: () => Promise<void>,
): (<Args extends readonly unknown[], Answer>(
  work: (...args: Args) => Promise<Answer>,
) => (...args: Args) => Promise<Answer>) => {
  let steps = 0;
  return (work) =>
    async (...args) => {
      await beforeEach();
      steps += 1;
      if (steps > step || (steps === step && !after)) throw new Killed();
      const answer = await work(...args);
      if (steps === step) throw new Killed();
      return answer;
    };
};

test('killed anywhere, and with others appending anywhere, the log arrives whole', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.record({ step: fc.integer({ min: 1, max: 9 }), after: fc.boolean() }), {
      maxLength: 4,
    }),
    fc.array(fc.boolean(), { minLength: 12, maxLength: 40 }),
    fc.integer({ min: 0, max: 43 }),
    async (kills, appends, copiedBefore) => {
      const folder = join(scratch, randomUUID());
      mkdirSync(folder);
      const source = await logOf(records);
      const acknowledged: NewRecord[] = [...records];
      let turn = 0;
      const others = async (): Promise<void> => {
        const record = writers[acknowledged.length - records.length];
        // Who never rests keeps a seal from its place for ever, and is told so: they rest in the end.
        if (appends[turn++] !== true || record === undefined) return;
        value(await source.append(0, [record]));
        acknowledged.push(record);
      };
      for (const kill of [...kills, undefined]) {
        const file = await openMoveFile(folder);
        try {
          const target = await openMoveTarget(file);
          if (kill === kills[0] && target.state === 'copying')
            value(await target.copy((await everything(source)).slice(0, copiedBefore)));
          const wrap =
            kill === undefined
              ? killing(Number.POSITIVE_INFINITY, false, others)
              : killing(kill.step, kill.after, others);
          const killedSource: RecordLog = { ...source, append: wrap(source.append) };
          const killedTarget: CopyTarget = {
            ...target,
            copy: wrap(target.copy),
            open: wrap(target.open),
          };
          await move(killedSource, killedTarget).then(value, (error: unknown) => {
            if (!(error instanceof Killed)) throw error;
          });
        } finally {
          file.close();
        }
      }
      // What came last of all is carried over by one more run.
      const file = await openMoveFile(folder);
      const target = await openMoveTarget(file);
      const told = value(await move(source, target));
      expect(told.already).toBe(true);
      const arrived = await everything(value(await target.open()));
      const left = await everything(source);
      expect(arrived.slice(0, told.position)).toEqual(left.slice(0, told.position));
      const there = new Set(arrived.map(digestOf));
      expect(acknowledged.filter((record) => !there.has(digestOf(record)))).toEqual([]);
      const notes = (await fold(arrived)).notes();
      expect(notes.filter((note) => note === 'log-sealed')).toEqual([]);
      const sealed = (await fold(left)).outcomes.filter(({ outcome }) => outcome === 'operation');
      expect(sealed.map(({ position }) => position)).toEqual([told.position]);
      file.close();
    },
  );
  await fc.assert(property, { numRuns: 40 });
}, 240_000);
