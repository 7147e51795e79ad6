import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// The words of Pact's client, as its documentation gives them, with its own program's name left out.

const scratch = scratchFolder();
const desk = (): Promise<Desk> => openDesk({ folder: join(scratch, randomUUID()) });

/** The words of a line as a shell has them. */
const call = async (
  { plimsoll }: Desk,
  line: string,
): Promise<{ readonly exit: number; readonly told: string; readonly notes: readonly string[] }> => {
  const said = await plimsoll(...line.split(/\s+/), '--json');
  const [receipt] = said.out.length === 0 ? [] : [jsonOf(said)];
  if (receipt !== undefined) expect(faultsOf('receipt', receipt)).toEqual([]);
  const { delivery, kind, code } = (receipt ?? {}) as { readonly [field: string]: string | null };
  const notes = said.err.map((text) => (JSON.parse(text) as { code: string }).code);
  return {
    exit: said.exit,
    told: [delivery, kind, code].filter((word) => word !== null && word !== undefined).join(' '),
    notes,
  };
};

const current = async ({ plimsoll }: Desk): Promise<readonly string[]> =>
  (await plimsoll('current', '--json')).out
    .map((line) => JSON.parse(line) as { readonly [field: string]: string | null })
    .map(
      ({ environment, component, target, version, status }) =>
        `${environment} ${component} ${target ?? '-'} ${version} ${status}`,
    );

describe('the examples of the documentation', () => {
  test('record what was deployed, on each target by itself', async () => {
    const shop = await desk();
    const lines = [
      'record-deployment --pacticipant foo --version 6897aa95e --environment production',
      'record-deployment --pacticipant foo --version 6897aa95e --environment production --target customer-1',
      'record-deployment --pacticipant foo --version 6897aa95e --environment test --target iphone-2',
    ];
    for (const line of lines)
      expect(await call(shop, line)).toMatchObject({ exit: 0, told: 'stored recorded' });
    expect(await current(shop)).toEqual([
      'production foo - 6897aa95e recorded',
      'production foo customer-1 6897aa95e recorded',
      'test foo iphone-2 6897aa95e recorded',
    ]);
  });

  test('replace what was there, and take away what is gone', async () => {
    const shop = await desk();
    await call(
      shop,
      'record-deployment --pacticipant foo --version 1 --environment test --target mobile-2',
    );
    await call(
      shop,
      'record-deployment --pacticipant foo --version 2 --environment test --target mobile-2',
    );
    expect(await current(shop)).toEqual(['test foo mobile-2 2 recorded']);
    expect(
      await call(
        shop,
        'record-undeployment --pacticipant foo --environment test --target mobile-2',
      ),
    ).toMatchObject({ exit: 0, told: 'stored undeployed' });
    expect(await current(shop)).toEqual([]);
  });

  test('release versions beside each other until their support ends', async () => {
    const shop = await desk();
    const place = '--pacticipant foo-mobile-app --environment production';
    await call(shop, `record-release --version 6897aa95e ${place}`);
    await call(shop, `record-release --version 7f00 ${place}`);
    expect(await current(shop)).toEqual([
      'production foo-mobile-app - 6897aa95e released',
      'production foo-mobile-app - 7f00 released',
    ]);
    expect(await call(shop, `record-support-ended --version 6897aa95e ${place}`)).toMatchObject({
      exit: 0,
      told: 'stored support-ended',
    });
    expect(await current(shop)).toEqual(['production foo-mobile-app - 7f00 released']);
  });
});

describe('other names of the same', () => {
  test.each([
    'record-deployment --component foo --version-number 1 --environment test --application-instance a',
    'record-deployment --component-name foo --target-version 1 --environment-name test --target a',
    'record-deployment -a foo -e 1 --environment test --application-instance a',
  ])('%s', async (line) => {
    const shop = await desk();
    expect((await call(shop, line)).exit).toBe(0);
    expect(await current(shop)).toEqual(['test foo a 1 recorded']);
  });

  test('what tells where the broker is, is taken and not used', async () => {
    const told = await call(
      await desk(),
      'record-deployment -a foo -e 1 --environment test -b https://broker.example -k secret -o json -v',
    );
    expect(told).toMatchObject({ exit: 0, told: 'stored recorded' });
    expect(told.notes).toContain('option-unused');
  });
});

describe('said again', () => {
  test('a release is already so, and nothing is written', async () => {
    const line = 'record-release --pacticipant foo --version 1 --environment production';
    const shop = await desk();
    await call(shop, line);
    const before = (await shop.house.records()).length;
    expect(await call(shop, line)).toMatchObject({ exit: 0, told: 'duplicate released repeat' });
    expect((await shop.house.records()).length).toBe(before);
  });

  test('a deployment is a repeat: the log keeps when, and no list has another line', async () => {
    const line = 'record-deployment --pacticipant foo --version 1 --environment test';
    const shop = await desk();
    await call(shop, line);
    expect(await call(shop, line)).toMatchObject({ exit: 0, told: 'stored recorded repeat' });
    expect(await current(shop)).toEqual(['test foo - 1 recorded']);
  });

  test.each([
    ['record-undeployment --pacticipant foo --environment test', 'not-deployed'],
    ['record-support-ended --pacticipant foo --version 1 --environment production', 'not-released'],
  ])('%s of what is not there exits 4, and says %s', async (line, code) => {
    const told = await call(await desk(), line);
    expect(told.exit).toBe(4);
    expect(told.notes.at(-1)).toBe(code);
  });
});

describe('what is easily meant otherwise', () => {
  test('a target on a release is refused, with why', async () => {
    const { plimsoll } = await desk();
    const said = await plimsoll(
      ...'record-release --pacticipant foo --version 1 --environment production --target eu'.split(
        ' ',
      ),
    );
    expect(said.exit).toBe(2);
    expect(said.err.join(' ')).toContain('releases stand beside each other');
  });

  test.each(['blue', 'green', 'canary', 'stable', 'Active', 'preview'])(
    'a target %s is noted, and recorded',
    async (target) => {
      const told = await call(
        await desk(),
        `record-deployment --pacticipant foo --version 1 --environment test --target ${target}`,
      );
      expect(told).toMatchObject({ exit: 0, told: 'stored recorded' });
      expect(told.notes).toContain('target-of-rollout');
    },
  );

  test.each([
    ['production', false],
    ['prod-eu', false],
    ['staging', true],
    ['product-tests', true],
  ])('a release in %s is noted: %s', async (environment, isNoted) => {
    const told = await call(
      await desk(),
      `record-release --pacticipant foo --version 1 --environment ${environment}`,
    );
    expect(told.exit).toBe(0);
    expect(told.notes.includes('release-outside-production')).toBe(isNoted);
  });

  test.each([
    'record-deployment --pacticipant foo --environment test',
    'record-deployment --pacticipant foo --version 1',
    'record-release --pacticipant foo --environment production',
  ])('%s lacks something, and is refused', async (line) => {
    expect((await call(await desk(), line)).exit).toBe(2);
  });
});
