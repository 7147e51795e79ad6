import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { editions } from '../../services/dev/build/editions.ts';
import { canary, decides, decision } from '../support/decisions.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import { by } from '../support/given.ts';
import { added } from '../support/markers.ts';
import type { Installed } from '../support/packages.ts';
import { installPackage } from '../support/packages.ts';
import { value } from '../support/records.ts';
import type { ServedGateway } from '../support/served-gateway.ts';
import { serveGateway } from '../support/served-gateway.ts';

// The examples of the package's README, as somebody copies them: compiled against the package, and run.

const repository = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(repository, 'services/sdk/README.md'), 'utf8');
const examples = [...readme.matchAll(/^## (.*)\n\n```ts\n([\s\S]*?)^```$/gm)].map(
  ([, title = '', code = '']) => ({ title, code }),
);

let installed: Installed;
let gateway: ServedGateway;
let env: { [name: string]: string };
let decisionAt: number;
let isOver = false;
let projecting: Promise<void>;
beforeAll(async () => {
  const edition = editions.find(({ name }) => name === 'plimsoll');
  if (edition === undefined) throw new Error('no package for pipelines');
  installed = await installPackage(edition);
  // OpenTelemetry is its users' own.
  symlinkSync(
    join(repository, 'node_modules/@opentelemetry'),
    join(installed.folder, 'node_modules/@opentelemetry'),
  );
  const key = join(installed.folder, 'ci.json');
  const { signer } = value(await newKeyFile({ principal: 'ci@checkout', path: key }));
  const house = await openGatewayHouse(
    [...canary, await decides(decision('roll-back')), by('admin', added(signer))],
    () => ({ clock: createSystemClock() }),
  );
  decisionAt = 7;
  const project = async (): Promise<void> => {
    while (!isOver) {
      await house.project();
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  projecting = project();
  gateway = await serveGateway(house);
  env = { PLIMSOLL_URL: gateway.url, PLIMSOLL_KEY: key };
});
afterAll(async () => {
  isOver = true;
  await projecting;
  await gateway.close();
  installed.remove();
});

const started = (
  program: string,
  args: readonly string[],
  more: { readonly [name: string]: string } = {},
): Promise<{ readonly out: string; readonly err: string; readonly failed: boolean }> =>
  new Promise((done) => {
    const options = { cwd: installed.folder, env: { ...process.env, ...env, ...more } };
    execFile(process.execPath, [program, ...args], options, (error, out, err) =>
      done({ out, err, failed: error !== null }),
    );
  });

const tsc = (file: string): ReturnType<typeof started> =>
  started(join(repository, 'node_modules/typescript/bin/tsc'), [
    ...['--strict', '--target', 'es2024', '--module', 'nodenext', '--ignoreConfig'],
    ...['--typeRoots', join(repository, 'node_modules/@types'), '--types', 'node', file],
  ]);

const deployment = '0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d';
/** Asks the server of the example once, and ends it. */
const asksOnce = `
server.once('listening', async () => {
  const { port } = server.address();
  const answer = await fetch('http://127.0.0.1:' + port + '/pay');
  console.log(answer.headers.get('plimsoll-deployment'), await answer.text());
  server.close();
});
`;

describe('an example of the package', () => {
  test.each([
    ['A release script', /^stored /],
    ['A start-up marker, in the program itself', /^stored\n$/],
    ['A consumer of decisions', /^(roll-back checkout to 1\.9\.4|not obeyed: \S+)\n$/],
    [
      'Telemetry that names its deployment',
      /^\{"deployment\.id":"0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d","service\.version":"2\.0\.0","caller":null,"path":"\/pay"\}\n0197a2e0-5d1c-7c3e-9d30-3f0c1a2b4c5d ok\n\n$/,
      asksOnce,
    ],
  ])('compiles and runs: %s', async (title, says, driver = '') => {
    const example = examples.find((one) => one.title === title);
    if (example === undefined) throw new Error(`the README has no example ${title}`);
    const name = title.replaceAll(/\W+/g, '-').toLowerCase();
    writeFileSync(join(installed.folder, `${name}.mts`), example.code);
    expect(await tsc(`${name}.mts`)).toMatchObject({ out: '', failed: false });
    appendFileSync(join(installed.folder, `${name}.mjs`), driver);
    const ran = await started(`${name}.mjs`, [], {
      ...{ ONCE: '1', FROM: String(decisionAt), PORT: '0' },
      OTEL_RESOURCE_ATTRIBUTES: `deployment.id=${deployment},service.version=2.0.0`,
    });
    expect(ran).toMatchObject({ failed: false, err: '' });
    expect(ran.out).toMatch(says);
  });

  test('is each in the list above', () => {
    expect(examples).toHaveLength(4);
  });
});
