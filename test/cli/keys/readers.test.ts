import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk, unreachable } from '../../support/desk.ts';
import { by, findsCompromised, raw, trusts } from '../../support/given.ts';
import {
  canceled,
  decided,
  failed,
  logged,
  place,
  planned,
  run,
  started,
  succeeded,
} from '../../support/markers.ts';
import { record } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();

const eu = place('production', 'checkout', 'eu');

/** A log with one of everything that a reader can meet. */
const aLog = (): Promise<Desk> =>
  openDesk({
    folder: join(scratch, randomUUID()),
    steps: [
      trusts('ci'),
      trusts('judge', { roles: ['analyser'] }),
      by('ci', logged('1.9.4')),
      by('ci', planned('2.0.0', { canaryShare: 0.1, strategy: 'canary', attempt: 'w-1' })),
      by('ci', started({ statusReported: 'RUNNING', attempt: 'w-1' })),
      by('judge', decided('roll-back', { attempt: 'w-1' })),
      by('ci', failed({ statusReported: 'FAILED', reason: 'too many\nerrors', attempt: 'w-1' })),
      by('ci', succeeded({ attempt: 'w-1' })),
      by('ci', planned('1.9.4', { attempt: 'w-2', rollback: true })),
      by('ci', planned('3.0.0', { deployment: run('eu'), slot: eu, name: 'eu' })),
      by('ci', canceled({ deployment: run('unplanned') })),
      by('ci', planned('2.0.0', { deployment: run('same') }), { marker: 'same' }),
      by('ci', planned('2.0.1', { deployment: run('same') }), { marker: 'same' }),
      raw(record('\u001b[2Jnothing of ours')),
      trusts('thief'),
      by('thief', logged('6.6.6', { slot: place('staging', '注文\u00a0service') })),
      findsCompromised('thief', 10),
    ],
  });

const idIn = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** What is printed for people, ids shortened. */
const shown = async (
  { plimsoll }: Desk,
  ...args: readonly string[]
): Promise<readonly string[]> => {
  const said = await plimsoll(...args);
  expect(said.err).toEqual([]);
  return said.out.map((line) => line.replace(idIn, 'ID').trimEnd());
};

