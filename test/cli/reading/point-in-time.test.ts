import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../services/core/instant.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions, Said } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, findsCompromised, openedAtMs, recordsOf, trusts } from '../../support/given.ts';
import { logged, place, planned, run, started, succeeded } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

/** A desk before a log that tells a story at the story's own times, behind the key that the desk signs with. */
const deskOf = async (steps: readonly Step[], options: DeskOptions = {}): Promise<Desk> => {
  const desk = await openDesk({ folder: join(scratch, randomUUID()), ...options });
  const { nowMs, sleep } = desk.house.ports.clock;
  const records = await recordsOf(trusts('local'), ...steps);
  for (const record of records.slice(2)) {
    await sleep(record.appendedAtMs - nowMs());
    value(await desk.house.log.append(0, [record]));
  }
  return desk;
};

type Line = { readonly [field: string]: unknown };
const linesOf = (said: Said): readonly Line[] => said.out.map((line) => JSON.parse(line) as Line);

/** `then 2.0.0 in production`, `now production: late at 9`. */
const at = async (desk: Desk, moment: string | number): Promise<readonly string[]> => {
  const said = await desk.plimsoll('current', `--at=${moment}`, '--json');
  expect(said.exit).toBe(0);
  return linesOf(said).map((line) => {
    expect(faultsOf('current-at', line)).toEqual([]);
    const where = String(line['environment']);
    if (line['known'] === 'then')
      return `then ${String(line['version'])} in ${where} since ${String(line['since']).slice(11, 19)}`;
    const { held, learned } = line as {
      readonly held: { readonly version: string } | null;
      readonly learned: readonly Line[];
    };
    const lessons = learned.map(({ what, position }) => `${String(what)} at ${String(position)}`);
    return `now ${held?.version ?? 'nothing'} in ${where}: ${lessons.join(', ')}`;
  });
};

/** 1.9.4 at second 2; 2.0.0 planned at 100 and succeeded at 200; 3.0.0 at 300. */
const story: readonly Step[] = [
  by('ci', logged('1.9.4'), { at: 2 }),
  by('ci', planned('2.0.0'), { at: 100 }),
  by('ci', succeeded(), { at: 200 }),
  by('ci', logged('3.0.0'), { at: 300 }),
];

test('what was folded for a moment is closed at the end, whether there was an answer or not', async () => {
  const desk = await deskOf(story);
  let [opened, closed] = [0, 0];
  const counting = desk.elsewhere({
    change: (ports) => ({
      ...ports,
      atHandBefore: async (...args) => {
        const before = await ports.atHandBefore(...args);
        if (!before.ok) return before;
        opened += 1;
        const { store } = before.value;
        const close = async (): Promise<void> => {
          closed += 1;
          await store.close();
        };
        return { ok: true, value: { ...before.value, store: { ...store, close } } };
      },
    }),
  });
  expect((await counting.plimsoll('current', '--at=5')).exit).toBe(0);
  expect([opened, closed]).toEqual([1, 1]);
  expect(
    (await counting.plimsoll('show', '0190ffff-0000-7000-8000-00000000ffff', '--at=5')).exit,
  ).toBe(4);
  expect([opened, closed]).toEqual([2, 2]);
});

