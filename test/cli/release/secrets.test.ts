import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { drawn } from '../../support/secrets/drawn.ts';

const scratch = scratchFolder();
const desk = (options: DeskOptions = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), ...options });

const token = `ghp_${drawn(5).text(36)}`;
const log = [
  ...['release', 'log', '--component-name=checkout', '--environment-name=production'],
  '--target-version=2.0.0',
];
/** All values of the log, as text. */
const written = async (house: Desk['house']): Promise<string> =>
  (await house.records()).map(({ value }) => Buffer.from(value).toString('utf8')).join('');

const github = {
  GITHUB_ACTIONS: 'true',
  GITHUB_RUN_ID: '7',
  GITHUB_REPOSITORY: 'shop/checkout',
};

describe('with --redact a name that holds a secret is refused all the same, for two of them would be one:', () => {
  test.each([
    ['--environment-name', `--environment-name=${token}`],
    ['--component-name', `--component-name=${token}`],
    ['--target-version', `--target-version=${token}`],
    ['--namespace', `--namespace=${token}`],
  ])('in %s', async (option, given) => {
    const { plimsoll, house } = await desk();
    const before = (await house.records()).length;
    const others = log.filter((argument) => !argument.startsWith(option));
    const said = await plimsoll(...others, given, '--redact', '--json');
    expect(said.exit).toBe(2);
    const problem = JSON.parse(said.err.join('')) as Record<string, string>;
    expect(problem).toMatchObject({
      code: 'secret-found',
      message: expect.stringContaining(option),
      hint: expect.not.stringContaining('--redact'),
    });
    expect((await house.records()).length).toBe(before);
  });
});

describe('a secret in what a pipeline says is refused before anything is opened:', () => {
  test.each([
    ['--actor', [`--actor=${token}`]],
    ['--target-version', ['--target-version=2.0.1'], [`--commit=${token}`]],
    ['--link', [`--link=run=https://ci.example.com/?access_token=${token}`]],
    ['--label', ['--label=password:hunter2']],
    ['--change', [`--change=commit:3f78685:push with ${token}`]],
    ['--ticket', [`--ticket=${token}`]],
    ['--source', [`--source=https://ci:${token}@ci.example.com`]],
  ])('in %s', async (option, ...args) => {
    const { plimsoll, house } = await desk();
    const more = (args.at(-1) ?? []) as readonly string[];
    const before = (await house.records()).length;
    const said = await plimsoll(...log, ...more, '--json');
    expect(said.exit).toBe(2);
    const problem = JSON.parse(said.err.join('')) as Record<string, string>;
    expect(problem['code']).toBe('secret-found');
    expect(problem['message']).toContain(option === '--target-version' ? '--commit' : option);
    expect(problem['hint']).toContain('--redact');
    expect(said.err.join('')).not.toContain(token);
    expect(said.err.join('')).not.toContain('hunter2');
    expect((await house.records()).length).toBe(before);
  });

  test('in the reason of a failure, with the first characters as a sample', async () => {
    const { plimsoll } = await desk();
    await plimsoll(...log.with(1, 'plan'));
    const said = await plimsoll(
      ...['release', 'update', '--status=FAILED', `--failure-reason=401 for ${token}`],
    );
    expect(said.err.join('\n')).toContain('--failure-reason holds what looks like a secret');
    expect(said.err.join('\n')).toContain('github-token, ghp_… (40 characters)');
  });

  test('in the reason of an operator', async () => {
    const { plimsoll } = await desk();
    const said = await plimsoll(
      ...['decisions', 'stop', `--reason=the key ${token} leaked`, '--key=keys/admin.json'],
    );
    expect(said.exit).toBe(2);
    expect(said.err.join('\n')).toContain('--reason holds what looks like a secret');
  });

  test('in what an instance says', async () => {
    const { plimsoll } = await desk();
    const said = await plimsoll(
      ...['instance', 'start', '--component-name=checkout', '--target-version=2.0.0'],
      `--instance=${token}`,
    );
    expect(said.exit).toBe(2);
  });
});

describe('with --redact', () => {
  test('it is written over, said, and nowhere on the log', async () => {
    const { plimsoll, house } = await desk();
    const said = await plimsoll(
      ...log,
      ...['--redact', `--actor=${token}`, '--label=password:hunter2', `--ticket=CHG-7`],
    );
    expect(said.exit).toBe(0);
    expect(said.err.join('\n')).toContain('written over in details.actor (github-token)');
    const bytes = await written(house);
    expect(bytes).toContain('[masked github-token]');
    expect(bytes).toContain('CHG-7');
    expect(bytes).not.toContain(token);
    expect(bytes).not.toContain('hunter2');
  });
});

describe('what the CI job says of itself', () => {
  test('is written over without being asked: it must not keep a marker back', async () => {
    const { plimsoll, house } = await desk({ env: { ...github, GITHUB_ACTOR: token } });
    const said = await plimsoll(...log);
    expect(said.exit).toBe(0);
    expect(said.err.filter((line) => line.includes('written over'))).toHaveLength(1);
    expect(await written(house)).toContain('[masked github-token]');
    expect(await written(house)).not.toContain(token);
  });

  test('does not excuse what was typed beside it', async () => {
    const { plimsoll } = await desk({ env: { ...github, GITHUB_ACTOR: 'alice' } });
    expect((await plimsoll(...log, `--owner=${token}`)).exit).toBe(2);
  });
});

test('of an address of a person only the first letter and the host are kept', async () => {
  const { plimsoll, house } = await desk();
  expect((await plimsoll(...log, '--actor=alice.b@example.com', '--owner=sre')).exit).toBe(0);
  expect(await written(house)).toContain('a…@example.com');
  expect(await written(house)).not.toContain('alice.b');
});
