import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { again, by, given, raw, trusts } from '../../support/given.ts';
import { logged, operated, planned, run, started, succeeded } from '../../support/markers.ts';
import { record } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const operator = trusts('ops', { roles: ['operator'] });

/** A deployment of a key that the log does not know, at 3 to 5 of the desk's log, and bytes of nobody at 6. */
const strangers = async (): Promise<readonly Step[]> => {
  const { records } = await given(
    trusts('late'),
    by('late', planned()),
    by('late', started()),
    by('late', succeeded()),
  );
  return [operator, ...records.slice(2).map(raw), raw(record('nothing of ours'))];
};

const aDesk = async (...more: readonly Step[]): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), steps: [...(await strangers()), ...more] });

const trustLate = (desk: Desk): Promise<Said> =>
  desk.plimsoll(
    ...['keys', 'trust', 'late.pub.json', '--role=emitter', '--environment=*', '--component=*'],
  );

const why = ['--reason=the key is trusted now', '--key=ops.json'];

type Lines = readonly { readonly [field: string]: unknown }[];
const linesOf = (said: Said, schema: string): Lines => {
  const lines = said.out.map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
  expect(lines.flatMap((line) => faultsOf(schema, line))).toEqual([]);
  return lines;
};
const redrive = async (desk: Desk, ...args: readonly string[]): Promise<Lines> =>
  linesOf(await desk.plimsoll('dead-letters', 'redrive', ...args, '--json'), 'redriven-letter');
const listed = async (desk: Desk, ...args: readonly string[]): Promise<readonly unknown[]> =>
  linesOf(await desk.plimsoll('dead-letters', 'list', ...args, '--json'), 'dead-letter').map(
    ({ position, state }) => `${String(position)} ${String(state)}`,
  );
const codeIn = ({ err }: Said): unknown =>
  (JSON.parse(err.at(-1) ?? 'null') as { code: string }).code;

