import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bareEnv } from '../../support/bare-env.ts';
import { ciEnvironment } from '../../support/ci-environments.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import { eventually } from '../../support/eventually.ts';
import { plimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

// `plimsoll run` as a process of its own, around real programs.

const scratch = scratchFolder();
/** Of util-linux: runs a command in a terminal of its own. */
const terminalMaker = '/usr/bin/script';
const patient = { timeout: 60_000 };
const command = resolve(import.meta.dirname, '../../support/command/plimsoll');

type Ran = { readonly exit: number | null; readonly out: string; readonly err: string };
type Place = { readonly folder: string; readonly env: { readonly [name: string]: string } };

const aPlace = (env: Place['env'] = {}): Place => {
  const folder = join(scratch, randomUUID());
  mkdirSync(folder);
  return { folder, env: { NODE_BINARY: process.execPath, ...env } };
};

const start = (
  { folder, env }: Place,
  args: readonly string[],
  input: string,
): {
  readonly ended: Promise<Ran>;
  /** What it left behind may go on. */
  readonly exited: Promise<number | null>;
  readonly signal: (name: NodeJS.Signals) => void;
} => {
  const child = spawn(command, ['run', ...args], { cwd: folder, env: { ...bareEnv(), ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return {
    ended: new Promise((done) => child.on('close', (exit) => done({ exit, out, err }))),
    exited: new Promise((done) => child.on('exit', done)),
    signal: (name) => void child.kill(name),
  };
};

const version = '--target-version=2.0.0';
const run = (
  place: Place,
  script: string,
  options: readonly string[] = [],
  input = '',
): Promise<Ran> =>
  start(place, [version, '--component-name=shop', ...options, '--', 'sh', '-c', script], input)
    .ended;

/** What the log says of the attempts: `succeeded`, `failed (exit code 3)`. */
const attempts = async ({ folder, env }: Place): Promise<readonly string[]> => {
  const listed = await plimsoll(folder, ['timeline', '--json'], env);
  return listed.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { status, failureReason } = JSON.parse(line) as {
        readonly status: string;
        readonly failureReason: string | null;
      };
      return failureReason === null ? status : `${status} (${failureReason})`;
    });
};

type Entry = { readonly kind: string; readonly occurredAt: string };

const key = ['AKIA', 'Z7QW3ERTYU8IOPAS'].join('');

describe('the program', () => {
  test(
    'has its output, its input and its exit code; nothing of ours is between',
    patient,
    async () => {
      const place = aPlace();
      const ran = await run(place, 'cat; echo told >&2', [], 'line 1\nline 2\n');
      expect(ran.exit).toBe(0);
      expect(ran.out).toBe('line 1\nline 2\n');
      // First use makes the log, and says so behind it.
      expect(ran.err).toMatch(/^told\nplimsoll: /);
      expect(await attempts(place)).toEqual(['succeeded']);
      const shown = await plimsoll(place.folder, ['show', 'default/shop'], place.env);
      expect(shown.out).toMatch(/planned[\s\S]*started[\s\S]*succeeded/);
      const again = await run(place, 'exit 0');
      expect([again.out, again.err]).toEqual(['', '']);
    },
  );

  test(
    'that fails: its exit code, and the last lines of its stderr without secrets',
    patient,
    async () => {
      const place = aPlace();
      const ran = await run(
        place,
        `echo first >&2; printf '\\033[31mno login as ${key}\\033[0m\\n' >&2; exit 3`,
      );
      expect(ran.exit).toBe(3);
      // What it printed is its own affair.
      expect(ran.err).toContain(`\u001b[31mno login as ${key}`);
      const [said = ''] = await attempts(place);
      expect(said).toMatch(/^failed \(exit code 3: first\nno login as /);
      expect(said).not.toContain(key);
    },
  );

  test('whose stderr is left alone tells its exit code alone', patient, async () => {
    const place = aPlace();
    expect((await run(place, 'echo no >&2; exit 3', ['--no-tail'])).exit).toBe(3);
    expect(await attempts(place)).toEqual(['failed (exit code 3)']);
  });

  test('that is killed: 128 and the signal', patient, async () => {
    const place = aPlace();
    expect((await run(place, 'kill -KILL $$')).exit).toBe(137);
    expect(await attempts(place)).toEqual(['failed (killed by SIGKILL)']);
  });

  test('that is not there, or may not be run: as a shell says it', patient, async () => {
    const place = aPlace();
    writeFileSync(join(place.folder, 'deploy.sh'), '#!/bin/sh\n', { mode: 0o644 });
    const missing = await start(place, [version, '--component-name=shop', '--', './nowhere'], '')
      .ended;
    const closed = await start(place, [version, '--component-name=shop', '--', './deploy.sh'], '')
      .ended;
    expect([missing.exit, closed.exit]).toEqual([127, 126]);
    expect(missing.err).toContain('./nowhere could not be started');
    expect(await attempts(place)).toEqual([
      'failed (./nowhere could not be started: spawn ./nowhere ENOENT)',
      'failed (./deploy.sh could not be started: spawn ./deploy.sh EACCES)',
    ]);
  });

  test('may leave something in the background, whose stderr goes on', patient, async () => {
    const place = aPlace();
    const script =
      '(while [ ! -e go ]; do sleep 0.05; done; echo late >&2 && touch alive) > /dev/null & echo started >&2; exit 4';
    const started = start(place, [version, '--component-name=shop', '--', 'sh', '-c', script], '');
    expect(await started.exited).toBe(4);
    writeFileSync(join(place.folder, 'go'), '');
    const ran = await started.ended;
    expect(ran.err).toMatch(/^started\n[\s\S]*late\n$/);
    await eventually('it lives', () => existsSync(join(place.folder, 'alive')));
    expect(await attempts(place)).toEqual(['failed (exit code 4: started)']);
  });

  test(
    'may say very much on stderr: all of it arrives, none of it on a disk',
    patient,
    async () => {
      const temporary = join(scratch, randomUUID());
      mkdirSync(temporary);
      const place = aPlace({ TMPDIR: temporary });
      const said = 60_000_000;
      const script = `head -c ${said} /dev/zero | tr '\\0' x | fold -w 99 >&2; echo >&2; echo the end >&2; find "$TMPDIR" -type f; exit 3`;
      const child = spawn(
        command,
        ['run', version, '--component-name=shop', '--', 'sh', '-c', script],
        {
          cwd: place.folder,
          env: { ...bareEnv(), ...place.env },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let files = '';
      let bytes = 0;
      child.stdout.setEncoding('utf8').on('data', (text: string) => void (files += text));
      child.stderr.on('data', (data: Buffer) => void (bytes += data.length));
      expect(await new Promise((done) => child.on('close', done))).toBe(3);
      expect(bytes).toBeGreaterThanOrEqual(said + Math.floor(said / 99) + 'the end\n'.length);
      expect([files, readdirSync(temporary)]).toEqual(['', []]);
      const [reason = ''] = await attempts(place);
      expect(reason).toMatch(/^failed \(exit code 3: (?:x{99}\n){8}x{60}\nthe end\)$/);
    },
  );

  test(
    'may leave one in the background that says very much once we are gone',
    patient,
    async () => {
      const place = aPlace();
      const script =
        '(while [ ! -e go ]; do sleep 0.05; done; head -c 3000000 /dev/zero | tr "\\0" y >&2; touch alive) > /dev/null & exit 4';
      const started = start(
        place,
        [version, '--component-name=shop', '--', 'sh', '-c', script],
        '',
      );
      expect(await started.exited).toBe(4);
      writeFileSync(join(place.folder, 'go'), '');
      const ran = await started.ended;
      expect(ran.err.replaceAll(/[^y]/g, '').length).toBeGreaterThanOrEqual(3_000_000);
      await eventually('it lives', () => existsSync(join(place.folder, 'alive')));
    },
  );

  test('goes on though we are killed, and so does its stderr', patient, async () => {
    const place = aPlace();
    const script =
      'touch ready; while [ ! -e go ]; do sleep 0.05; done; head -c 300000 /dev/zero | tr "\\0" y >&2; touch alive';
    const started = start(place, [version, '--component-name=shop', '--', 'sh', '-c', script], '');
    await eventually('the program runs', () => existsSync(join(place.folder, 'ready')));
    started.signal('SIGKILL');
    await started.exited;
    writeFileSync(join(place.folder, 'go'), '');
    const ran = await started.ended;
    expect(ran.err).toHaveLength(300_000);
    await eventually('it lives', () => existsSync(join(place.folder, 'alive')));
  });

  test('ends where nobody reads its stderr, as it would without us', patient, async () => {
    const place = aPlace();
    const script = `"${command}" run ${version} --component-name=shop -- sh -c 'while :; do echo more >&2; done' 2>&1 >/dev/null | head -n 1`;
    const child = spawn('sh', ['-c', script], {
      cwd: place.folder,
      env: { ...bareEnv(), ...place.env },
      stdio: 'ignore',
    });
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect((await attempts(place)).join()).toMatch(/^failed \(killed by SIGPIPE: more/);
  });

  test('has our stderr itself on a machine without tee, and that is said', patient, async () => {
    const place = aPlace();
    const programs = join(place.folder, 'programs');
    mkdirSync(programs);
    for (const name of ['sh', 'cat', 'mkfifo', 'dirname'])
      symlinkSync(join('/usr/bin', name), join(programs, name));
    const poor = { ...place, env: { ...place.env, PATH: programs } };
    const ran = await run(poor, 'echo told >&2; exit 3');
    expect(ran.exit).toBe(3);
    expect(ran.err).toMatch(/^told\n[\s\S]*the reason holds no lines of its stderr: .*no tee/);
    expect(await attempts(place)).toEqual(['failed (exit code 3)']);
  });

  test('finds its stderr by its name, as scripts do', patient, async () => {
    const place = aPlace();
    const ran = await run(place, 'echo one > /dev/stderr; echo two >> /dev/fd/2; exit 1');
    expect(ran.err).toMatch(/^one\ntwo\n/);
    expect(await attempts(place)).toEqual(['failed (exit code 1: one\ntwo)']);
  });

  test('writes its stderr into a file as it would without us', patient, async () => {
    const place = aPlace();
    const script = `"${command}" run ${version} --component-name=shop -- sh -c 'echo out; echo err >&2; echo out again; exit 2' > log 2>&1`;
    const child = spawn('sh', ['-c', `echo before > log; ${script.replace('> log', '>> log')}`], {
      cwd: place.folder,
      env: { ...bareEnv(), ...place.env },
      stdio: 'ignore',
    });
    const exit = await new Promise((done) => child.on('close', done));
    const log = readFileSync(join(place.folder, 'log'), 'utf8');
    expect([exit, log.split('\n').slice(0, 4)]).toEqual([2, ['before', 'out', 'err', 'out again']]);
    expect(await attempts(place)).toEqual(['failed (exit code 2: out\nerr\nout again)']);
  });

  /** In the shell, as jobs redirect it. */
  const shell = async ({ folder, env }: Place, script: string): Promise<number | null> => {
    const child = spawn('sh', ['-c', script, command, version], {
      cwd: folder,
      env: { ...bareEnv(), ...env },
      stdio: 'ignore',
    });
    return new Promise((done) => child.on('close', done));
  };
  const ofShop = '"$0" run "$1" --component-name=shop';

  test.skipIf(!existsSync('/dev/full')).each([
    ['to stderr', '2>/dev/full'],
    ['to both', '>/dev/full 2>&1'],
  ])(
    'keeps its exit code where no disk takes what we write %s, and is told of',
    patient,
    async (_where, redirected) => {
      const place = aPlace();
      const away = aPlace({ PLIMSOLL_URL: 'http://127.0.0.1:9' });
      expect(await shell(place, `${ofShop} -- sh -c 'exit 0' ${redirected}`)).toBe(0);
      expect(await shell(away, `${ofShop} -- sh -c 'exit 4' ${redirected}`)).toBe(4);
      expect(await attempts(place)).toEqual(['succeeded']);
    },
  );

  const nobody = ['--reuid=65534', '--clear-groups'];
  /** Only root may become somebody else, who must be able to run what we run. */
  const mayBeNobody = [command, process.execPath].every(
    (path) => spawnSync('setpriv', [...nobody, 'test', '-r', path]).status === 0,
  );
  test.skipIf(!mayBeNobody)(
    'keeps its exit code where its stderr is a file that we may not read',
    patient,
    async () => {
      const place = aPlace();
      chmodSync(scratch, 0o755);
      chmodSync(place.folder, 0o777);
      const script = `umask 077; : > log; exec 2>> log; setpriv ${nobody.join(' ')} ${ofShop} -- sh -c 'exit`;
      expect(await shell(place, `${script} 0'`)).toBe(0);
      expect(await shell(place, `${script} 4'`)).toBe(4);
      expect(await attempts(place)).toEqual(['succeeded', 'failed (exit code 4)']);
    },
  );

  test('gets a signal to the whole group once', patient, async () => {
    const place = aPlace();
    const script =
      'trap "echo got" TERM; touch ready; while [ ! -e go ]; do sleep 0.05; done; exit 3';
    const child = spawn(
      command,
      ['run', version, '--component-name=shop', '--', 'sh', '-c', script],
      {
        cwd: place.folder,
        env: { ...bareEnv(), ...place.env },
        detached: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
    const over = new Promise((done) => child.on('close', done));
    await eventually('the program runs', () => existsSync(join(place.folder, 'ready')));
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    await eventually('the program got it', () => out.includes('got'));
    // The one to us alone is passed on. Two that wait for a busy process arrive as one: so it is sent until it arrives.
    let sent = 0;
    let looks = 0;
    await eventually('the program got another', () => {
      if (looks++ % 200 === 0 && child.kill('SIGTERM')) sent += 1;
      return out.startsWith('got\ngot\n');
    });
    writeFileSync(join(place.folder, 'go'), '');
    expect(await over).toBe(3);
    const got = out.split('\n').length - 1;
    expect(got).toBeLessThanOrEqual(1 + sent);
    expect(await attempts(place)).toEqual(['canceled (stopped by SIGTERM)']);
  });

  test.each<[signal: NodeJS.Signals, script: string, exit: number]>([
    ['SIGTERM', 'touch ready; while :; do sleep 0.05; done', 143],
    ['SIGINT', 'touch ready; while :; do sleep 0.05; done', 130],
    ['SIGHUP', 'touch ready; while :; do sleep 0.05; done', 129],
    ['SIGTERM', 'trap "echo tidied; exit 9" TERM; touch ready; while :; do sleep 0.05; done', 9],
  ])('gets %s from us, and has its time to tidy up: %s', patient, async (signal, script, exit) => {
    const place = aPlace();
    // A job of a CI has no terminal: what it is told to stop by comes to us alone.
    const started = start(place, [version, '--component-name=shop', '--', 'sh', '-c', script], '');
    await eventually('the program runs', () => existsSync(join(place.folder, 'ready')));
    started.signal(signal);
    const ran = await started.ended;
    expect(ran.exit).toBe(exit);
    expect(ran.out).toBe(exit === 9 ? 'tidied\n' : '');
    expect(await attempts(place)).toEqual([`canceled (stopped by ${signal})`]);
  });

  test.skipIf(!existsSync(terminalMaker))('has the terminal that we have', patient, async () => {
    const place = aPlace();
    const words = `${command} run ${version} --component-name=shop -- sh -c 'test -t 0 && test -t 1 && test -t 2'`;
    const ran = await new Promise<number | null>((done) => {
      const child = spawn(terminalMaker, ['-qec', words, '/dev/null'], {
        cwd: place.folder,
        env: { ...bareEnv(), ...place.env },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      child.on('close', done);
    });
    expect(ran).toBe(0);
    expect(await attempts(place)).toEqual(['succeeded']);
  });
});

describe('what we have to tell', () => {
  test('is the same deployment in every job of a CI run', patient, async () => {
    // A log that is named is no log that was forgotten about.
    const place = aPlace({
      ...ciEnvironment('circleci-push'),
      PLIMSOLL_LOG: 'sqlite:./plimsoll-data',
    });
    expect((await run(place, 'exit 1', ['--json'])).exit).toBe(1);
    const rerun = { ...place, env: { ...place.env, CIRCLE_WORKFLOW_ID: 'w-2' } };
    const ran = await run(rerun, 'exit 0', ['--json']);
    const receipts = ran.err
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly kind: string; readonly attempt: number });
    for (const receipt of receipts) expect(faultsOf('receipt', receipt)).toEqual([]);
    expect(receipts.map(({ kind, attempt }) => `${kind} ${attempt}`)).toEqual([
      'planned 2',
      'started 2',
      'succeeded 2',
    ]);
    expect(await attempts(place)).toEqual(['failed (exit code 1)', 'succeeded']);
  });

  test(
    'is not waited for: a gateway that answers once the program has ended',
    patient,
    async () => {
      const place = aPlace();
      const kinds: string[] = [];
      const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        await eventually('the program has run', () => existsSync(join(place.folder, 'done')));
        const { 'ce-id': marker, 'ce-type': type } = request.headers as { [name: string]: string };
        const kind = (type ?? '').split('.')[1] ?? '';
        kinds.push(kind);
        response.writeHead(201, { 'content-type': 'application/json' });
        const receipt = { deployment: null, attempt: 1, marker, kind, delivery: 'stored' };
        response.end(
          JSON.stringify({ ...receipt, code: null, position: kinds.length, warning: null }),
        );
      };
      const server = createServer((request, response) => void answer(request, response));
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      await plimsoll(place.folder, ['keys', 'new', '--principal=ci', '--out=ci.json'], place.env);
      const through = {
        ...place,
        env: { ...place.env, PLIMSOLL_URL: `http://127.0.0.1:${port}`, PLIMSOLL_KEY: 'ci.json' },
      };
      const ran = await run(through, 'touch done; exit 7', ['--timeout=30s']);
      server.closeAllConnections();
      server.close();
      expect([ran.exit, ran.err]).toEqual([7, '']);
      expect(kinds).toEqual(['planned', 'started', 'failed']);
    },
  );

  test('is behind all that the program writes, what first use made with it', patient, async () => {
    const place = aPlace();
    const ran = await run(
      place,
      'while [ ! -e plimsoll-data/planned ]; do sleep 0.05; done; echo told >&2',
    );
    expect(ran.err).toMatch(/^told\nplimsoll: .*plimsoll-data/);
  });

  test(
    'says when the program was started, not when there was time to say so',
    patient,
    async () => {
      const place = aPlace();
      // A plan is made once git has answered.
      const programs = join(place.folder, 'programs');
      mkdirSync(programs);
      writeFileSync(
        join(programs, 'git'),
        '#!/bin/sh\nwhile [ ! -e began ]; do sleep 0.05; done; sleep 0.1; exit 1\n',
        { mode: 0o755 },
      );
      const slow = {
        ...place,
        env: { ...place.env, PATH: `${programs}:${process.env['PATH'] ?? ''}` },
      };
      expect((await run(slow, 'date +%s%3N > now; mv now began; exit 3')).exit).toBe(3);
      const shown = await plimsoll(place.folder, ['show', 'default/shop', '--json'], place.env);
      const { attempts: told } = JSON.parse(shown.out) as {
        readonly attempts: readonly { readonly history: readonly Entry[] }[];
      };
      const began = Number(readFileSync(join(place.folder, 'began'), 'utf8'));
      const timeOf = (word: string): number =>
        Date.parse(
          told.flatMap(({ history }) => history).find(({ kind }) => kind === word)?.occurredAt ??
            '',
        );
      expect(timeOf('started')).toBeLessThanOrEqual(began);
      expect(timeOf('planned')).toBeLessThanOrEqual(began);
      expect(timeOf('failed')).toBeGreaterThanOrEqual(began);
    },
  );

  test('is of each place by itself in one CI run, without a name', patient, async () => {
    const place = aPlace(ciEnvironment('github-push'));
    for (const environment of ['staging', 'production'])
      expect((await run(place, 'exit 0', [`--environment-name=${environment}`])).exit).toBe(0);
    const current = await plimsoll(place.folder, ['current', '--json'], place.env);
    expect(current.out).toMatch(/"environment":"production"[\s\S]*"environment":"staging"/);
    expect(await attempts(place)).toEqual(['succeeded', 'succeeded']);
  });

  test('is told though the process before it was killed and told no end', patient, async () => {
    const place = aPlace();
    const words = [
      version,
      '--component-name=shop',
      '--',
      'sh',
      '-c',
      'while [ ! -e go ]; do sleep 0.05; done',
    ];
    const killed = start(place, words, '');
    await eventually('it is told', async () => (await attempts(place)).join() === 'running');
    killed.signal('SIGKILL');
    await killed.exited;
    // What was left alone ends by itself.
    writeFileSync(join(place.folder, 'go'), '');
    const ran = await start(place, ['--target-version=2.1.0', ...words.slice(1, 5), 'exit 0'], '')
      .ended;
    expect(ran.exit).toBe(0);
    expect(await attempts(place)).toEqual(['running', 'succeeded']);
  });

  test('is kept where nobody takes it, and changes nothing', patient, async () => {
    const place = aPlace();
    await plimsoll(place.folder, ['keys', 'new', '--principal=ci', '--out=ci.json'], place.env);
    const away = {
      ...place,
      env: { ...place.env, PLIMSOLL_URL: 'http://127.0.0.1:1', PLIMSOLL_KEY: 'ci.json' },
    };
    const ran = await run(away, 'echo done; exit 5');
    expect([ran.exit, ran.out]).toEqual([5, 'done\n']);
    const kept = await plimsoll(place.folder, ['spool', 'list', '--json'], away.env);
    expect(kept.out.trim().split('\n')).toHaveLength(3);
  });

  test(
    'cannot be told with a key that is not there: the program runs all the same',
    patient,
    async () => {
      const ran = await run(aPlace({ PLIMSOLL_KEY: 'nowhere.json' }), 'echo done; exit 6');
      expect([ran.exit, ran.out]).toEqual([6, 'done\n']);
      expect(ran.err).toContain('[key-file-missing]');
    },
  );

  test.each<[what: string, env: Place['env'], options: readonly string[], told: string]>([
    ['settings that are wrong', { PLIMSOLL_LOG: 'nonsense:' }, [], '[setting-invalid]'],
    ['a field that no marker takes', {}, [`--owner=${'x'.repeat(300)}`], '[field-invalid]'],
    ['a secret in a field', {}, [`--ticket=${key}`], '[secret-found]'],
  ])('never stops it: %s', patient, async (_what, env, options, told) => {
    const ran = await run(aPlace(env), 'echo done; exit 6', options);
    expect([ran.exit, ran.out]).toEqual([6, 'done\n']);
    expect(ran.err).toContain(told);
  });

  test.each<[what: string, words: readonly string[]]>([
    ['no program', ['--target-version=1', '--']],
    ['no mark before it', ['--target-version=1', './deploy.sh']],
    ['no version', ['--', 'touch', 'ran']],
    ['an empty version', ['--target-version=', '--', 'touch', 'ran']],
    ['an option that is none', ['--target-version=1', '--versoin=1', '--', 'touch', 'ran']],
    ['a switch that is not taken here', ['--target-version=1', '--no-fail', '--', 'touch', 'ran']],
  ])('must be asked for in words that can be read: %s', patient, async (_what, words) => {
    const place = aPlace();
    const ran = await start(place, words, '').ended;
    expect(ran.exit).toBe(2);
    expect(existsSync(join(place.folder, 'ran'))).toBe(false);
  });
});

describe('--strict', () => {
  test('runs it once the plan is on the log', patient, async () => {
    const place = aPlace();
    expect((await run(place, 'exit 0', ['--strict'])).exit).toBe(0);
    expect(await attempts(place)).toEqual(['succeeded']);
  });

  test('does not run it where the plan is not taken', patient, async () => {
    const place = aPlace();
    await plimsoll(place.folder, ['keys', 'new', '--principal=ci', '--out=ci.json'], place.env);
    const away = {
      ...place,
      env: { ...place.env, PLIMSOLL_URL: 'http://127.0.0.1:1', PLIMSOLL_KEY: 'ci.json' },
    };
    const ran = await run(away, 'touch ran', ['--strict']);
    expect(ran.exit).toBe(6);
    expect(existsSync(join(place.folder, 'ran'))).toBe(false);
  });
});
