import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { bareEnv } from '../../support/bare-env.ts';
import { eventually } from '../../support/eventually.ts';
import { plimsoll, startPlimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// What the README tells those who have no key, done as it stands there: a real gateway on SQLite, and curl.

const withinMs = 60_000;
const readme = readFileSync(resolve(import.meta.dirname, '../../../README.md'), 'utf8');
const [, section = ''] = readme.split('### JSON with a token');
const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text ?? '');
const [newToken = '', curl = ''] = blocks;

test(
  'a token is made, and with it curl says what the README says; taken out of the list it says nothing more',
  { timeout: 3 * withinMs },
  async () => {
    const folder = join(scratchFolder(), randomUUID());
    const up = startPlimsoll(folder, ['up'], { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' });
    await eventually('it runs', () => up.out().includes('ready'), withinMs);
    const url = /gateway: (http:\S+)\n/.exec(up.out())?.[1] ?? '';

    expect(newToken).toMatch(/^plimsoll tokens new .*\n$/);
    const args = newToken.trim().split(' ').slice(1);
    const made = await plimsoll(folder, [...args, '--json']);
    expect(made).toMatchObject({ exit: 0, err: '' });
    const { token } = JSON.parse(made.out) as { readonly token: string };

    const run = (runId: string): unknown => {
      const script = curl.replace('http://127.0.0.1:7464', url);
      const env = { ...bareEnv(), PLIMSOLL_TOKEN: token, RUN_ID: runId };
      const { stdout, stderr } = spawnSync('sh', ['-c', script], { env, encoding: 'utf8' });
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    };
    expect(run('1')).toMatchObject({ kind: 'logged', delivery: 'stored', code: null, attempt: 1 });
    expect(run('1')).toMatchObject({ kind: 'logged', delivery: 'duplicate' });
    expect(run('2')).toMatchObject({ delivery: 'stored', code: 'repeat' });

    const current = await plimsoll(folder, ['current', '--json']);
    expect(JSON.parse(current.out)).toMatchObject({
      ...{ environment: 'staging', component: 'shop', version: '1.0.1' },
      ...{ signer: 'gateway', onBehalf: 'shop-ci' },
    });
    expect((await plimsoll(folder, ['current'])).out).toContain('token shop-ci');

    writeFileSync(join(folder, 'plimsoll-data/tokens.txt'), '');
    await eventually(
      'the token is taken back',
      () => (run('3') as { readonly code: string | null }).code === 'token-unknown',
      withinMs,
    );
    up.signal('SIGTERM');
    const { exit, out, err } = await up.ended;
    expect(exit).toBe(0);
    expect(out + err).not.toContain(token);
  },
);

test(
  'a gateway whose key is named and not there does not start',
  { timeout: 2 * withinMs },
  async () => {
    const folder = join(scratchFolder(), randomUUID());
    const env = { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0', PLIMSOLL_GATEWAY_KEY: 'none.json' };
    const { exit, err } = await plimsoll(folder, ['gateway', '--json'], env);
    expect(exit).toBe(5);
    expect(JSON.parse(err.trim().split('\n').at(-1) ?? '')).toMatchObject({
      code: 'key-file-missing',
    });
  },
);
