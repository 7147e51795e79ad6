import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFaults } from '../../../services/dev/build/check-package.ts';
import type { Edition } from '../../../services/dev/build/editions.ts';
import { editions } from '../../../services/dev/build/editions.ts';
import type { Installed } from '../../support/packages.ts';
import { installPackage } from '../../support/packages.ts';

const editionOf = (name: Edition['name']): Edition => {
  const found = editions.find((edition) => edition.name === name);
  if (found === undefined) throw new Error(`no edition ${name}`);
  return found;
};

const installedPackages = (folder: string): readonly string[] => {
  const lock = JSON.parse(
    readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'),
  ) as { readonly packages: { readonly [path: string]: unknown } };
  return Object.keys(lock.packages)
    .map((path) => path.replace('node_modules/', ''))
    .toSorted();
};

const repository = join(import.meta.dirname, '../../..');

const houseVersion = (
  JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    readonly version: string;
  }
).version;

const ciJob = {
  CIRCLECI: 'true',
  CIRCLE_WORKFLOW_ID: '0b5e2f0f-4c5a-4a55-9f0c-0d3c1a2b3c4d',
  CIRCLE_SHA1: '5c3d1b7e9a0f4c2d8e6b1a3f5d7c9e0b2a4f6d81',
  CIRCLE_BRANCH: 'main',
  CIRCLE_REPOSITORY_URL: 'https://github.com/example/checkout',
};

