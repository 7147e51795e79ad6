import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { decideOn } from '../support/decide-process.ts';
import type { DecisionSaid } from '../support/decide-process.ts';
import { eventually } from '../support/eventually.ts';
import type { Env } from '../support/bare-env.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// Gates and executed decisions with processes as people start them, on both foundations.

const stack = sharedStack();
const scratch = scratchFolder();
const manyMs = 180_000;
vi.setConfig({ testTimeout: manyMs, hookTimeout: manyMs });

type Site = {
  readonly folder: string;
  readonly env: Env;
  readonly deployment: string;
  readonly say: (
    kind: DecisionSaid['kind'],
    over?: DecisionSaid['over'],
  ) => Promise<{ readonly position: number; readonly id: string }>;
};

const place = ['--component-name=checkout', '--environment-name=production'];

/** A folder with a canary of 2.0.0 that runs beside 1.9.4. */
const siteOn = async (env: Env): Promise<Site> => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder);
  const run = async (...args: readonly string[]): Promise<string> => {
    const ran = await plimsoll(folder, [...args, '--timeout=60s', '--json'], env);
    expect([ran.exit, ran.err.includes('"hint":""') || ran.err === '']).toEqual([0, true]);
    return ran.out;
  };
  await run('release', 'log', ...place, '--target-version=1.9.4');
  const planned = await run('release', 'plan', ...place, '--target-version=2.0.0');
  await run('release', 'update', '--status=RUNNING');
  const { deployment } = JSON.parse(planned) as { readonly deployment: string };
  const data = join(folder, 'plimsoll-data');
  const settings = { PLIMSOLL_LOG: `sqlite:${data}`, PLIMSOLL_STORE: `sqlite:${data}`, ...env };
  return {
    folder,
    env,
    deployment,
    say: (kind, over = {}) => decideOn(settings, data, { kind, deployment, over }),
  };
};

const embedded = (): Promise<Site> => siteOn({});
const onKafkaAndRedis = (): Promise<Site> =>
  siteOn({
    PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
    PLIMSOLL_STORE: stack.redisUrl,
    PLIMSOLL_AUDIENCE: freshAudience(),
  });

const running: ReturnType<typeof startPlimsoll>[] = [];
const start = (site: Site, args: readonly string[], env: Env = {}) => {
  const child = startPlimsoll(site.folder, args, { ...site.env, ...env });
  running.push(child);
  return child;
};
afterEach(() => {
  for (const child of running.splice(0)) child.signal('SIGKILL');
});

/** A script that notes what it was run for; then it takes its time. */
const scriptIn = ({ folder }: Site, seconds = 0): { readonly ran: () => readonly string[] } => {
  const noted = join(folder, 'ran.txt');
  writeFileSync(noted, '');
  const script = join(folder, 'obey.sh');
  writeFileSync(
    script,
    `#!/bin/sh\necho "$PLIMSOLL_DECISION_ACT $PLIMSOLL_DECISION_ID $(grep -c . -)" >> ran.txt\nsleep ${seconds}\n`,
  );
  chmodSync(script, 0o755);
  return {
    ran: () =>
      readFileSync(noted, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  };
};

describe.each([
  ['embedded', embedded],
  ['on Kafka and Redis', onKafkaAndRedis],
] as const)('%s', (_name, open) => {
  let site: Site;
  beforeAll(async () => {
    site = await open();
  });

  test('a gate waits through an advance until a roll-back is decided', async () => {
    const gate = start(site, ['gate', site.deployment, '--wait=2m', '--json']);
    await eventually('it says that it waits', () => gate.err().includes('no decision yet'));
    await site.say('advance');
    await eventually('it tells of the advance', () => gate.err().includes('advance (evidence'));
    const { position } = await site.say('roll-back', { windowIndex: 9, windows: 10 });
    const { exit, out } = await gate.ended;
    expect([exit, JSON.parse(out)]).toMatchObject([10, { act: { position, toVersion: '1.9.4' } }]);
  });

  test('what was decided is executed once, whoever is killed in between', async () => {
    const script = scriptIn(site, 3);
    const args = ['decisions', '--follow', '--exec=./obey.sh'];
    const first = start(site, args);
    await eventually('the script runs', () => script.ran().length === 1);
    // After the effect, before the checkpoint.
    first.signal('SIGKILL');
    await first.ended;
    const second = start(site, args);
    await eventually('it is done', () => second.out().includes('obeyed  roll-back'));
    second.signal('SIGTERM');
    expect((await second.ended).exit).toBe(0);
    const once = await plimsoll(site.folder, ['decisions', '--once', '--exec=./obey.sh'], site.env);
    expect([once.exit, once.out]).toEqual([0, '']);
    const lines = script.ran();
    expect(lines).toHaveLength(2);
    // At least once, and the same id each time; it has read one line.
    expect(new Set(lines)).toHaveProperty('size', 1);
    expect(lines[0]).toMatch(/^roll-back [0-9a-f-]{36} 1$/);
  });

  test('while decisions are stopped no gate opens', async () => {
    const { folder, env, deployment } = site;
    const data = join('plimsoll-data', 'keys', 'admin.json');
    const stop = ['decisions', 'stop', '--reason=incident', `--key=${data}`];
    expect((await plimsoll(folder, stop, env)).exit).toBe(0);
    const shut = await plimsoll(folder, ['gate', deployment, '--wait=1s', '--json'], env);
    expect([shut.exit, JSON.parse(shut.out)]).toMatchObject([13, { refused: { code: 'stopped' } }]);
    const resume = ['decisions', 'resume', '--reason=over', `--key=${data}`];
    expect((await plimsoll(folder, resume, env)).exit).toBe(0);
    expect((await plimsoll(folder, ['gate', deployment, '--wait=1s'], env)).exit).toBe(10);
  });
});

test('a gate and an executor ask through the gateway', async () => {
  const site = await embedded();
  const script = scriptIn(site);
  const up = start(site, ['up'], { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' });
  await eventually('the gateway listens', () => /gateway: http:\S+/.test(up.out()));
  const url = /gateway: (http:\S+)/.exec(up.out())?.[1] ?? '';
  const gate = start(site, ['gate', site.deployment, '--wait=2m', '--json'], { PLIMSOLL_URL: url });
  await eventually('it says that it waits', () => gate.err().includes('no decision yet'));
  await site.say('promote');
  expect((await gate.ended).exit).toBe(0);
  const args = ['decisions', '--once', '--exec=./obey.sh'];
  const once = await plimsoll(site.folder, args, { PLIMSOLL_URL: url });
  expect([once.exit, script.ran()[0]]).toEqual([0, expect.stringMatching(/^promote /) as string]);
  const asked = await fetch(`${url}/v1/gate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ environment: 'production', component: 'checkout' }),
  });
  expect([asked.status, await asked.json()]).toMatchObject([200, { outcome: 'promote' }]);
  const hook = await fetch(`${url}/v1/gate`, {
    method: 'POST',
    body: JSON.stringify({
      name: 'checkout',
      namespace: 'test',
      phase: 'Progressing',
      metadata: { hook: 'rollback', environment: 'production' },
    }),
  });
  expect(hook.status).toBe(409);
});

test('a gate that cannot reach anybody ends with 6', async () => {
  const site = await embedded();
  const away = await plimsoll(site.folder, ['gate', site.deployment, '--wait=5s'], {
    PLIMSOLL_URL: 'http://127.0.0.1:9',
  });
  expect(away.exit).toBe(6);
});
