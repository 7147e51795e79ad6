import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  deployScript,
  gateScript,
  installScript,
} from '../../../services/cli/init/deploy-script.ts';
import type { RecipeName } from '../../../services/cli/init/recipes.ts';
import { recipe, recipeNames } from '../../../services/cli/init/recipes.ts';
import { parseArguments } from '../../../services/cli/terminal/parse-arguments.ts';
import { bareEnv } from '../../support/bare-env.ts';
import { eventually } from '../../support/eventually.ts';
import { plimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const digest = `sha256:${'3f'.repeat(32)}`;

type Bench = {
  readonly folder: string;
  readonly env: { readonly [name: string]: string | undefined };
  /** Calls of a program so far, words joined by `|`. */
  readonly calls: (program: string) => readonly string[];
};

/** A folder with the scripts, and programs of those names that write down what they are asked. */
const bench = (programs: { readonly [name: string]: string }): Bench => {
  const folder = join(scratch, randomUUID());
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const { path, text } of [
    installScript,
    deployScript({ component: 'checkout', environments: [] }),
    gateScript({ component: 'checkout', environments: [] }),
    ...recipeNames.map(recipe),
  ]) {
    mkdirSync(join(folder, '.plimsoll'), { recursive: true });
    writeFileSync(join(folder, path), text);
    chmodSync(join(folder, path), 0o755);
  }
  for (const [name, body] of Object.entries({ plimsoll: '', ...programs })) {
    const called = `(IFS='|'; printf '%s\\n' "$*" >>"${join(folder, `${name}.calls`)}")`;
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${called}\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return {
    folder,
    env: { ...bareEnv(), PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    calls: (program) => {
      const file = join(folder, `${program}.calls`);
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    },
  };
};

const runScript = (
  { folder, env }: Bench,
  script: string,
  args: readonly string[],
  more: { readonly [name: string]: string } = {},
): ReturnType<typeof spawnSync> =>
  spawnSync(join(folder, '.plimsoll', `${script}.sh`), [...args], {
    cwd: folder,
    env: { ...env, ...more },
    encoding: 'utf8',
  });

const useRealPlimsoll = ({ folder }: Bench): void => {
  const script = resolve(import.meta.dirname, '../../../services/cli/plimsoll.mjs');
  writeFileSync(
    join(folder, 'bin/plimsoll'),
    `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`,
  );
};

/** What plimsoll was told, without the parts that are the same always. */
const told = (at: Bench): readonly string[] =>
  at.calls('plimsoll').map((call) => call.replace(/^release\|/, '').replace('|--no-fail', ''));

const platforms: { readonly [Name in RecipeName]: { readonly [program: string]: string } } = {
  kubernetes: {
    kubectl:
      'case "$*" in "config current-context") echo eu-1 ;; *"rollout status"*) exit "${ROLLOUT_EXIT:-0}" ;; esac',
  },
  ecs: {
    aws: `case "$*" in
      *describe-task-definition*) echo "registry/checkout@${digest}" ;;
      *describe-services*) echo "arn:aws:ecs:eu-1:1:task-definition/\${RUNS:-checkout:12}" ;;
    esac`,
  },
  lambda: {
    aws: 'case "$*" in *publish-version*) echo 8 ;; *get-alias*) echo 7 ;; *update-alias*) exit "${ALIAS_EXIT:-0}" ;; esac',
  },
  heroku: { heroku: 'exit "${HEROKU_EXIT:-0}"' },
};

describe('each recipe says how its rollout went:', () => {
  const stories: readonly (readonly [
    what: string,
    name: RecipeName,
    args: readonly string[],
    env: { readonly [name: string]: string },
    exit: number,
    plan: string,
    end: string | undefined,
  ])[] = [
    [
      'Kubernetes, done',
      'kubernetes',
      ['production', 'web', `registry:5000/shop/checkout:2.0.0@${digest}`],
      {},
      0,
      `--target-version=2.0.0|--strategy=rolling|--resource=namespace=default|--digest=${digest}|--cluster=eu-1`,
      '--status=SUCCESS',
    ],
    [
      'Kubernetes, not ready in time',
      'kubernetes',
      ['production', 'web', `registry:5000/shop/checkout@${digest}`],
      { ROLLOUT_EXIT: '1' },
      1,
      `--target-version=${digest}|`,
      '--status=FAILED|--failure-reason=exit code 1',
    ],
    [
      'ECS, done',
      'ecs',
      ['production', 'main', 'checkout', 'checkout:12'],
      {},
      0,
      `--target-version=checkout:12|--strategy=rolling|--cluster=main|--digest=${digest}`,
      '--status=SUCCESS',
    ],
    [
      'ECS, rolled back by its circuit breaker',
      'ecs',
      ['production', 'main', 'checkout', 'checkout:12'],
      { RUNS: 'checkout:11' },
      1,
      '--target-version=checkout:12',
      '--status=FAILED|--failure-reason=exit code 1',
    ],
    [
      'Lambda, all at once',
      'lambda',
      ['production', 'checkout', 'live', 'build.zip'],
      {},
      0,
      '--target-version=8|--function-version=8|--function-alias=live',
      '--status=SUCCESS',
    ],
    [
      'Lambda, a canary that stays',
      'lambda',
      ['production', 'checkout', 'live', 'build.zip'],
      { CANARY_SHARE: '0.1' },
      0,
      '--target-version=8|--strategy=canary|--canary-share=0.1|--function-version=8',
      undefined,
    ],
    [
      'Lambda, a canary whose alias cannot be moved',
      'lambda',
      ['production', 'checkout', 'live', 'build.zip'],
      { CANARY_SHARE: '0.1', ALIAS_EXIT: '254' },
      254,
      '--canary-share=0.1',
      '--status=FAILED|--failure-reason=exit code 254',
    ],
    [
      'Heroku, done',
      'heroku',
      ['production', 'shop-eu', '2.0.0'],
      {},
      0,
      '--target-version=2.0.0|--strategy=all-at-once|--link=app=https://dashboard.heroku.com/apps/shop-eu',
      '--status=SUCCESS',
    ],
    [
      'Heroku, refused',
      'heroku',
      ['production', 'shop-eu', '2.0.0', 'web', 'worker'],
      { HEROKU_EXIT: '3' },
      3,
      '--target-version=2.0.0',
      '--status=FAILED|--failure-reason=exit code 3',
    ],
  ];

  test.each(stories)('%s', (_what, name, args, env, exit, plan, end) => {
    const at = bench(platforms[name]);
    const ran = runScript(at, name, args, env);
    expect([ran.status, ran.stderr]).toEqual([exit, expect.any(String)]);
    const [planned = '', running, ended] = told(at);
    expect(planned).toContain(
      'plan|production|--environment-name=production|--component-name=checkout|',
    );
    expect(planned).toContain(plan);
    expect(running).toBe('update|production|--status=RUNNING');
    expect(ended).toBe(end === undefined ? undefined : `update|production|${end}`);
    for (const call of at.calls('plimsoll'))
      expect([call, parseArguments(call.split('|'))]).toMatchObject([call, { ok: true }]);
  });

  test('a Kubernetes rollout that failed is undone', () => {
    const at = bench(platforms.kubernetes);
    runScript(at, 'kubernetes', ['production', 'web', 'shop/web:2'], { ROLLOUT_EXIT: '1' });
    expect(at.calls('kubectl').at(-1)).toBe('--namespace|default|rollout|undo|deployment/web');
  });

  test.each(recipeNames)('%s without words says how it is called', (name) => {
    const ran = runScript(bench(platforms[name]), name, []);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('usage:');
  });
});

describe('the deploy script', () => {
  const deploy = ['production', '2.0.0', '--ticket=CHG-7', '--'];

  test('leaves output, input and exit code to the command, even where plimsoll is not there', () => {
    const at = bench({});
    const ran = spawnSync(
      join(at.folder, '.plimsoll/deploy.sh'),
      [...deploy, 'sh', '-c', 'cat; echo no >&2; exit 7'],
      {
        env: { ...at.env, PATH: '/usr/bin:/bin' },
        input: 'read',
        encoding: 'utf8',
      },
    );
    expect([ran.status, ran.stdout]).toEqual([7, 'read']);
    expect(ran.stderr).toContain('no');
  });

  test('hands the key over in a file that is gone afterwards, and not to the command', () => {
    const at = bench({
      plimsoll:
        'stat -c %a "$PLIMSOLL_KEY" >>modes; cat "$PLIMSOLL_KEY" >key; echo "$PLIMSOLL_KEY" >path',
    });
    const ran = runScript(at, 'deploy', [...deploy, 'sh', '-c', 'echo "${MARKER_KEY:-none}"'], {
      MARKER_KEY: '{"key":1}',
    });
    expect(ran.stdout).toBe('none\n');
    const read = (file: string): string => readFileSync(join(at.folder, file), 'utf8').trim();
    expect(read('key')).toBe('{"key":1}');
    expect(new Set(read('modes').split('\n'))).toEqual(new Set(['600']));
    expect(existsSync(read('path'))).toBe(false);
  });

  test('that is asked to end asks the command, and says canceled', async () => {
    const at = bench({});
    const child = spawn(
      join(at.folder, '.plimsoll/deploy.sh'),
      [
        ...deploy,
        'sh',
        '-c',
        'trap "echo bye >bye; exit 143" TERM; touch runs; while :; do sleep 0.05; done',
      ],
      {
        cwd: at.folder,
        env: at.env,
        stdio: 'ignore',
      },
    );
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    await eventually('the command runs', () => existsSync(join(at.folder, 'runs')));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(existsSync(join(at.folder, 'bye'))).toBe(true);
    expect(told(at).at(-1)).toBe('update|production|--status=CANCELED');
  });

  test('with the real plimsoll: what it says is what the log tells', async () => {
    const at = bench({});
    useRealPlimsoll(at);
    expect(runScript(at, 'deploy', [...deploy, 'true']).status).toBe(0);
    expect(runScript(at, 'deploy', ['production', '2.0.1', '--', 'false']).status).toBe(1);
    const { out } = await plimsoll(at.folder, ['timeline', '--json']);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly [field: string]: unknown });
    expect(lines).toMatchObject([
      { component: 'checkout', version: '2.0.0', status: 'succeeded' },
      { component: 'checkout', version: '2.0.1', status: 'failed', failureReason: 'exit code 1' },
    ]);
  });
});

