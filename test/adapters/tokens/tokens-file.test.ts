import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TokensFileEvent } from '../../../services/adapters/tokens/tokens-file.ts';
import { openTokensFile, tokenListAt } from '../../../services/adapters/tokens/tokens-file.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { value } from '../../support/records.ts';

const folder = scratchFolder();
let count = 0;
const newPath = (): string => join(folder, `${count++}.txt`);

const line = (name: string, token: string): string =>
  `${name} sha256:${createHash('sha256').update(token).digest('hex')} environments=* components=*`;

const opened = (path: string) => {
  let nowMs = 0;
  const events: TokensFileEvent[] = [];
  const tokens = openTokensFile(path, {
    sinceStartMs: () => nowMs,
    tell: (event) => events.push(event),
  });
  return {
    nameOf: async (token: string) => (await tokens.lookUp(token))?.name,
    later: () => void (nowMs += 1000),
    events: () => events.map(({ event }) => event),
    all: events,
  };
};

test('a token is known by the list, and no other one is', async () => {
  const path = newPath();
  writeFileSync(path, `${line('shop', 'secret-a')}\n${line('till', 'secret-b')}\n`, {
    mode: 0o600,
  });
  const { nameOf } = opened(path);
  expect(await nameOf('secret-a')).toBe('shop');
  expect(await nameOf('secret-b')).toBe('till');
  expect(await nameOf('secret-c')).toBeUndefined();
  expect(await nameOf(createHash('sha256').update('secret-a').digest('hex'))).toBeUndefined();
});

test('who takes a line out takes the token back within a second, who adds one gives it', async () => {
  const path = newPath();
  writeFileSync(path, line('shop', 'a'));
  const { nameOf, later, events } = opened(path);
  expect(await nameOf('a')).toBe('shop');
  writeFileSync(path, line('till', 'b'));
  later();
  expect([await nameOf('a'), await nameOf('b')]).toEqual([undefined, 'till']);
  expect(events()).toEqual(['read', 'read']);
});

test('a list that is not there yet names nobody, and counts once it is', async () => {
  const path = newPath();
  const { nameOf, later } = opened(path);
  expect(await nameOf('a')).toBeUndefined();
  writeFileSync(path, line('shop', 'a'));
  later();
  expect(await nameOf('a')).toBe('shop');
  rmSync(path);
  later();
  expect(await nameOf('a')).toBeUndefined();
});

test('a list that has become wrong counts as it was, and that is told once', async () => {
  const path = newPath();
  writeFileSync(path, line('shop', 'a'));
  const { nameOf, later, events, all } = opened(path);
  expect(await nameOf('a')).toBe('shop');
  writeFileSync(path, `${line('shop', 'a')}\nnonsense-secret\n`);
  for (let look = 0; look < 3; look++) {
    later();
    expect(await nameOf('a')).toBe('shop');
  }
  expect(events()).toEqual(['read', 'not-taken']);
  expect(JSON.stringify(all)).toContain('line 2');
  expect(JSON.stringify(all)).not.toContain('nonsense-secret');
});

test.each([
  ['taken out', ''],
  ['put behind a #', `# ${line('shop', 'a')}`],
  ['narrowed', line('shop', 'a').replace('environments=*', 'environments=staging')],
])('a line that was %s counts no more, though another one is wrong', async (_how, left) => {
  const path = newPath();
  writeFileSync(path, `${line('shop', 'a')}\n${line('till', 'b')}\n`);
  const { nameOf, later } = opened(path);
  expect(await nameOf('a')).toBe('shop');
  for (const wrong of ['nonsense', 'other nonsense']) {
    writeFileSync(path, `${line('shop', 'a')}\n${line('till', 'b')}\n${wrong}\n`);
    later();
    expect([await nameOf('a'), await nameOf('b')]).toEqual(['shop', 'till']);
  }
  writeFileSync(path, `${left}\n${line('till', 'b')}\nother nonsense\n`);
  later();
  expect([await nameOf('a'), await nameOf('b')]).toEqual([undefined, 'till']);
});

test('a list that cannot be read is told', async () => {
  const path = newPath();
  mkdirSync(path);
  const { nameOf, events } = opened(path);
  expect(await nameOf('a')).toBeUndefined();
  expect(events()).toEqual(['not-taken']);
});

test('a list of other people’s eyes is told', async () => {
  const path = newPath();
  writeFileSync(path, line('shop', 'a'));
  chmodSync(path, 0o644);
  const { nameOf, all } = opened(path);
  await nameOf('a');
  expect(all).toMatchObject([{ event: 'read', isExposed: true }]);
});

test('a line is written behind the others, for its owner alone', async () => {
  const path = newPath();
  const list = tokenListAt(path);
  value(await list.append(line('shop', 'a')));
  value(await list.append(line('till', 'b')));
  writeFileSync(path, readFileSync(path, 'utf8').trimEnd());
  value(await list.append(line('bank', 'c')));
  expect(value(await list.read()).map(({ name }) => name)).toEqual(['shop', 'till', 'bank']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('two tokens are never the same', () => {
  const { newToken } = tokenListAt(newPath());
  const made = Array.from({ length: 100 }, newToken);
  expect(new Set(made).size).toBe(100);
  for (const token of made) expect(token).toMatch(/^plt_[A-Za-z0-9_-]{43}$/);
});
