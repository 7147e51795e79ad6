import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackage } from '../build/build.ts';
import { editions } from '../build/editions.ts';
import type { StepPlace } from '../build/step.ts';
import { openStepPlace } from '../build/step.ts';
import type { Bench, Measured } from './bench.ts';
import { childrenCpuMicros } from './process-usage.ts';

// What a step of a pipeline costs: whole processes, of the package as it is published, in a job of a CI.

const STARTS_PER_RUN = 5;

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
  let place: StepPlace | undefined;
  let command = '';
  const start = async (args: readonly string[]): Promise<Measured> => {
    const own = process.cpuUsage();
    const childrenMicros = childrenCpuMicros();
    const startedMs = performance.now();
    for (let started = 0; started < STARTS_PER_RUN; started++) {
      const child = spawn(process.execPath, args, {
        cwd: folder,
        env: place?.env,
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
      place = await openStepPlace();
      ({ folder } = place);
      script = join(folder, 'one-request.cjs');
      const built = await buildPackage(edition, folder);
      command = join(built.folder, 'bin', 'plimsoll.js');
      writeFileSync(script, request(place.url));
    },
    close: async () => place?.close(),
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