describe('the gate script', () => {
  const lines = { PROMOTE: 'echo promoted "$0"', ROLL_BACK: 'echo "rolled back"' };
  const answering = (exit: number): Bench =>
    bench({ plimsoll: `case "$1" in gate) exit ${exit} ;; esac` });
  const asked = 'gate|production|--environment-name=production|--component-name=checkout|--wait=5m';

  const stories: readonly (readonly [
    what: string,
    verdict: number,
    env: { readonly [name: string]: string },
    exit: number,
    out: string,
    end: readonly string[],
  ])[] = [
    ['promotes', 0, {}, 0, 'promoted bash\n', ['update|production|--status=SUCCESS']],
    [
      'rolls back, and turns the pipeline red',
      10,
      {},
      10,
      'rolled back\n',
      ['update|production|--status=FAILED|--failure-reason=rolled back'],
    ],
    ['says nothing of an end where PROMOTE fails', 0, { PROMOTE: 'exit 7' }, 7, '', []],
    ['says nothing of an end where ROLL_BACK fails', 10, { ROLL_BACK: 'exit 9' }, 9, '', []],
    ...[2, 3, 4, 6, 11, 12, 13].map(
      (verdict) =>
        [`runs nothing at a gate that says ${verdict}`, verdict, {}, verdict, '', []] as const,
    ),
  ];

  test.each(stories)('%s', (_what, verdict, env, exit, out, end) => {
    const at = answering(verdict);
    const ran = runScript(at, 'gate', ['production', '--wait=5m'], { ...lines, ...env });
    expect([ran.status, ran.stdout]).toEqual([exit, out]);
    expect(told(at)).toEqual([asked, ...end]);
    expect(String(ran.stderr).includes('a person decides')).toBe(end.length === 0);
    for (const call of at.calls('plimsoll'))
      expect([call, parseArguments(call.split('|'))]).toMatchObject([call, { ok: true }]);
  });

  test.each([
    ['a job of set -e', ['-ec', '.plimsoll/gate.sh production; echo after']],
    ['bash -e, which runs the script itself', ['-e', '.plimsoll/gate.sh', 'production']],
    ['a job that hands set -e on', ['-ec', 'export SHELLOPTS; .plimsoll/gate.sh production']],
  ])('rolls back in %s', (_what, words) => {
    const at = answering(10);
    const ran = spawnSync('bash', words, {
      cwd: at.folder,
      env: { ...at.env, ...lines },
      encoding: 'utf8',
    });
    expect([ran.status, ran.stdout]).toEqual([10, 'rolled back\n']);
    expect(told(at).at(-1)).toContain('--status=FAILED');
  });

  test('says where plimsoll is not installed, with a code of its own', () => {
    const at = bench({});
    const env = { ...lines, PATH: '/usr/bin:/bin', HOME: at.folder };
    const ran = runScript(at, 'gate', ['production'], env);
    expect([ran.status, ran.stdout]).toEqual([69, '']);
    expect(ran.stderr).toContain('plimsoll is not installed');
    // Where install.sh put it, it is found.
    mkdirSync(join(at.folder, '.plimsoll/bin'));
    writeFileSync(join(at.folder, '.plimsoll/bin/plimsoll'), '#!/bin/sh\nexit 12\n');
    chmodSync(join(at.folder, '.plimsoll/bin/plimsoll'), 0o755);
    expect(runScript(at, 'gate', ['production'], env).status).toBe(12);
  });

  test('hands the key over in a file that is gone afterwards, and not to what it runs', () => {
    const at = bench({ plimsoll: 'cat "$PLIMSOLL_KEY" >key; echo "$PLIMSOLL_KEY" >path' });
    const ran = runScript(at, 'gate', ['production'], {
      ...lines,
      PROMOTE: 'echo "${MARKER_KEY:-none}"',
      MARKER_KEY: '{"key":1}',
    });
    expect(ran.stdout).toBe('none\n');
    expect(readFileSync(join(at.folder, 'key'), 'utf8')).toBe('{"key":1}');
    expect(existsSync(readFileSync(join(at.folder, 'path'), 'utf8').trim())).toBe(false);
  });

  test('that is asked to end while it waits promotes nothing, whatever the gate says then', async () => {
    const at = bench({
      plimsoll: 'trap "exit 0" TERM; touch waits; while :; do sleep 0.05; done',
    });
    const child = spawn(join(at.folder, '.plimsoll/gate.sh'), ['production'], {
      cwd: at.folder,
      env: { ...at.env, PROMOTE: 'touch promoted', ROLL_BACK: 'touch rolled-back' },
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    await eventually('the gate waits', () => existsSync(join(at.folder, 'waits')));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(existsSync(join(at.folder, 'promoted'))).toBe(false);
  });

  test.each([
    ['without words', [], lines],
    ['without PROMOTE', ['production'], { ROLL_BACK: 'true' }],
    ['without ROLL_BACK', ['production'], { PROMOTE: 'true' }],
  ])('%s says how it is called', (_what, args, env) => {
    const at = answering(0);
    const ran = runScript(at, 'gate', args, env);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('usage:');
    expect(at.calls('plimsoll')).toEqual([]);
  });

  test('with the real plimsoll: it finds the deployment that the deploy script left running', () => {
    const at = bench({});
    useRealPlimsoll(at);
    const env = { ...lines, LEAVE_RUNNING: '1' };
    expect(runScript(at, 'deploy', ['production', '2.0.0', '--', 'true'], env).status).toBe(0);
    const ran = runScript(at, 'gate', ['production', '--wait=1s'], env);
    expect([ran.status, ran.stdout]).toEqual([13, 'waiting  checkout 2.0.0 in production\n']);
  });
});

describe('the install script never stands in the way', () => {
  const withoutPlimsoll = (npm: string): Bench => {
    const at = bench({ npm, env: 'exec /usr/bin/env "$@"' });
    rmSync(join(at.folder, 'bin/plimsoll'));
    return { ...at, env: { ...at.env, PATH: `${join(at.folder, 'bin')}:/usr/bin:/bin` } };
  };

  test('where no package is named', () => {
    const at = withoutPlimsoll('exit 1');
    const ran = runScript(at, 'install', []);
    expect([ran.status, at.calls('npm')]).toEqual([0, []]);
    expect(ran.stderr).toContain('MARKER_PACKAGE');
  });

  test('where npm fails; and npm sees no key', () => {
    const at = withoutPlimsoll('echo "key: ${MARKER_KEY:-none}" >&2; exit 1');
    const ran = runScript(at, 'install', [], {
      MARKER_PACKAGE: './plimsoll-0.1.0.tgz',
      MARKER_KEY: 'k',
      HOME: at.folder,
    });
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain('key: none');
    expect(ran.stderr).toContain('the deployment goes on without markers');
    expect(at.calls('npm')).toEqual([
      `install|--global|--prefix|${join(at.folder, '.plimsoll')}|--ignore-scripts|--no-audit|--no-fund|./plimsoll-0.1.0.tgz`,
    ]);
  });

  test('where the job is not root: it goes into a folder of its own, and the deploy script finds it there', () => {
    const at = withoutPlimsoll(
      'mkdir -p "$HOME/.plimsoll/bin" && printf \'#!/bin/sh\\necho "$1" >>told\\n\' >"$HOME/.plimsoll/bin/plimsoll" && chmod +x "$HOME/.plimsoll/bin/plimsoll"',
    );
    const env = { HOME: at.folder, MARKER_PACKAGE: './plimsoll-0.1.0.tgz' };
    expect(runScript(at, 'install', [], env).status).toBe(0);
    expect(runScript(at, 'deploy', ['production', '2.0.0', '--', 'true'], env).status).toBe(0);
    expect(readFileSync(join(at.folder, 'told'), 'utf8')).toBe('release\nrelease\nrelease\n');
    // A second job finds it, and installs nothing.
    expect(runScript(at, 'install', [], env).status).toBe(0);
    expect(at.calls('npm')).toHaveLength(1);
  });

  test('where it is there already', () => {
    const at = bench({ npm: 'exit 1' });
    expect(runScript(at, 'install', [], { MARKER_PACKAGE: 'x' }).status).toBe(0);
    expect(at.calls('npm')).toEqual([]);
  });
});