describe('dead-letters redrive', () => {
  test('brings back, in their order, what was signed by a key that is trusted now', async () => {
    const desk = await aDesk();
    await trustLate(desk);
    expect(await redrive(desk, '--code=key-unknown', ...why)).toMatchObject([
      { letter: 3, outlook: 'accepted', becomes: 'applied', operation: 8, position: 9 },
      { letter: 4, outlook: 'accepted', becomes: 'applied', operation: 8, position: 10 },
      { letter: 5, outlook: 'accepted', becomes: 'applied', operation: 8, position: 11 },
    ]);
    const shown = jsonOf(await desk.plimsoll('show', run('7'), '--json'));
    expect(shown).toMatchObject({
      attempts: [
        {
          status: 'succeeded',
          signer: 'late',
          // The time that counts is that of the first append; the log is minutes older by now.
          startedAt: expect.stringMatching(/^2026-11-21T10:00:\d\d/),
        },
      ],
    });
    expect(await listed(desk)).toEqual(['6 open']);
    expect(await listed(desk, '--all')).toEqual([
      '3 redriven',
      '4 redriven',
      '5 redriven',
      '6 open',
    ]);
    const operations = await desk.plimsoll('operations', '--json');
    expect(jsonOf(operations)).toMatchObject({
      kind: 'letters-redriven',
      signer: 'ops',
      reason: 'the key is trusted now',
      positions: [3, 4, 5],
      effect: { done: 3, refused: [] },
    });
  });

  test('tells first, when asked to, and appends nothing', async () => {
    const desk = await aDesk();
    const before = await redrive(desk, '3', '6', '--dry-run', '--key=ops.json');
    expect(before).toMatchObject([
      {
        letter: 3,
        outlook: 'refused-again',
        becomes: 'key-unknown',
        operation: null,
        position: null,
      },
      { letter: 6, outlook: 'refused-again', becomes: 'header-missing' },
    ]);
    await trustLate(desk);
    const size = (await desk.house.records()).length;
    // The start without its plan waits for it; with it, it counts.
    expect(await redrive(desk, '4', '--dry-run', '--key=ops.json')).toMatchObject([
      { letter: 4, outlook: 'accepted', becomes: 'applied' },
    ]);
    const { out } = await desk.plimsoll(
      ...['dead-letters', 'redrive', '3', '4', '5', '6', '--dry-run', '--key=ops.json'],
    );
    expect(out).toEqual([
      '3 key-unknown -> would be accepted: applied',
      '4 key-unknown -> would be accepted: applied',
      '5 key-unknown -> would be accepted: applied',
      '6 header-missing -> would be refused again: header-missing',
    ]);
    expect(await desk.house.records()).toHaveLength(size);
    expect(await listed(desk)).toEqual(['3 open', '4 open', '5 open', '6 open']);
  });

  test('appends nothing that would be refused again, unless it is forced', async () => {
    const desk = await aDesk();
    const size = (await desk.house.records()).length;
    const refused = await desk.plimsoll('dead-letters', 'redrive', '6', ...why, '--json');
    expect([refused.exit, codeIn(refused)]).toEqual([3, 'nothing-redriven']);
    expect(linesOf(refused, 'redriven-letter')).toMatchObject([{ outlook: 'refused-again' }]);
    expect(await desk.house.records()).toHaveLength(size);

    expect(await redrive(desk, '6', '--force', ...why)).toMatchObject([
      { letter: 6, outlook: 'refused-again', becomes: 'header-missing', position: 8 },
    ]);
    expect(await listed(desk)).toEqual(['3 open', '4 open', '5 open', '6 open']);
    expect(await listed(desk, '--all')).toContain('8 repeat');
  });

  test('goes round in no circle: three times, and no more without force', async () => {
    const desk = await aDesk();
    for (const position of [8, 10, 12])
      expect(await redrive(desk, '6', '--force', ...why)).toMatchObject([{ position }]);
    expect(await redrive(desk, '6', '--dry-run', '--key=ops.json')).toMatchObject([
      { outlook: 'held-back', becomes: 'redrive-limit' },
    ]);
    expect(await redrive(desk, '6', '--force', ...why)).toMatchObject([{ position: 14 }]);
  });

  test('takes a redrive for the letter itself', async () => {
    const desk = await aDesk();
    await redrive(desk, '3', '--force', ...why);
    await trustLate(desk);
    expect(await redrive(desk, '8', ...why)).toMatchObject([{ letter: 3, outlook: 'accepted' }]);
  });

  test('holds back what was redriven or discarded already', async () => {
    const desk = await aDesk();
    await trustLate(desk);
    await redrive(desk, '3', ...why);
    await desk.plimsoll('dead-letters', 'discard', '6', '--reason=noise', '--key=ops.json');
    expect(await redrive(desk, '3', '6', '--dry-run', '--key=ops.json')).toMatchObject([
      { letter: 3, outlook: 'held-back', becomes: 'letter-redriven' },
      { letter: 6, outlook: 'held-back', becomes: 'letter-discarded' },
    ]);
    expect(await redrive(desk, '3', '--force', ...why)).toMatchObject([
      { outlook: 'known', becomes: 'duplicate' },
    ]);
  });

  test('chooses by the deployment that a record says it is about, proven or not', async () => {
    const desk = await aDesk();
    await trustLate(desk);
    const lines = await redrive(desk, `--deployment=${run('7')}`, ...why);
    expect(lines.map(({ letter }) => letter)).toEqual([3, 4, 5]);
  });

  test('leaves alone what is settled where no position is named', async () => {
    const desk = await aDesk();
    await trustLate(desk);
    await redrive(desk, '3', ...why);
    await desk.plimsoll('dead-letters', 'discard', '4', '--reason=noise', '--key=ops.json');
    const lines = await redrive(desk, '--code=key-unknown', '--dry-run', '--key=ops.json');
    expect(lines.map(({ letter }) => letter)).toEqual([5]);
  });

  test('counts the time since the first append, so that a late success becomes history', async () => {
    const desk = await aDesk();
    // Each call leaves the log a minute older.
    await desk.plimsoll('current');
    await desk.plimsoll(
      ...['release', 'log', '--component-name=checkout', '--target-version=3.0.0'],
      ...['--environment-name=production', '--key=local.json'],
    );
    await trustLate(desk);
    await redrive(desk, '--code=key-unknown', ...why);
    const current = await desk.plimsoll('current', '--json');
    expect(jsonOf(current)).toMatchObject({ version: '3.0.0' });
  });

  test.each([
    [[], 'option-invalid'],
    [['3', '--code=key-unknown'], 'option-invalid'],
    [['x'], 'word-invalid'],
    [['--deployment=x'], 'option-invalid'],
    [['3'], 'option-missing'],
  ])('given %j is refused as %s', async (args, code) => {
    const refused = await (await aDesk()).plimsoll('dead-letters', 'redrive', ...args, '--json');
    expect([refused.exit, codeIn(refused)]).toEqual([2, code]);
  });

  test.each([
    [['1', ...why], 4, 'not-found'],
    [['--code=body-malformed', ...why], 4, 'not-found'],
    [['3', '--reason=x', '--key=local.json'], 5, 'role-missing'],
    [['3', '--reason=x', '--key=stranger.json'], 5, 'key-unknown'],
  ])('given %j ends with %i: %s, and nothing is appended', async (args, exit, code) => {
    const desk = await aDesk();
    const size = (await desk.house.records()).length;
    const refused = await desk.plimsoll('dead-letters', 'redrive', ...args, '--json');
    expect([refused.exit, codeIn(refused)]).toEqual([exit, code]);
    expect(await desk.house.records()).toHaveLength(size);
  });

  test('is for where the log is at hand', async () => {
    const desk = (await aDesk()).elsewhere({ isRemote: true });
    const refused = await desk.plimsoll('dead-letters', 'redrive', '3', ...why, '--json');
    expect([refused.exit, codeIn(refused)]).toEqual([2, 'not-through-gateway']);
  });
});