describe('for people', () => {
  test('current shows what runs where, what is not certain, and what goes on beside it', async () => {
    expect(await shown(await aLog(), 'current')).toMatchInlineSnapshot(`
      [
        "ENVIRONMENT  COMPONENT     VERSION  STATUS  SINCE (UTC)           SIGNER  NOTES",
        "production   checkout      1.9.4    logged  2026-11-21 10:00:00Z  ci      uncertain since 2.0.0 failed; beside it 1.9.4 planned, 2.0.0 planned CONFLICT",
        "staging      注文 service  6.6.6    logged  2026-11-21 10:00:00Z  thief   SUSPECT KEY",
      ]
    `);
  });

  test('current and timeline show the places that are asked for', async () => {
    const log = await aLog();
    expect(await shown(log, 'current', '--environment-name=staging')).toHaveLength(2);
    expect(await shown(log, 'timeline', '--target=eu')).toHaveLength(2);
    expect(await shown(log, 'timeline', '--component-name=checkout', '--limit=2')).toHaveLength(3);
    expect((await log.plimsoll('current', '--namespace=other')).err).toEqual([
      'plimsoll: nothing is known to run here',
    ]);
  });

  test('timeline shows attempts, oldest first', async () => {
    expect(await shown(await aLog(), 'timeline')).toMatchInlineSnapshot(`
      [
        "STARTED (UTC)         ENDED (UTC)           ENVIRONMENT  COMPONENT     TARGET  VERSION  STATUS    SIGNER  DEPLOYMENT                            ATTEMPT  NOTES",
        "                      2026-11-21 10:00:00Z  production   checkout              1.9.4    logged    ci      ID",
        "2026-11-21 10:00:00Z  2026-11-21 10:00:00Z  production   checkout              2.0.0    failed    ci      ID           too many\\nerrors",
        "                                            production   checkout              1.9.4    planned   ci      ID  2        rollback",
        "                                            production   checkout      eu      3.0.0    planned   ci      ID",
        "                      2026-11-21 10:00:00Z                                              canceled  ci      ID           unplanned",
        "                                            production   checkout              2.0.0    planned   ci      ID           CONFLICT",
        "                      2026-11-21 10:00:00Z  staging      注文 service          6.6.6    logged    thief   ID           SUSPECT KEY",
      ]
    `);
  });

  test('show tells the whole story, with positions, signers, verdict and reasons', async () => {
    expect(await shown(await aLog(), 'show', run('7'))).toMatchInlineSnapshot(`
      [
        "deployment ID",
        "",
        "attempt 1: checkout 2.0.0 to production, failed",
        "  reason: too many\\nerrors",
        "  strategy: canary",
        "  canary share: 0.1",
        "  history",
        "    2026-11-21 10:00:00Z  position 5  planned by ci (key f150636df735876d)",
        "    2026-11-21 10:00:00Z  position 6  started (said as RUNNING) by ci (key f150636df735876d)",
        "    2026-11-21 10:00:00Z  position 7  roll-back by judge (key b23b2c67d4a6c079)",
        "    2026-11-21 10:00:00Z  position 8  failed (said as FAILED) by ci (key f150636df735876d)",
        "    2026-11-21 10:00:00Z  position 9  succeeded by ci (key f150636df735876d), contradiction: succeeded, but it ended as failed",
        "  decisions",
        "    2026-11-21 10:00:00Z  position 7  roll-back by judge (key b23b2c67d4a6c079), verdict fail: errors",
        "      the canary fails more often than allowed",
        "        errors  canary 9/100 (9.00 %), baseline 1/900 (0.11 %); 81x (10x to 600x); evidence 1:250 by itself; BLAMED",
        "      4 windows of 5000 ms, samples 0/10 to 90, judge errors.v1, policy aaaaaaaaaaaa",
        "",
        "attempt 2: checkout 1.9.4 to production, planned, a rollback, a rerun of attempt 1",
        "  history",
        "    2026-11-21 10:00:00Z  position 10  planned by ci (key f150636df735876d)",
      ]
    `);
  });

  test('decisions, names, keys and dead letters have their tables', async () => {
    const log = await aLog();
    expect(await shown(log, 'decisions')).toMatchInlineSnapshot(`
      [
        "AT (UTC)              DECISION   ENVIRONMENT  COMPONENT  FROM   TO     POSITION  WHY",
        "2026-11-21 10:00:00Z  roll-back  production   checkout   2.0.0  1.9.0  7         the canary fails more often than allowed",
      ]
    `);
    expect(await shown(log, 'environments')).toMatchInlineSnapshot(`
      [
        "NAME        ATTEMPTS  FIRST (UTC)           LAST (UTC)            COMPONENTS",
        "production  5         2026-11-21 10:00:00Z  2026-11-21 10:00:00Z  checkout",
        "staging     1         2026-11-21 10:00:00Z  2026-11-21 10:00:00Z  注文 service",
      ]
    `);
    expect(await shown(log, 'components')).toMatchInlineSnapshot(`
      [
        "NAME          ATTEMPTS  FIRST (UTC)           LAST (UTC)            ENVIRONMENTS",
        "checkout      5         2026-11-21 10:00:00Z  2026-11-21 10:00:00Z  production",
        "注文 service  1         2026-11-21 10:00:00Z  2026-11-21 10:00:00Z  staging",
      ]
    `);
    expect(await shown(log, 'dead-letters', 'list')).toMatchInlineSnapshot(`
      [
        "POSITION  AT (UTC)              CODE            SIGNER  KIND     DEPLOYMENT                            MESSAGE",
        "14        2026-11-21 10:00:00Z  conflict        ci      planned  ID  the marker id ID stands at position 13 with other content",
        "15        2026-11-21 10:00:00Z  header-missing                                                         plimsoll-schema and plimsoll-signature must both be there",
      ]
    `);
    expect(await shown(log, 'dead-letters', 'show', '15')).toMatchInlineSnapshot(`
      [
        "position: 15",
        "code: header-missing",
        "message: plimsoll-schema and plimsoll-signature must both be there",
        "appendedAt: 2026-11-21T10:00:00.000Z",
        "valueBytes: 19",
        "digest: 5a6a3e7f40000c9a9a0c00d44a46484fefec2cfd38e1e5f0098aacf3b6c68999",
        "claims: {"deployment":null,"keyId":null,"kind":null,"marker":null,"type":null}",
        "state: open",
        "key (26 bytes): key of \\x1b[2Jnothing of ours",
        "header ce_id: header of \\x1b[2Jnothing of ours",
        "value (19 bytes):",
        "  000000  1b 5b 32 4a 6e 6f 74 68 69 6e 67 20 6f 66 20 6f  .[2Jnothing of o",
        "  000010  75 72 73                                         urs",
      ]
    `);
  });

  test('a narrow terminal cuts what is at the end', async () => {
    const narrow = (await aLog()).elsewhere({ columns: 40 });
    for (const line of (await narrow.plimsoll('timeline')).out)
      expect(line.length).toBeLessThanOrEqual(40);
  });

  test('a narrow terminal has the whole of a deployment, in more lines', async () => {
    const log = await aLog();
    const { out: wide } = await log.plimsoll('show', run('7'));
    const { out } = await log.elsewhere({ columns: 80 }).plimsoll('show', run('7'));
    expect(Math.max(...wide.map((line) => line.length))).toBeGreaterThan(80);
    for (const line of out) expect(line.length).toBeLessThanOrEqual(80);
    const words = (lines: readonly string[]): readonly string[] => lines.join(' ').split(/ +/);
    expect(words(out)).toEqual(words(wide));
  });

  test('a narrow terminal has why something was decided on a line of its own', async () => {
    const { out } = await (await aLog()).elsewhere({ columns: 80 }).plimsoll('decisions');
    expect(out).toEqual([
      'AT (UTC)              DECISION   ENVIRONMENT  COMPONENT  FROM   TO     POSITION',
      '2026-11-21 10:00:00Z  roll-back  production   checkout   2.0.0  1.9.0  7',
      '  the canary fails more often than allowed',
    ]);
  });
});

