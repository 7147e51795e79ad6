import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { originOf } from '../../../services/adapters/git/config-file.ts';
import { openGit } from '../../../services/adapters/git/git.ts';
import { gitRepository } from '../../support/git-repository.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const limits = { commitsMax: 10, withinMs: 10_000 };
let repositories = 0;

const repository = (): { folder: string; run: ReturnType<typeof gitRepository> } => {
  const folder = join(scratch, `repository ${repositories++}`);
  return { folder, run: gitRepository(folder) };
};
const gitIn = (folder: string): ReturnType<typeof openGit> =>
  openGit({ ...process.env, GIT_CEILING_DIRECTORIES: scratch, GIT_CONFIG_NOSYSTEM: '1' }, folder);

test('what is checked out: commit, branch and tag', async () => {
  const { folder, run } = repository();
  const commit = run.commit('first');
  expect(await gitIn(folder).head()).toEqual({ commit, branch: 'main', tag: null });
  run('tag', 'v1');
  expect(await gitIn(folder).head()).toEqual({ commit, branch: 'main', tag: 'v1' });
  run('checkout', '--quiet', '--detach');
  expect(await gitIn(folder).head()).toEqual({ commit, branch: null, tag: 'v1' });
});

test('commits that one has and the other has not, newest first', async () => {
  const { folder, run } = repository();
  const from = run.commit('first');
  const second = run.commit('second\n\nCloses SHOP-7');
  const to = run.commit('third \u001b[31m');
  const git = gitIn(folder);
  expect(await git.commitsBetween(from, to, limits)).toEqual([
    { id: to, subject: 'third \u001b[31m', body: '' },
    { id: second, subject: 'second', body: 'Closes SHOP-7\n' },
  ]);
  expect(await git.commitsBetween(from.slice(0, 9), to, { ...limits, commitsMax: 1 })).toHaveLength(
    1,
  );
  expect(await git.commitsBetween(to, from, limits)).toEqual([]);
  // What is left of a deadline is no whole number.
  expect(await git.commitsBetween(to, from, { ...limits, withinMs: 9389.93 })).toEqual([]);
});

test.each([
  ['no repository', false],
  ['a repository without a commit', true],
])('in %s nothing is known', async (name, isRepository) => {
  const folder = join(scratch, name);
  mkdirSync(folder);
  if (isRepository) gitRepository(folder);
  const git = gitIn(folder);
  const some = 'f'.repeat(40);
  expect(await git.head()).toBeNull();
  expect(await git.address()).toBeNull();
  expect(await git.commitsBetween(some, some, limits)).toBeNull();
});

test('the address of its origin', async () => {
  const { folder, run } = repository();
  run('remote', 'add', 'origin', 'git@git.shop.example:shop/checkout.git');
  expect(await gitIn(folder).address()).toBe('git@git.shop.example:shop/checkout.git');
});

test.each([
  ['a commit that is not here', '0'.repeat(40)],
  ['an option', '--output=stolen'],
  ['a name', 'main'],
])('%s in place of a commit: nothing is known, and nothing happens', async (_name, from) => {
  const { folder, run } = repository();
  const to = run.commit('first');
  expect(await gitIn(folder).commitsBetween(from, to, limits)).toBeNull();
  expect(existsSync(join(folder, 'stolen'))).toBe(false);
});

test("programs that a repository's own settings name are not run", async () => {
  const { folder, run } = repository();
  const from = run.commit('first');
  const to = run.commit('second');
  const marked = join(folder, 'was-run');
  const evil = `touch '${marked}'; false`;
  for (const name of [
    'core.fsmonitor',
    'core.pager',
    'gpg.program',
    'pager.log',
    'core.sshCommand',
  ])
    run('config', name, evil);
  run('config', 'log.showSignature', 'true');
  const git = gitIn(folder);
  expect(await git.head()).not.toBeNull();
  expect(await git.commitsBetween(from, to, limits)).toHaveLength(1);
  expect(existsSync(marked)).toBe(false);
});

test('a commit that is not here is not fetched by what the settings name', async () => {
  const { folder, run } = repository();
  const to = run.commit('first');
  const marked = join(folder, 'was-run');
  run('remote', 'add', 'origin', 'ssh://git.shop.example/shop/checkout.git');
  for (const [name, setting] of [
    ['core.repositoryFormatVersion', '1'],
    ['extensions.partialClone', 'origin'],
    ['remote.origin.promisor', 'true'],
    ['core.sshCommand', `touch '${marked}'; false`],
    ['protocol.ssh.allow', 'always'],
  ] as const)
    run('config', name, setting);
  const git = gitIn(folder);
  expect(await git.commitsBetween('0123456789'.repeat(4), to, limits)).toBeNull();
  writeFileSync(join(folder, '.git', 'refs', 'heads', 'main'), `${'0123456789'.repeat(4)}\n`);
  expect(await git.head()).toBeNull();
  expect(existsSync(marked)).toBe(false);
});

test('without git nothing is known', async () => {
  const { folder, run } = repository();
  run.commit('first');
  expect(await openGit({ PATH: '/nonexistent' }, folder).head()).toBeNull();
});

test.each<[what: string, text: string, origin: string | null | undefined]>([
  [
    'as git writes it',
    '[core]\n\tbare = false\n[remote "origin"]\n\turl = git@host:shop/x.git\n\tfetch = y\n',
    'git@host:shop/x.git',
  ],
  ['another remote', '[remote "upstream"]\n\turl = git@host:shop/x.git\n', null],
  [
    'a file that includes another',
    '[include]\n\tpath = other\n[remote "origin"]\n\turl = a\n',
    undefined,
  ],
  [
    'addresses that stand for others',
    '[url "ssh://"]\n\tinsteadOf = gh:\n[remote "origin"]\n\turl = gh:x\n',
    undefined,
  ],
  ['quotes and comments', '[remote "origin"]\n\turl = "a b" ; where\n', undefined],
])('settings are read without git where they are plain: %s', (_what, text, origin) => {
  expect(originOf(text)).toBe(origin);
});