describe('the package for pipelines, installed into an empty folder', () => {
  let installed: Installed;
  beforeAll(async () => {
    installed = await installPackage(editionOf('plimsoll'));
  });
  afterAll(() => installed.remove());

  test('brings nothing along', () => {
    expect(installedPackages(installed.folder)).toEqual(['plimsoll']);
  });

  test('has no fault that publint or attw know', async () => {
    expect(await packageFaults(installed.built)).toEqual([]);
  });

  test('says its version and its help', async () => {
    expect(await installed.run(['--version'])).toMatchObject({ exit: 0, out: `${houseVersion}\n` });
    const help = await installed.run(['help']);
    expect(help).toMatchObject({ exit: 0, err: '' });
    expect(help.out).toContain('release log');
  });

  test('stores a marker on an embedded log and reads it back', async () => {
    const logged = await installed.run([
      ...['release', 'log', '--component-name=checkout', '--target-version=2.0.0', '--json'],
    ]);
    expect(logged.exit).toBe(0);
    expect(JSON.parse(logged.out)).toMatchObject({ delivery: 'stored', kind: 'logged' });
    const current = await installed.run(['current', '--json']);
    expect(JSON.parse(current.out)).toMatchObject({ component: 'checkout', version: '2.0.0' });
  });

  test('says what to install for what is not in it', async () => {
    expect(await installed.run(['up', '--json'])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('npm install plimsoll-server'),
    });
    const onKafka = { PLIMSOLL_LOG: 'kafka://127.0.0.1:1', PLIMSOLL_STORE: 'memory:' };
    expect(await installed.run(['current', '--json'], onKafka)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('npm install kafkajs'),
    });
    const onRedis = { PLIMSOLL_STORE: 'redis://127.0.0.1:1' };
    expect(await installed.run(['current', '--json'], onRedis)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('npm install ioredis'),
    });
  });

  test('signs and sends a marker through a gateway', async () => {
    const asked: string[] = [];
    const gateway = createServer((request, response) => {
      asked.push([request.method, request.url, request.headers['ce-type']].join(' '));
      request.resume().on('end', () => {
        const receipt = { deployment: null, attempt: 1, delivery: 'stored', code: null };
        const marker = request.headers['ce-id'];
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({ ...receipt, marker, kind: 'logged', position: 7, warning: null }),
        );
      });
    });
    await new Promise<void>((up) => gateway.listen(0, '127.0.0.1', up));
    try {
      await installed.run(['keys', 'new', '--principal=ci', '--out=ci.json']);
      const { port } = gateway.address() as AddressInfo;
      const through = { PLIMSOLL_URL: `http://127.0.0.1:${port}`, PLIMSOLL_KEY: 'ci.json' };
      const args = ['release', 'log', '--component-name=checkout', '--target-version=2.0.0'];
      const logged = await installed.run(args, {
        ...through,
        // As in a job: there nobody has to ask git.
        ...ciJob,
      });
      expect(logged).toMatchObject({ exit: 0, out: expect.stringContaining('position 7') });
      expect(asked).toEqual([expect.stringMatching(/^POST \/v1\/markers plimsoll\.logged\.v\d$/)]);
    } finally {
      gateway.close();
    }
  });

  test('is imported by programs of both kinds of modules, and runs nothing by that', () => {
    const names =
      'typeof sdk.followMarkers, typeof sdk.followDecisions, typeof sdk.verifyAndDecode';
    const run = (file: string, text: string): string => {
      writeFileSync(join(installed.folder, file), text);
      return execFileSync(process.execPath, [file, 'release', 'log'], {
        cwd: installed.folder,
        encoding: 'utf8',
      });
    };
    const functions = 'function function function\n';
    expect(run('a.cjs', `const sdk = require('plimsoll'); console.log(${names})`)).toBe(functions);
    expect(run('a.mjs', `import * as sdk from 'plimsoll'; console.log(${names})`)).toBe(functions);
    expect(
      run('b.mjs', `import { fromKafka } from 'plimsoll'; console.log(typeof fromKafka)`),
    ).toBe('function\n');
  });

  test('says what to install where the log is to be read from Kafka', () => {
    const program = `
import { followMarkers, fromKafka } from 'plimsoll';
const source = fromKafka({ brokers: ['127.0.0.1:1'] });
await followMarkers({ source, logId: null }).next().catch(({ code, hint }) => console.log(code, hint));
`;
    writeFileSync(join(installed.folder, 'kafka.mjs'), program);
    const said = execFileSync(process.execPath, ['kafka.mjs'], {
      cwd: installed.folder,
      encoding: 'utf8',
    });
    expect(said).toBe('package-missing npm install kafkajs@2.2.4, beside plimsoll\n');
  });

  const languageAlone = ['--lib', 'es2024', '--types', ''];
  const withNode = [
    ...['--lib', 'es2024', '--types', 'node'],
    ...['--typeRoots', join(repository, 'node_modules', '@types')],
  ];
  const withDom = ['--lib', 'es2024,dom', '--types', ''];
  /** As a consumer has it who stops by the signal of its own world. */
  const stopsBySignal = `
const stop = new AbortController();
followMarkers({ source: fromGateway(''), logId: null, signal: stop.signal });
`;

  test.each([
    ['node16', 'node16', 'neither', languageAlone, ''],
    ['nodenext', 'nodenext', 'neither', languageAlone, ''],
    ['esnext', 'bundler', 'neither', languageAlone, ''],
    ['nodenext', 'nodenext', '@types/node', withNode, stopsBySignal],
    ['esnext', 'bundler', 'dom', withDom, stopsBySignal],
  ])(
    'has types for consumers that compile with module %s and resolution %s; of @types/node and dom with %s',
    (module, resolution, _world, world, more) => {
      const consumer = `
import type { Fact, Marker } from 'plimsoll';
import { followMarkers, fromGateway } from 'plimsoll';
const told = (marker: Marker): string =>
  marker.kind === 'planned' ? marker.version : marker.kind;
export const tell = async (url: string): Promise<void> => {
  for await (const fact of followMarkers({ source: fromGateway(url), logId: null })) {
    const known: Fact = fact;
    told(known.marker);
  }
};
// @ts-expect-error a slip in an option is seen
followMarkers({ source: fromGateway(''), logId: null, kind: [] });
${more}`;
      writeFileSync(join(installed.folder, 'consumer.mts'), consumer);
      const options = [
        '--noEmit',
        '--strict',
        '--exactOptionalPropertyTypes',
        '--target',
        'es2024',
      ];
      const compiled = spawnSync(
        process.execPath,
        [
          join(repository, 'node_modules/typescript/bin/tsc'),
          ...options,
          ...['--module', module, '--moduleResolution', resolution],
          ...[...world, '--ignoreConfig', 'consumer.mts'],
        ],
        { cwd: installed.folder, encoding: 'utf8' },
      );
      expect(compiled.stdout).toBe('');
      expect(compiled.status).toBe(0);
    },
  );

  test('says nothing of timers in the past, which Kafka clients set, and passes other warnings on', async () => {
    writeFileSync(
      join(installed.folder, 'warns.cjs'),
      "setTimeout(() => undefined, -5); setTimeout(() => process.emitWarning('told'), 1);",
    );
    const said = await installed.run(['--version'], { NODE_OPTIONS: '--require=./warns.cjs' });
    expect(said.err).toContain('Warning: told');
    expect(said.err).not.toContain('Negative');
  });

  test('tells an old Node what is wanted instead of failing in the middle', () => {
    const launcher = join(installed.built, 'bin', 'plimsoll.js');
    const old = "Object.defineProperty(process.versions,'node',{value:'18.20.0'});";
    const script = `${old}process.argv=[process.argv[0],'x'];require(${JSON.stringify(launcher)})`;
    expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'pipe' })).toThrow(
      /Plimsoll needs 22\.18 or newer/,
    );
  });
});