describe('dead-letters discard', () => {
  const discard = async (desk: Desk, ...args: readonly string[]): Promise<Lines> =>
    linesOf(
      await desk.plimsoll('dead-letters', 'discard', ...args, '--key=ops.json', '--json'),
      'discarded-letter',
    );

  test('lets letters rest: hidden, and never gone', async () => {
    const desk = await aDesk();
    expect(await discard(desk, '6', '5', '--reason=a scanner')).toMatchObject([
      { letter: 5, state: 'discarded', operation: 7, signer: 'ops', reason: 'a scanner' },
      { letter: 6, state: 'discarded', operation: 7 },
    ]);
    const people = await desk.plimsoll('dead-letters', 'list');
    expect(people.out).toHaveLength(3);
    expect(people.err).toEqual([
      'plimsoll: 2 letters are not shown: redriven, discarded, or a repeat of another; --all shows them',
    ]);
    expect(await listed(desk, '--all')).toContain('6 discarded');
    const { out } = await desk.plimsoll('dead-letters', 'show', '6');
    expect(out).toContain('discarded: 2026-11-21T10:00:00.000Z by ops (operation 7): a scanner');
  });

  test('again is nothing new', async () => {
    const desk = await aDesk();
    await discard(desk, '6', '--reason=a scanner');
    const size = (await desk.house.records()).length;
    expect(await discard(desk, '6', '--reason=again')).toMatchObject([
      { state: 'discarded', reason: 'a scanner' },
    ]);
    expect(await desk.house.records()).toHaveLength(size);
  });

  test('of what is no letter discards none', async () => {
    const desk = await aDesk();
    const refused = await desk.plimsoll(
      ...['dead-letters', 'discard', '6', '1', '--reason=x', '--key=ops.json', '--json'],
    );
    expect([refused.exit, codeIn(refused)]).toEqual([4, 'not-found']);
    expect(await listed(desk)).toHaveLength(4);
  });
});

