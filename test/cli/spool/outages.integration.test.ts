import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mountSmallDisk } from '../../../services/dev/faults/small-disk.ts';
import { badGateways } from '../../support/bad-gateways.ts';
import { startTcpProxy } from '../../../services/dev/stack/tcp-proxy.ts';
import type { Env } from '../../support/bare-env.ts';
import { bareEnv } from '../../support/bare-env.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import { eventually } from '../../support/eventually.ts';
import { ownCertificate } from '../../support/own-certificate.ts';
import { plimsoll, startPlimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// The real command, the real file system, and gateways that behave badly in every way that we know.

const scratch = scratchFolder();
const newFolder = (): string => join(scratch, randomUUID());
const home = newFolder();
const startsWithinMs = 60_000;

let up: ReturnType<typeof startPlimsoll>;
let good: { readonly PLIMSOLL_URL: string; readonly PLIMSOLL_KEY: string };

beforeAll(async () => {
  up = startPlimsoll(home, ['up'], { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' });
  const listens = /gateway[^\n]*(http:\/\/127\.0\.0\.1:\d+)/;
  await eventually('the gateway listens', () => listens.test(up.out()), startsWithinMs);
  await eventually('all is ready', () => up.out().includes('ready'), startsWithinMs);
  good = {
    PLIMSOLL_URL: listens.exec(up.out())?.[1] ?? '',
    PLIMSOLL_KEY: join(home, 'plimsoll-data/keys/local.json'),
  };
});

afterAll(async () => {
  up.signal('SIGTERM');
  await up.ended;
});

const log = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'log', '--component-name=shop', `--environment-name=${version}`],
  ...[`--target-version=${version}`, '--timeout=2s', ...more],
];

const onTheLog = async (environment: string): Promise<readonly string[]> => {
  const said = await plimsoll(home, ['timeline', `--environment=${environment}`, '--json'], good);
  return said.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly version: string }).version);
};

const receiptOf = ({ out }: { readonly out: string }): { readonly [field: string]: unknown } => {
  const receipt = JSON.parse(out) as { readonly [field: string]: unknown };
  expect(faultsOf('receipt', receipt)).toEqual([]);
  return receipt;
};

describe('with a gateway that is', () => {
  test.concurrent.each(Object.entries(badGateways))(
    '%s: the command ends with 0, the marker waits, and flush delivers it once',
    async (fault, open) => {
      const gateway = await open();
      const folder = newFolder();
      const env = { ...good, PLIMSOLL_URL: gateway.url };
      const version = fault.replace(/[^a-z0-9]+/gi, '-');
      try {
        // It ends while the bad gateway still stands: nobody but the deadline ends it.
        const said = await plimsoll(folder, log(version, '--json'), env);
        expect([said.exit, receiptOf(said)]).toMatchObject([0, { delivery: 'spooled' }]);
        expect(said.err.trimEnd().split('\n')).toHaveLength(1);
        expect(JSON.parse(said.err)).toMatchObject({ code: 'spooled' });
        const strict = await plimsoll(folder, log(version, '--strict'), env);
        expect([6, 8]).toContain(strict.exit);
      } finally {
        await gateway.close();
      }
      const mended = await mend(gateway.url);
      const flushed = await plimsoll(folder, ['flush'], { ...env, ...mended.env });
      expect([flushed.exit, flushed.out]).toEqual([
        0,
        expect.stringContaining('2 delivered, 0 still waiting'),
      ]);
      const again = await plimsoll(folder, ['flush'], { ...env, ...mended.env });
      expect(again.out).toBe('nothing waits in the spool\n');
      await mended.close();
      // The second was the same said again, of which there is no row.
      expect(await onTheLog(version)).toEqual([version]);
    },
  );
});

