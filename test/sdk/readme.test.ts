import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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

describe('an example of the package', () => {
  test.each([
    ['A release script', /^stored /],
    ['A start-up marker, in the program itself', /^stored\n$/],
    ['A consumer of decisions', /^(roll-back checkout to 1\.9\.4|not obeyed: \S+)\n$/],
  ])('compiles and runs: %s', async (title, says) => {
    const example = examples.find((one) => one.title === title);
    if (example === undefined) throw new Error(`the README has no example ${title}`);
    const name = title.replaceAll(/\W+/g, '-').toLowerCase();
    writeFileSync(join(installed.folder, `${name}.mts`), example.code);
    expect(await tsc(`${name}.mts`)).toMatchObject({ out: '', failed: false });
    const ran = await started(`${name}.mjs`, [], { ONCE: '1', FROM: String(decisionAt) });
    expect(ran).toMatchObject({ failed: false, err: '' });
    expect(ran.out).toMatch(says);
  });

  test('is each in the list above', () => {
    expect(examples).toHaveLength(3);
  });
});
