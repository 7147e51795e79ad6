import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, Said } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { keyOf, openedAtMs, trusts } from '../../support/given.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const desk = (...steps: readonly Step[]): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), steps });

const everywhere = ['--environment=*', '--component=*'];
const problemOf = ({ err }: Said): unknown => JSON.parse(err.at(-1) ?? 'null');
const log = (version: string, environment: string, key: string): readonly string[] => [
  ...['release', 'log', '--component-name=checkout', `--target-version=${version}`],
  ...[`--environment-name=${environment}`, `--key=${key}.json`],
];

describe('a key', () => {
  test('is made, trusted for a place, used there and nowhere else, and retired', async () => {
    const { plimsoll } = await desk();
    const made = jsonOf(await plimsoll('keys', 'new', '--principal=ci', '--json'));
    expect(faultsOf('key-made', made)).toEqual([]);
    expect(made).toMatchObject({ file: 'keys/ci.json', publicFile: 'keys/ci.pub.json' });

    expect((await plimsoll(...log('1', 'staging', 'ci'))).exit).toBe(5);
    const added = jsonOf(
      await plimsoll(
        ...['keys', 'trust', 'keys/ci.pub.json', '--role=emitter', '--environment=staging'],
        ...['--component=checkout', '--reason=new pipeline', '--json'],
      ),
    );
    expect(faultsOf('key-change', added)).toEqual([]);
    expect(added).toMatchObject({
      kind: 'key-added',
      principal: 'ci',
      delivery: 'stored',
      position: 2,
    });
    expect((await plimsoll(...log('1', 'staging', 'ci'))).exit).toBe(0);
    expect((await plimsoll(...log('1', 'production', 'ci'))).exit).toBe(5);

    const retired = await plimsoll('keys', 'retire', String(made['key']), '--json');
    expect(jsonOf(retired)).toMatchObject({ kind: 'key-retired', delivery: 'stored' });
    expect((await plimsoll(...log('2', 'staging', 'ci'))).exit).toBe(5);
    const again = await plimsoll('keys', 'retire', String(made['key']), '--json');
    expect([again.exit, jsonOf(again)]).toMatchObject([0, { delivery: 'duplicate', position: 4 }]);
  });

  test('is trusted once: the same again is a duplicate, another scope is refused', async () => {
    const { plimsoll, house } = await desk();
    const trust = ['keys', 'trust', 'ci.pub.json', '--role=emitter', '--json'];
    expect(jsonOf(await plimsoll(...trust, ...everywhere))).toMatchObject({ delivery: 'stored' });
    expect(jsonOf(await plimsoll(...trust, ...everywhere))).toMatchObject({
      delivery: 'duplicate',
    });
    const wider = await plimsoll(...trust, '--role=operator', ...everywhere);
    expect([wider.exit, problemOf(wider)]).toMatchObject([3, { code: 'key-exists' }]);
    expect(await house.records()).toHaveLength(3);
  });

  test.each([
    ['--role=boss', ...everywhere],
    ['--role=emitter', '--environment=*x', '--component=*'],
    ['--role=emitter', '--environment=a*b', '--component=*'],
    ['--role=emitter', ...everywhere, '--kind=**'],
  ])('is trusted for what is known: %s %s %s', async (...scope) => {
    const { plimsoll, house } = await desk();
    expect((await plimsoll('keys', 'trust', 'ci.pub.json', ...scope)).exit).toBe(2);
    expect(await house.records()).toHaveLength(2);
  });

  test('is changed by an administrator alone', async () => {
    const { plimsoll, house } = await desk(trusts('ci'));
    const trust = ['keys', 'trust', 'new.pub.json', '--role=emitter', ...everywhere, '--json'];
    for (const [key, code] of [
      ['ci', 'role-missing'],
      ['stranger', 'key-unknown'],
      ['missing', 'key-file-missing'],
    ]) {
      const said = await plimsoll(...trust, `--key=${key}.json`);
      expect([said.exit, problemOf(said)]).toMatchObject([5, { code }]);
    }
    expect(await house.records()).toHaveLength(3);
  });
});