describe('dead-letters list', () => {
  test('is the same through a gateway', async () => {
    const desk = await aDesk(
      trusts('late'),
      by('ops', operated('letters-redriven', { positions: [3, 6] })),
      again(3),
      again(6),
    );
    const through = desk.elsewhere({ isRemote: true });
    const asked = [[], ['--all'], ['--code=key-unknown'], ['--limit=1']];
    const answers: unknown[] = [];
    for (const args of asked) answers.push(await listed(through, ...args));
    for (const [index, args] of asked.entries())
      expect(await listed(desk, ...args)).toEqual(answers[index]);
    expect(await listed(desk, '--all')).toEqual([
      ...['3 redriven', '4 open', '5 open', '6 open', '10 repeat'],
    ]);
    expect(await listed(desk, '--limit=1')).toEqual(['6 open']);
    expect(await listed(desk, '--code=key-unknown')).toEqual(['4 open', '5 open']);
  });
});

describe('dead-letters show', () => {
  const hostile = {
    key: Uint8Array.from([0x1b, 0x5b, 0x32, 0x4a, 0xff]),
    headers: [
      { name: '\u001b]0;owned\u0007', value: Uint8Array.from([0x1b, 0x63]) },
      { name: 'ce_\u202eid\u009b31m', value: new TextEncoder().encode('\u202egnp.exe \\') },
      { name: 'huge', value: new Uint8Array(100_000).fill(0x41) },
      ...Array.from({ length: 60 }, (_, index) => ({ name: `h${index}`, value: new Uint8Array() })),
    ],
    value: Uint8Array.from({ length: 70_000 }, (_, index) => index % 256),
  };

  test('interprets nothing: every byte that is no visible ASCII is escaped', async () => {
    const desk = await openDesk({ folder: join(scratch, randomUUID()), steps: [raw(hostile)] });
    const { out } = await desk.plimsoll('dead-letters', 'show', '2');
    expect(out.join('')).toMatch(/^[\x20-\x7e…]*$/u);
    expect(out).toContain(String.raw`key (5 bytes): \x1b[2J\xff`);
    expect(out).toContain(String.raw`header \x1b]0;owned\x07: \x1bc`);
    expect(out).toContain(
      String.raw`header ce_\xe2\x80\xaeid\xc2\x9b31m: \xe2\x80\xaegnp.exe \x5c`,
    );
    expect(out).toContain('… 23 more headers; --json has them all');
    expect(out).toContain('… 65904 more bytes; --json has them all');
    expect(Math.max(...out.map((line) => line.length))).toBeLessThan(700);
  });

  test('hands programs every byte, and no byte that a terminal obeys', async () => {
    const desk = await openDesk({ folder: join(scratch, randomUUID()), steps: [raw(hostile)] });
    const said = await desk.plimsoll('dead-letters', 'show', '2', '--json');
    const [line] = linesOf(said, 'dead-letter-record');
    expect(said.out.join('')).toMatch(/^[\x20-\x7e]*$/u);
    const shown = line?.['record'] as { readonly value: string; readonly headers: unknown[] };
    expect(shown.value).toHaveLength(140_000);
    expect(shown.headers).toHaveLength(63);
  });

  test('tells what became of a letter', async () => {
    const desk = await aDesk();
    await redrive(desk, '3', '--force', ...why);
    await trustLate(desk);
    await redrive(desk, '3', ...why);
    const { out } = await desk.plimsoll('dead-letters', 'show', '3');
    expect(out.filter((line) => line.startsWith('redriv'))).toEqual([
      'redriven: 2026-11-21T10:00:00.000Z to position 8 by operation 7: refused again: key-unknown',
      expect.stringMatching(/^redriven: \S+ to position 11 by operation 10: accepted$/),
      'redrives: 2',
    ]);
    const repeat = await desk.plimsoll('dead-letters', 'show', '8');
    expect(repeat.out).toContain('a redrive of: 3 (plimsoll dead-letters show 3)');
  });

  test('what a log of a known key says is there too', async () => {
    const desk = await aDesk(
      by('ci', logged('1.0.0'), { marker: 'same' }),
      by('ci', logged('2'), { marker: 'same' }),
    );
    const lines = await redrive(desk, '9', '--dry-run', '--key=ops.json');
    expect(lines).toMatchObject([
      { code: 'conflict', becomes: 'conflict', outlook: 'refused-again' },
    ]);
  });
});