test('colours stand beside words that say the same, and only where they are wanted', async () => {
  const log = await aLog();
  const painted = await log.elsewhere({ hasColour: true }).plimsoll('timeline');
  expect(painted.out.join('\n')).toContain('\u001b[31mfailed\u001b[0m');
  const plain = await log.plimsoll('timeline');
  // oxlint-disable-next-line eslint/no-control-regex -- colours are made of them
  expect(painted.out.map((line) => line.replace(/\u001b\[[0-9]+m/g, ''))).toEqual(plain.out);
});

describe('for programs', () => {
  const commands: readonly (readonly [schema: string, ...command: readonly string[]])[] = [
    ['current', 'current'],
    ['timeline', 'timeline'],
    ['decision', 'decisions'],
    ['environment', 'environments'],
    ['component', 'components'],
    ['dead-letter', 'dead-letters', 'list'],
    ['key', 'keys', 'list'],
    ['show', 'show', run('7')],
    ['show', 'show', run('same')],
    ['show', 'show', run('unplanned')],
  ];

  test.each(commands)(
    'each line of %s is as its schema says, at hand and through a gateway',
    async (schema, ...command) => {
      const log = await aLog();
      const atHand = await log.plimsoll(...command, '--json');
      expect(atHand.exit).toBe(0);
      expect(atHand.out.length).toBeGreaterThan(0);
      for (const line of atHand.out) expect(faultsOf(schema, JSON.parse(line))).toEqual([]);
      const remote = await log.elsewhere({ isRemote: true }).plimsoll(...command, '--json');
      expect(remote.out.map((line) => JSON.parse(line))).toEqual(
        atHand.out.map((line) => JSON.parse(line)),
      );
    },
  );

  test('a day after it was last heard of, what still runs is shown as expired', async () => {
    const log = await aLog();
    await log.house.ports.clock.sleep(25 * 3_600_000);
    for (const desk of [log, log.elsewhere({ isRemote: true })]) {
      const { out } = await desk.plimsoll('timeline', '--json');
      const statuses = out.map((line) => (JSON.parse(line) as { status: string }).status);
      expect(statuses.toSorted()).toEqual([
        'canceled',
        'expired',
        'expired',
        'expired',
        'failed',
        'logged',
        'logged',
      ]);
      expect(await shown(desk, 'current')).toContainEqual(
        expect.stringContaining('beside it 1.9.4 expired, 2.0.0 expired'),
      );
      expect(await shown(desk, 'show', run('same'))).toContainEqual(
        expect.stringContaining('checkout 2.0.0 to production, expired'),
      );
    }
  });

  test('a conflict is marked in every list, and a decision that it holds says so', async () => {
    const log = await openDesk({
      folder: join(scratch, randomUUID()),
      steps: [
        trusts('ci'),
        trusts('judge', { roles: ['analyser'] }),
        by('ci', logged('1.9.4')),
        by('ci', planned('2.0.0'), { marker: 'one' }),
        by('ci', planned('6.6.6'), { marker: 'one' }),
        by('judge', decided('promote')),
      ],
    });
    for (const desk of [log, log.elsewhere({ isRemote: true })]) {
      expect((await shown(desk, 'current')).at(1)).toContain('beside it 2.0.0 planned CONFLICT');
      expect((await shown(desk, 'timeline')).at(2)).toMatch(/CONFLICT$/);
      expect((await shown(desk, 'decisions')).at(1)).toContain('promote; held');
      expect(await shown(desk, 'show', run('7'))).toEqual(
        expect.arrayContaining([
          'attempt 1: checkout 2.0.0 to production, planned, CONFLICT: its gate is held',
          expect.stringMatching(/position 7 {2}promote by judge \(key [0-9a-f]+\), held$/),
          expect.stringMatching(/position 7 {2}promote by judge \(key [0-9a-f]+\), held, verdict/),
          expect.stringMatching(/^CONFLICT: marker ID of ci stands at position 5 /),
        ]),
      );
      for (const list of ['timeline', 'current'])
        for (const line of (await desk.plimsoll(list, '--json')).out)
          expect(faultsOf(list, JSON.parse(line))).toEqual([]);
      const decision = jsonOf(await desk.plimsoll('decisions', '--json'));
      expect([decision['note'], faultsOf('decision', decision)]).toEqual(['held', []]);
    }
  });

  test('a dead letter is shown with its bytes, and through a gateway without', async () => {
    const log = await aLog();
    const letter = jsonOf(await log.plimsoll('dead-letters', 'show', '15', '--json'));
    expect(faultsOf('dead-letter-record', letter)).toEqual([]);
    expect(letter['record']).toMatchObject({
      value: Buffer.from('\u001b[2Jnothing of ours').toString('hex'),
    });
    const remote = await log
      .elsewhere({ isRemote: true })
      .plimsoll('dead-letters', 'show', '15', '--json');
    expect(jsonOf(remote)).toEqual({ ...letter, record: null });
  });

  test('a deployment is found by the name that it was planned under here', async () => {
    const log = await aLog();
    const plan = ['--component-name=cart', '--environment-name=staging', '--target-version=2.0.0'];
    const said = jsonOf(await log.plimsoll('release', 'plan', 'cart-2', ...plan, '--json'));
    const found = jsonOf(await log.plimsoll('show', 'cart-2', '--json'));
    expect(found['deployment']).toBe(said['deployment']);
    expect(await shown(log, 'show', 'cart-2')).toContain('  name: cart-2');
  });

  test('a deployment is found by any of its markers', async () => {
    const log = await aLog();
    const whole = jsonOf(await log.plimsoll('show', run('7'), '--json'));
    const [first] = whole['attempts'] as readonly {
      readonly history: readonly { marker: string }[];
    }[];
    for (const { marker } of first?.history ?? []) {
      expect(jsonOf(await log.plimsoll('show', marker, '--json'))).toEqual(whole);
      expect(jsonOf(await log.plimsoll('show', marker.toUpperCase(), '--json'))).toEqual(whole);
    }
  });

  test('long lists come in pages and lose nothing', async () => {
    const steps = Array.from({ length: 60 }, (_, index) =>
      by('ci', logged(`1.${index}`, { slot: place('production', `c${index}`) })),
    );
    const log = await openDesk({
      folder: join(scratch, randomUUID()),
      steps: [trusts('ci'), ...steps],
    });
    const versions = async (desk: Desk, ...args: readonly string[]): Promise<readonly unknown[]> =>
      (await desk.plimsoll('timeline', '--json', ...args)).out.map(
        (line) => (JSON.parse(line) as { version: string }).version,
      );
    const all = steps.map((_, index) => `1.${index}`);
    for (const desk of [log, log.elsewhere({ isRemote: true })]) {
      expect(await versions(desk)).toEqual(all);
      expect(await versions(desk, '--limit=1000')).toEqual(all);
      expect(await versions(desk, '--limit=3')).toEqual(all.slice(-3));
      expect((await desk.plimsoll('current', '--json')).out).toHaveLength(60);
    }
  });

  test('people are shown the newest 50, and told when there are more', async () => {
    const logs = (count: number): Promise<Desk> =>
      openDesk({
        folder: join(scratch, randomUUID()),
        steps: [
          trusts('ci'),
          ...Array.from({ length: count }, (_, index) => by('ci', logged(`1.${index}`))),
        ],
      });
    const [fifty, more] = [await logs(50), await logs(51)];
    for (const desk of [fifty, fifty.elsewhere({ isRemote: true })])
      expect(await shown(desk, 'timeline')).toHaveLength(51);
    for (const desk of [more, more.elsewhere({ isRemote: true })]) {
      const { out, err } = await desk.plimsoll('timeline');
      expect([out.length, out.at(1), out.at(-1)]).toEqual([
        51,
        expect.stringContaining(' 1.1 '),
        expect.stringContaining(' 1.50 '),
      ]);
      expect(err).toEqual(['plimsoll: only the newest 50 are shown; --limit=COUNT shows more']);
      expect(await shown(desk, 'timeline', '--limit=51')).toHaveLength(52);
    }
  });

  test('rebuild says what it did, and readers see the same as before', async () => {
    const log = await openDesk({
      folder: join(scratch, randomUUID()),
      steps: [trusts('ops', { roles: ['operator'] }), by('ci', logged('1.9.4'))],
    });
    const before = await log.plimsoll('timeline', '--json');
    const rebuilt = jsonOf(
      await log.plimsoll('rebuild', '--reason=why', '--json', '--key=keys/ops.json'),
    );
    expect(faultsOf('rebuild', rebuilt)).toEqual([]);
    expect(rebuilt).toMatchObject({ generation: 'g2', before: 'g1', dropped: [] });
    expect((await log.plimsoll('timeline', '--json')).out).toEqual(before.out);
  });

  test('decisions that are followed come once each, until it is stopped', async () => {
    const log = await aLog();
    const stopping = new AbortController();
    let looks = 0;
    const follower = log.elsewhere({
      change: (ports) => ({
        ...ports,
        stop: stopping.signal,
        clock: {
          ...ports.clock,
          sleep: async () => {
            looks++;
            if (looks === 3) stopping.abort();
          },
        },
      }),
    });
    const said = await follower.plimsoll('decisions', '--follow', '--json');
    expect(said).toMatchObject({ exit: 0, err: [] });
    expect(said.out).toHaveLength(1);
    expect(looks).toBe(3);
  });

  test('a decision that is followed is one line, without a table around it', async () => {
    const log = await aLog();
    const stopping = new AbortController();
    const follower = log.elsewhere({
      change: (ports) => ({
        ...ports,
        stop: stopping.signal,
        clock: { ...ports.clock, sleep: async () => stopping.abort() },
      }),
    });
    expect(await shown(follower, 'decisions', '--follow')).toEqual([
      '2026-11-21 10:00:00Z  roll-back  checkout 2.0.0 -> production  the canary fails more often than allowed  (position 7)',
    ]);
  });
});

test('who follows decisions outlives an outage, and says so once', async () => {
  const log = await aLog();
  const stopping = new AbortController();
  let asked = 0;
  const follower = log.elsewhere({
    change: (ports) => ({
      ...ports,
      stop: stopping.signal,
      atHand: (onProgress) => {
        asked++;
        if (asked === 6) stopping.abort();
        return asked > 1 && asked < 5
          ? Promise.resolve(unreachable('restarting'))
          : ports.atHand(onProgress);
      },
      clock: { ...ports.clock, sleep: async () => undefined },
    }),
  });
  const said = await follower.plimsoll('decisions', '--follow', '--json');
  expect([said.exit, said.out.length, said.err.length, asked]).toEqual([0, 1, 1, 6]);
});

test.each([
  [['show', 'abc'], 4],
  [['show', randomUUID()], 4],
  [['dead-letters', 'show', 'x'], 2],
  [['dead-letters', 'show', '1'], 4],
  [['dead-letters', 'show', '999999'], 4],
  [['timeline', '--limit=0'], 2],
  [['timeline', '--limit=many'], 2],
])('%j ends with exit code %i, at hand and through a gateway', async (command, exit) => {
  const log = await aLog();
  expect((await log.plimsoll(...command)).exit).toBe(exit);
  expect((await log.elsewhere({ isRemote: true }).plimsoll(...command)).exit).toBe(exit);
});
