import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newKeyFile } from '../../adapters/ed25519/key-file.ts';
import { buildPackage } from '../build/build.ts';
import { editions } from '../build/editions.ts';
import type { Bench, Measured } from './bench.ts';
import { childrenCpuMicros } from './process-usage.ts';

// What a step of a pipeline costs: whole processes, of the package as it is published, in a job of a CI.

const STARTS_PER_RUN = 5;

/** What a CI says, as far as the command looks at it. */
const job = {
  CIRCLECI: 'true',
  CIRCLE_WORKFLOW_ID: '0b5e2f0f-4c5a-4a55-9f0c-0d3c1a2b3c4d',
  CIRCLE_SHA1: '5c3d1b7e9a0f4c2d8e6b1a3f5d7c9e0b2a4f6d81',
  CIRCLE_BRANCH: 'main',
  CIRCLE_REPOSITORY_URL: 'https://github.com/example/checkout',
};

const bare = 'node -e 0';
const oneRequest = 'one HTTP request';

const component = '--component-name=checkout';
const version = '--target-version=2.0.0';
const deployment = '--deployment=0192f3a4-5b6c-7d8e-9f01-23456789abcd';

/** What pipelines say most, and one of each way to say it. */
const commands: readonly { readonly name: string; readonly words: readonly string[] }[] = [
  { name: 'release log', words: [component, version] },
  { name: 'release plan', words: [component, version] },
  { name: 'release update', words: [deployment, '--status=SUCCESS'] },
  { name: 'record-deployment', words: [component, version, '--environment=production'] },
  { name: 'traffic', words: ['default', '--canary-share=0.25'] },
  { name: 'incident open', words: ['INC-1', component] },
];

const request = (url: string): string => `
const { request } = require('node:http');
const asking = request('${url}', { method: 'POST', agent: false }, (answer) => answer.resume());
asking.end('{}');
`;

/** Commands of pipelines through a gateway that answers at once, beside a bare Node and a script that asks once. */
export const cliStart = (): Bench => {
  let folder = '';
  let script = '';
  let key = '';
  let url = '';
  let command = '';
  const gateway = createServer((asked, answer) => {
    asked.resume().on('end', () => {
      const marker = asked.headers['ce-id'];
      const kind = String(asked.headers['ce-type']).split('.')[1];
      const receipt = { deployment: marker, attempt: 1, marker, kind, warning: null };
      answer.writeHead(201, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ ...receipt, delivery: 'stored', code: null, position: 7 }));
    });
  });

  const start = async (args: readonly string[]): Promise<Measured> => {
    const own = process.cpuUsage();
    const childrenMicros = childrenCpuMicros();
    const startedMs = performance.now();
    for (let started = 0; started < STARTS_PER_RUN; started++) {
      const child = spawn(process.execPath, args, {
        cwd: folder,
        env: { ...job, PLIMSOLL_URL: url, PLIMSOLL_KEY: key, PATH: process.env['PATH'] },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [exit] = (await once(child, 'exit')) as [number | null];
      if (exit !== 0) throw new Error(`node ${args.join(' ')} ended with ${exit}`);
    }
    const wallMicros = (performance.now() - startedMs) * 1000;
    const { user, system } = process.cpuUsage(own);
    // Starting them, and answering, is this process's work and not theirs.
    const cpuMicros = childrenCpuMicros() - childrenMicros - user - system;
    return { operations: STARTS_PER_RUN, wallMicros, cpuMicros };
  };

  return {
    name: 'cli-start',
    unit: 'process',
    open: async () => {
      const edition = editions.find(({ name }) => name === 'plimsoll');
      if (edition === undefined) throw new Error('no package for pipelines');
      folder = mkdtempSync(join(tmpdir(), 'plimsoll-start-'));
      script = join(folder, 'one-request.cjs');
      key = join(folder, 'ci.json');
      const built = await buildPackage(edition, folder);
      command = join(built.folder, 'bin', 'plimsoll.js');
      await newKeyFile({ principal: 'ci', path: key });
      await new Promise<void>((up) => gateway.listen(0, '127.0.0.1', up));
      url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
      writeFileSync(script, request(url));
    },
    close: async () => {
      gateway.close();
      gateway.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
    alternatives: [
      { name: bare, run: () => start(['-e', '0']) },
      { name: oneRequest, run: () => start([script]) },
      ...commands.map(({ name, words }) => ({
        name: `plimsoll ${name}`,
        run: () => start([command, ...name.split(' '), ...words]),
      })),
    ],
    ratios: [oneRequest, ...commands.map(({ name }) => `plimsoll ${name}`)].map((name) => ({
      name: `start: ${name} / a bare Node`,
      of: name,
      over: bare,
    })),
  };
};