describe('the last administrator', () => {
  const admin = keyOf('admin').keyId;

  test('is neither retired nor found compromised before there is another', async () => {
    const { plimsoll } = await desk();
    for (const command of [
      ['keys', 'retire', admin],
      ['keys', 'compromised', admin, '--since=0'],
    ]) {
      const said = await plimsoll(...command, '--json');
      expect([said.exit, problemOf(said)]).toMatchObject([3, { code: 'last-administrator' }]);
    }
    await plimsoll('keys', 'trust', 'second.pub.json', '--role=trust-admin', ...everywhere);
    expect((await plimsoll('keys', 'retire', admin)).exit).toBe(0);
    const second = await plimsoll('keys', 'retire', keyOf('second').keyId, '--key=second.json');
    expect(second.exit).toBe(3);
  });
});

describe('a compromised key', () => {
  const ci = keyOf('ci').keyId;

  test('is suspect from a position on, or from a time on; earlier moves it, later says nothing new', async () => {
    const { plimsoll } = await desk(trusts('ci'));
    for (const version of ['1', '2', '3']) await plimsoll(...log(version, 'production', 'ci'));
    const found = async (since: string): Promise<unknown> =>
      jsonOf(await plimsoll('keys', 'compromised', ci, `--since=${since}`, '--json'));
    expect(await found('5')).toMatchObject({ delivery: 'stored' });
    expect(await found('6')).toMatchObject({ delivery: 'duplicate' });
    const suspects = async (): Promise<readonly unknown[]> =>
      (await plimsoll('timeline', '--json')).out.map(
        (line) => (JSON.parse(line) as { suspect: boolean }).suspect,
      );
    expect(await suspects()).toEqual([false, false, true]);
    // Position 4 is the second deployment; every command takes a minute here.
    const records = await (await desk(trusts('ci'))).house.records();
    expect(records[0]?.appendedAtMs).toBe(openedAtMs);
    const second = JSON.parse((await plimsoll('timeline', '--json')).out[1] ?? '') as {
      endedAt: string;
    };
    expect(await found(second.endedAt)).toMatchObject({ delivery: 'stored' });
    expect(await suspects()).toEqual([false, true, true]);
    expect((await plimsoll('keys', 'list')).out.at(-1)).toMatch(/ci .* compromised since 4$/);
  });

  test.each(['-1', 'x', '1e3', '99', '2026-13-01T00:00:00Z', '2026-11-21T10:00:00', '2026-11-21'])(
    '--since=%s is no position',
    async (since) => {
      const { plimsoll } = await desk(trusts('ci'));
      expect((await plimsoll('keys', 'compromised', ci, `--since=${since}`)).exit).toBe(2);
    },
  );

  test.each([
    ['nonsense', 2],
    ['0123456789abcdef', 4],
  ])('%s is no key that was named', async (id, exit) => {
    const { plimsoll } = await desk();
    expect((await plimsoll('keys', 'retire', id)).exit).toBe(exit);
    expect((await plimsoll('keys', 'compromised', id, '--since=0')).exit).toBe(exit);
  });
});

test('trust is changed, and read models are rebuilt, where the log is, not through a gateway', async () => {
  const { plimsoll } = (await desk()).elsewhere({ isRemote: true });
  for (const command of [
    ['keys', 'trust', 'ci.pub.json', '--role=emitter', ...everywhere],
    ['keys', 'retire', '0123456789abcdef'],
    ['keys', 'compromised', '0123456789abcdef', '--since=0'],
    ['rebuild', '--reason=why'],
  ]) {
    const said = await plimsoll(...command, '--json');
    expect([said.exit, problemOf(said)]).toMatchObject([2, { code: 'not-through-gateway' }]);
  }
});