/** At the same address a gateway that works. */
const mend = async (
  url: string,
): Promise<{ readonly env: Env; readonly close: () => Promise<void> }> => {
  const target = { host: '127.0.0.1', port: Number(new URL(good.PLIMSOLL_URL).port) };
  const port = Number(new URL(url).port);
  if (url.startsWith('http:')) {
    const proxy = await startTcpProxy(target, port);
    return { env: {}, close: proxy.close };
  }
  const proxy = createTls(ownCertificate(), (socket) => {
    const gateway = connect(target.port, target.host);
    socket.pipe(gateway).pipe(socket);
    for (const end of [socket, gateway]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((done) => void proxy.listen(port, '127.0.0.1', done));
  return {
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    close: () => new Promise((done) => void proxy.close(() => done())),
  };
};

describe('with an OpenTelemetry receiver that is', () => {
  const faults = [
    'killed: nobody listens',
    'hung: it takes the connection and the request, and never answers',
    'talking garbage',
    'dripping a body that never ends',
    'failing with 500',
    'a captive portal that likes everything',
    'showing a certificate that nobody signed',
  ];
  test.concurrent.each(faults)(
    '%s: the marker is stored, with one line on stderr',
    async (fault) => {
      const receiver = await badGateways[fault]?.();
      const environment = `otel-${fault.replace(/[^a-z0-9]+/gi, '-')}`;
      try {
        const env = { ...good, OTEL_EXPORTER_OTLP_ENDPOINT: receiver?.url ?? '' };
        const words = log(environment, '--json', '--timeout=10s').filter(
          (word) => word !== '--timeout=2s',
        );
        const said = await plimsoll(newFolder(), words, env);
        expect([said.exit, receiptOf(said)]).toMatchObject([0, { delivery: 'stored' }]);
        // That a name is new is told as well.
        const told = said.err.split('\n').filter((line) => !line.includes('for the first time'));
        expect(told).toEqual([expect.stringContaining('"code":"telemetry-not-sent"'), '']);
      } finally {
        await receiver?.close();
      }
      expect(await onTheLog(environment)).toEqual([environment]);
    },
  );
});

const script = resolve(import.meta.dirname, '../../../services/cli/plimsoll.mjs');

test('a deploy whose shell ends at the first failure goes on, and its exit code is its own', async () => {
  const gateway =
    await badGateways['hung: it takes the connection and the request, and never answers']?.();
  const folder = newFolder();
  mkdirSync(folder);
  const env = { ...bareEnv(), ...good, PLIMSOLL_URL: gateway?.url ?? '' };
  const step = `'${process.execPath}' '${script}' ${log('shell').join(' ')} 2>&1`;
  const ended = await new Promise<{ readonly exit: unknown; readonly out: string }>((done) =>
    execFile(
      '/bin/sh',
      ['-ec', `${step}; echo deployed; exit 7`],
      { cwd: folder, env },
      (error, out) => done({ exit: error?.code, out }),
    ),
  );
  await gateway?.close();
  expect([ended.exit, ended.out]).toEqual([7, expect.stringMatching(/kept for later.*deployed/s)]);
});

test('--async returns while nobody answers; what its own process could not deliver stays', async () => {
  const gateway =
    await badGateways['hung: it takes the connection and the request, and never answers']?.();
  if (gateway === undefined) throw new Error('there is no such gateway');
  const folder = newFolder();
  const env = { ...good, PLIMSOLL_URL: gateway.url };
  // Its pipes are closed: the process that goes on holds none of them.
  const said = await plimsoll(folder, log('async', '--async', '--json'), env);
  expect([said.exit, said.err, receiptOf(said)]).toMatchObject([0, '', { code: 'async' }]);
  await eventually('its own process asks', () => gateway.asked() > 0, startsWithinMs);
  await gateway.close();
  const mended = await mend(gateway.url);
  const flushed = await plimsoll(folder, ['flush'], env);
  await mended.close();
  expect([flushed.exit, await onTheLog('async')]).toEqual([0, ['async']]);
});

test('--async delivers by itself where somebody answers', async () => {
  const folder = newFolder();
  expect((await plimsoll(folder, log('by-itself', '--async'), good)).exit).toBe(0);
  const root = join(folder, 'plimsoll-data/spool');
  const spool = join(root, readdirSync(root)[0] ?? '');
  await eventually(
    'the spool is empty',
    () => readdirSync(spool).every((name) => !name.endsWith('.marker')),
    startsWithinMs,
  );
  expect(await onTheLog('by-itself')).toEqual(['by-itself']);
});

test('what was kept for one log goes to no other', async () => {
  const folder = newFolder();
  const away = { ...good, PLIMSOLL_URL: 'http://bob:hunter2@127.0.0.1:9' };
  const kept = await plimsoll(folder, log('not-yours'), away);
  expect([kept.exit, kept.err]).toEqual([0, expect.not.stringContaining('hunter2')]);
  // The same folder, another gateway; and the log of the folder itself.
  for (const env of [good, {}]) {
    const other = await plimsoll(folder, log('other', '--json'), env);
    expect(other.exit).toBe(0);
    const flushed = await plimsoll(folder, ['flush'], env);
    expect([flushed.exit, flushed.err]).toEqual([
      0,
      expect.stringContaining('1 marker waits for http://127.0.0.1:9 (local)'),
    ]);
  }
  expect(await onTheLog('not-yours')).toEqual([]);
  const list = await plimsoll(folder, ['spool', 'list', '--json'], away);
  expect(JSON.parse(list.out)).toMatchObject({ state: 'waiting', kind: 'logged' });
});

/** The line of the log, where no disk keeps the marker. */
const lineOf = ({ err }: { readonly err: string }): string =>
  /^plimsoll-marker:v1:.*$/m.exec(err)?.[0] ?? '';

const deliverLine = async (line: string): Promise<string> => {
  const folder = newFolder();
  mkdirSync(folder);
  writeFileSync(join(folder, 'job.log'), `10:00:00 ${line}\n`);
  return (await plimsoll(folder, ['flush', '--from-log=job.log'], good)).out;
};

describe('where nothing can be written', () => {
  test('because the home is read only, the log of the job holds the marker, and the exit code is 0', async ({
    skip,
    onTestFinished,
  }) => {
    const folder = newFolder();
    mkdirSync(folder);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) {
      const disk = mountSmallDisk(folder, 1);
      if (disk === undefined) skip('no file system may be mounted here, and root writes anywhere');
      onTestFinished(() => disk?.remove());
      execFileSync('mount', ['-o', 'remount,ro', folder]);
    } else chmodSync(folder, 0o555);
    const gateway = await badGateways['failing with 500']?.();
    const env = { ...good, HOME: folder, PLIMSOLL_URL: gateway?.url ?? '' };
    const said = await plimsoll(folder, log('read-only', '--json'), env);
    expect([said.exit, receiptOf(said)]).toMatchObject([
      0,
      { delivery: 'spooled', code: 'spool-failed' },
    ]);
    const plain = await plimsoll(folder, log('read-only'), env);
    await gateway?.close();
    // And with a gateway that answers, nothing of it is noticed.
    const stored = await plimsoll(folder, log('read-only-good', '--json'), { ...env, ...good });
    expect([stored.exit, receiptOf(stored)]).toMatchObject([0, { delivery: 'stored' }]);
    expect(stored.err).not.toMatch(/spool/);
    // The next command from here knows what was planned.
    const temporary = newFolder();
    mkdirSync(temporary);
    const next = { ...env, ...good, TMPDIR: temporary };
    for (const words of [
      ['plan', '--component-name=read-only-planned', '--target-version=1'],
      ['update', '--status=RUNNING'],
      ['update', '--status=SUCCESS'],
    ])
      expect((await plimsoll(folder, ['release', ...words], next)).exit).toBe(0);
    expect(await deliverLine(lineOf(plain))).toContain('1 delivered');
    expect(await onTheLog('read-only')).toEqual(['read-only']);
  });

  test('on first use: a disk that is full or read only is told, and fails nobody without --strict', async ({
    skip,
    onTestFinished,
  }) => {
    const folder = newFolder();
    const disk = mountSmallDisk(folder, 1);
    if (disk === undefined) skip('no small disk may be mounted here');
    onTestFinished(() => disk?.remove());
    const key = { PLIMSOLL_KEY: good.PLIMSOLL_KEY };
    const spoil = [() => disk?.fill(), () => execFileSync('mount', ['-o', 'remount,ro', folder])];
    for (const spoils of spoil) {
      spoils();
      const said = await plimsoll(folder, log('1'));
      expect([said.exit, said.err]).toEqual([0, expect.stringContaining('nothing was stored')]);
      expect((await plimsoll(folder, log('1', '--strict'))).exit).not.toBe(0);
      const keyed = await plimsoll(folder, log('1'), key);
      expect([keyed.exit, lineOf(keyed)]).toEqual([0, expect.stringMatching(/^plimsoll-marker/)]);
    }
  });

  test('because the disk is full, with the log on it: the same', async ({
    skip,
    onTestFinished,
  }) => {
    const folder = newFolder();
    const disk = mountSmallDisk(folder, 4);
    if (disk === undefined) skip('no small disk may be mounted here');
    onTestFinished(() => disk?.remove());
    const first = await plimsoll(
      folder,
      log('0', '--timeout=60s').filter((word) => word !== '--timeout=2s'),
    );
    expect(first.exit).toBe(0);
    disk?.fill();
    const said = await plimsoll(folder, log('1'));
    expect([said.exit, said.err]).toEqual([0, expect.stringContaining('no disk keeps it')]);
    const line = lineOf(said);
    disk?.free();
    writeFileSync(join(folder, 'job.log'), line);
    const flushed = await plimsoll(folder, ['flush', '--from-log=job.log']);
    expect(flushed.out).toContain('1 delivered, 0 still waiting');
    const timeline = await plimsoll(folder, ['timeline', '--json']);
    expect(timeline.out.trim().split('\n')).toHaveLength(2);
  });
});