describe('the package for servers, installed into an empty folder', () => {
  let installed: Installed;
  beforeAll(async () => {
    installed = await installPackage(editionOf('plimsoll-server'));
  });
  afterAll(() => installed.remove());

  test('brings its few dependencies along', () => {
    const direct = editionOf('plimsoll-server').dependencies;
    expect(installedPackages(installed.folder)).toEqual(
      expect.arrayContaining(['plimsoll-server', ...direct]),
    );
    expect(installedPackages(installed.folder).length).toBeLessThanOrEqual(14);
  });

  test('has no fault that publint or attw know', async () => {
    expect(await packageFaults(installed.built)).toEqual([]);
  });

  test('has every command: a policy is checked, a log verified', async () => {
    const example = join(
      installed.folder,
      'node_modules/plimsoll-server/schemas/policy.example.yaml',
    );
    expect(await installed.run(['policy', 'check', example])).toMatchObject({ exit: 0 });
    await installed.run(['release', 'log', '--component-name=a', '--target-version=1']);
    expect(await installed.run(['verify-models'])).toMatchObject({ exit: 0 });
  });
});

describe('both packages, installed into one folder', () => {
  let installed: Installed;
  let server: Installed;
  beforeAll(async () => {
    server = await installPackage(editionOf('plimsoll-server'));
    installed = await installPackage(editionOf('plimsoll'), [server.tarball]);
  });
  afterAll(() => {
    installed.remove();
    server.remove();
  });

  test('have a command each, and neither is in the way of the other', () => {
    const of = (command: string, ...args: readonly string[]): string => {
      const path = join(installed.folder, 'node_modules', '.bin', command);
      const ran = spawnSync(process.execPath, [path, ...args], {
        cwd: installed.folder,
        encoding: 'utf8',
      });
      return `${ran.status} ${ran.stdout}${ran.stderr}`;
    };
    const policy = join(
      installed.folder,
      'node_modules/plimsoll-server/schemas/policy.example.yaml',
    );
    expect(of('plimsoll-server', 'policy', 'check', policy)).toMatch(/^0 /);
    expect(of('plimsoll', 'policy', 'check', policy)).toMatch(
      /^2 [\s\S]*npm install plimsoll-server; plimsoll-server policy check/,
    );
    // One log for both: what the one stores the other reads.
    expect(of('plimsoll', 'release', 'log', '--component-name=a', '--target-version=1')).toMatch(
      /^0 /,
    );
    expect(of('plimsoll-server', 'current', '--json')).toContain('"version":"1"');
  });
});