describe('current --at', () => {
  test('a position is what lay before it', async () => {
    const desk = await deskOf(story);
    expect(await at(desk, 4)).toEqual(['then 1.9.4 in production since 10:00:02']);
    expect(await at(desk, 6)).toEqual(['then 2.0.0 in production since 10:03:20']);
    expect(await at(desk, 7)).toEqual(['then 3.0.0 in production since 10:05:00']);
  });

  test('a time is what was appended before it', async () => {
    const desk = await deskOf(story);
    expect(await at(desk, '2026-11-21T10:03:19Z')).toEqual([
      'then 1.9.4 in production since 10:00:02',
    ]);
    expect(await at(desk, '2026-11-21T10:03:21Z')).toEqual([
      'then 2.0.0 in production since 10:03:20',
    ]);
    expect(await at(desk, '2026-11-22T10:00Z')).toEqual([
      'then 3.0.0 in production since 10:05:00',
    ]);
  });

  test('what was planned stands beside as it was then', async () => {
    const desk = await deskOf(story);
    const [line] = linesOf(await desk.plimsoll('current', '--at=5', '--json'));
    expect(line).toMatchObject({ beside: [{ version: '2.0.0', status: 'planned' }] });
  });

  test('a success that waited on a spool is known now, with the record that taught it', async () => {
    const desk = await deskOf([
      ...story.slice(0, 2),
      by('other', logged('1.0.0', { slot: place('staging') }), { at: 250 }),
      by('ci', succeeded(), { at: 400, waitedMs: 200_000 }),
    ]);
    expect(await at(desk, '2026-11-21T10:04:00Z')).toEqual([
      'then 1.9.4 in production since 10:00:02',
      'now 2.0.0 in production: holder at 7, late at 7',
    ]);
    // Before it had happened nobody could know it, and nobody does.
    expect(await at(desk, '2026-11-21T10:03:19Z')).toEqual([
      'then 1.9.4 in production since 10:00:02',
    ]);
  });

  test('a success that never became current is known now of then', async () => {
    const desk = await deskOf([
      ...story.slice(0, 2),
      by('ci', logged('3.0.0'), { at: 300 }),
      by('ci', succeeded(), { at: 400, waitedMs: 200_000 }),
    ]);
    expect(await at(desk, '2026-11-21T10:04:00Z')).toEqual([
      'then 1.9.4 in production since 10:00:02',
      'now 2.0.0 in production: holder at 6, late at 6',
    ]);
  });

  test('a key that was found compromised since, and a conflict that came later', async () => {
    const desk = await deskOf([
      trusts('ci'),
      by('ci', logged('1.9.4'), { at: 2, marker: 'm' }),
      by('ci', logged('1.9.5', { slot: place('staging') }), { at: 100, marker: 'm' }),
      findsCompromised('ci', 3),
    ]);
    expect(await at(desk, 4)).toEqual([
      'then 1.9.4 in production since 10:00:02',
      'now 1.9.4 in production: conflict at 4, suspect at 5',
    ]);
    const [then] = linesOf(await desk.plimsoll('current', '--at=4', '--json'));
    expect(then).toMatchObject({ suspect: false, conflict: false });
    expect(await at(desk, 6)).toEqual(['then 1.9.4 in production since 10:00:02']);
  });

  test('only the place that is asked for', async () => {
    const desk = await deskOf([...story, by('ci', logged('7', { slot: place('staging') }))]);
    const said = await desk.plimsoll('current', '--at=8', '--environment-name=staging', '--json');
    expect(linesOf(said).map(({ version }) => version)).toEqual(['7']);
  });

  test('people read both, and when', async () => {
    const desk = await deskOf([
      ...story.slice(0, 2),
      by('ci', succeeded(), { at: 400, waitedMs: 200_000 }),
    ]);
    expect((await desk.plimsoll('current', '--at=2026-11-21T10:04:00Z')).out).toEqual([
      'what was known before position 5, at 2026-11-21 10:04:00Z',
      '',
      expect.stringContaining('ENVIRONMENT'),
      expect.stringContaining('1.9.4'),
      '',
      'what is known now of then',
      '',
      'production/checkout',
      `  holder: 2.0.0 held it since 2026-11-21T10:03:20.000Z, not 1.9.4 at 2026-11-21T10:04:00.000Z (position 5, deployment ${run('7')})`,
      `  late: succeeded counts from 2026-11-21T10:03:20.000Z: it waited 3 minutes (position 5, deployment ${run('7')})`,
    ]);
    expect((await desk.plimsoll('current', '--at=4')).out.slice(-1)).toEqual([
      'nothing else is known now of then',
    ]);
  });

  test.each(['0', 'yesterday', '9999'])('--at=%s is refused', async (written) => {
    const said = await (await deskOf(story)).plimsoll('current', `--at=${written}`);
    expect(said.exit).toBe(2);
    expect(said.err.join('\n')).toContain('--at');
  });

  test('a gateway is not asked', async () => {
    const desk = await deskOf(story, { isRemote: true });
    const said = await desk.plimsoll('current', '--at=3');
    expect(said.exit).toBe(2);
    expect(said.err.join('\n')).toContain('not-through-gateway');
  });
});

