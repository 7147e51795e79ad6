import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const desk = async (): Promise<Desk & { readonly list: string }> => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder, { recursive: true });
  return { ...(await openDesk({ folder })), list: join(folder, 'tokens.txt') };
};

const staging = ['--name=shop', '--environment=staging'];

test('a token is shown once, and the list has its digest', async () => {
  const { plimsoll, list } = await desk();
  const made = jsonOf(
    await plimsoll(
      ...['tokens', 'new', ...staging, '--environment=pr-*', '--component=checkout', '--json'],
      ...['--kind=logged', '--expires=2027-01-31T00:00:00Z'],
    ),
  );
  expect(faultsOf('token-made', made)).toEqual([]);
  expect(made).toMatchObject({
    name: 'shop',
    environments: ['staging', 'pr-*'],
    components: ['checkout'],
    kinds: ['logged'],
    expiresAt: '2027-01-31T00:00:00.000Z',
    expired: false,
  });
  expect(readFileSync(list, 'utf8')).not.toContain(made['token']);

  const listed = jsonOf(await plimsoll('tokens', 'list', '--json'));
  expect(faultsOf('token', listed)).toEqual([]);
  expect(listed).toMatchObject({ name: 'shop', digest: made['digest'] });
  expect(listed).not.toHaveProperty('token');
});

test('people see what to do with it', async () => {
  const { plimsoll } = await desk();
  const { out } = await plimsoll('tokens', 'new', ...staging);
  expect(out.join('\n')).toMatch(/^token shop: plt_/);
  expect(out.join('\n')).toContain('Authorization: Bearer $PLIMSOLL_TOKEN');
  expect((await plimsoll('tokens', 'list')).out.join('\n')).toContain('shop: environments staging');
});

test.each([
  [['--environment=pr-*', '--environment=staging', '--component=shop'], 'staging', 'shop'],
  [['--environment=pr-*', '--component=shop-*'], 'production', 'checkout'],
])('the request that is shown is of the places of %j', async (scope, environment, component) => {
  const { plimsoll } = await desk();
  const { out } = await plimsoll('tokens', 'new', '--name=shop', ...scope);
  expect(out.join('\n')).toContain(
    JSON.stringify({ kind: 'logged', environment, component, version: '2.0.0' }),
  );
});

test.each([
  ['a name that is none', ['--name=Shop', '--environment=staging'], 'option-invalid'],
  ['a place with a star in it', ['--name=shop', '--environment=a*b'], 'option-invalid'],
  ['a place with a comma', ['--name=shop', '--environment=a,,b'], 'option-invalid'],
  [
    'a line of its own',
    ['--name=shop', `--environment=a components=*\nevil sha256:${'a'.repeat(64)} environments=b`],
    'option-invalid',
  ],
  ['a kind that nobody may send', [...staging, '--kind=promote'], 'option-invalid'],
  ['a time that was', [...staging, '--expires=2020-01-01T00:00:00Z'], 'option-invalid'],
  ['no time', [...staging, '--expires=tomorrow'], 'option-invalid'],
])('%s is refused, and nothing is written', async (_what, args, code) => {
  const { plimsoll, list } = await desk();
  const { exit, err } = await plimsoll('tokens', 'new', ...args, '--json');
  expect([exit, JSON.parse(err.at(-1) ?? 'null')]).toMatchObject([2, { code }]);
  expect(() => readFileSync(list)).toThrow('ENOENT');
});

test('a name is used once', async () => {
  const { plimsoll } = await desk();
  await plimsoll('tokens', 'new', ...staging);
  const { exit, err } = await plimsoll('tokens', 'new', ...staging, '--json');
  expect([exit, JSON.parse(err.at(-1) ?? 'null')]).toMatchObject([2, { code: 'token-exists' }]);
});

test('where there is none the list says so', async () => {
  const { plimsoll } = await desk();
  expect((await plimsoll('tokens', 'list')).out.join('')).toContain('plimsoll tokens new');
});