describe('show --at', () => {
  const late = [
    ...story.slice(0, 2),
    by('ci', started(), { at: 110 }),
    by('ci', succeeded(), { at: 400, waitedMs: 200_000 }),
  ];

  test('the deployment as it was known then, and what is known now of it at that moment', async () => {
    const desk = await deskOf(late);
    const said = await desk.plimsoll('show', run('7'), '--at=2026-11-21T10:04:00Z', '--json');
    const [line] = linesOf(said);
    expect(faultsOf('show-at', line)).toEqual([]);
    expect(line).toMatchObject({
      at: { position: 6, time: isoTime(openedAtMs + 240_000) },
      knownThen: { attempts: [{ status: 'running' }] },
      knownNow: { learned: [{ what: 'late', position: 6 }] },
    });
  });

  test('what was not known then and counts from later was not known', async () => {
    const desk = await deskOf(story);
    const said = await desk.plimsoll('show', run('7'), '--at=4');
    expect(said.exit).toBe(4);
    expect(said.err.join('\n')).toContain('first heard of at position 4');
  });

  test('what was not known then and counts from before is known now', async () => {
    const desk = await deskOf([
      by('ci', logged('1.9.4'), { at: 2 }),
      by('ci', planned(), { at: 400, waitedMs: 300_000 }),
    ]);
    const said = await desk.plimsoll('show', run('7'), '--at=2026-11-21T10:02:00Z', '--json');
    expect(linesOf(said)).toMatchObject([
      { knownThen: null, knownNow: { learned: [{ what: 'late', position: 4 }] } },
    ]);
  });

  test('people read both', async () => {
    const desk = await deskOf(late);
    const { out } = await desk.plimsoll('show', run('7'), '--at=2026-11-21T10:04:00Z');
    expect(out[0]).toBe('what was known before position 6, at 2026-11-21 10:04:00Z');
    expect(out).toContain('attempt 1: checkout 2.0.0 to production, running');
    expect(out.at(-1)).toBe(
      'attempt 1: late: succeeded by ci counts from 2026-11-21T10:03:20.000Z: it waited 3 minutes (position 6)',
    );
  });
});

describe('timeline --around', () => {
  const many: readonly Step[] = [
    ...[1, 2, 3, 4, 5, 6].map((number) => by('ci', logged(`${number}.0.0`), { at: number * 100 })),
    by('ci', logged('2.5.0'), { at: 700, waitedMs: 450_000 }),
  ];
  const around = async (...more: readonly string[]): Promise<readonly string[]> => {
    const said = await (await deskOf(many)).plimsoll('timeline', ...more, '--json');
    return linesOf(said).map((line) => {
      expect(faultsOf('timeline-around', line)).toEqual([]);
      return `${String(line['version'])} ${line['heardAfter'] === true ? 'after' : 'before'}${
        line['heardAfter'] !== line['countsBefore'] ? '' : ', counts from before'
      }`;
    });
  };

  test('so many attempts before and after, and which was first heard of after it', async () => {
    expect(await around('--around=6', '--limit=2')).toEqual([
      '2.0.0 before',
      '3.0.0 before',
      '4.0.0 after',
      '5.0.0 after',
    ]);
  });

  test('what is heard after a time may count from before it', async () => {
    expect(await around('--around=2026-11-21T10:05:30Z')).toEqual([
      '1.0.0 before',
      '2.0.0 before',
      '3.0.0 before',
      '4.0.0 after',
      '5.0.0 after',
      '6.0.0 after',
      '2.5.0 after, counts from before',
    ]);
  });

  test('people see where the moment is', async () => {
    const desk = await deskOf(many);
    const { out } = await desk.plimsoll('timeline', '--around=6', '--limit=1');
    expect(out).toEqual([
      expect.stringContaining('HEARD'),
      expect.stringContaining('3.0.0'),
      '-- position 6, 2026-11-21 10:05:00Z --',
      expect.stringContaining('4.0.0'),
    ]);
  });
});
