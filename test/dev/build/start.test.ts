import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSchemas } from '../../../services/adapters/avro/schema-files.ts';
import { openSchema } from '../../../services/adapters/avro/open-schema.ts';
import { commands } from '../../../services/cli/commands.ts';
import { factWords } from '../../../services/cli/commands/fact-words.ts';
import { factCommands } from '../../../services/cli/commands/facts.ts';
import { buildPackage } from '../../../services/dev/build/build.ts';
import { editions, workedOutFile } from '../../../services/dev/build/editions.ts';
import type { StepPlace } from '../../../services/dev/build/step.ts';
import { openStepPlace } from '../../../services/dev/build/step.ts';

// What a step of a pipeline loads. A fresh job has no compile cache, so each byte is read and compiled in each of them:
// sizes stand here for times, which no test can rely on.

const component = '--component-name=checkout';
const version = '--target-version=2.0.0';
const deployment = '--deployment=0192f3a4-5b6c-7d8e-9f01-23456789abcd';

const start = /^lib\/main\.js$/;
const facts = [/^lib\/main-facts-/, /^lib\/main-draft-fact-/];
/** What was planned here. */
const planned = /^lib\/main-spare-/;

const kilobytes = 1024;

/** An eighth above what they load today: who needs more says why here. */
const steps: readonly {
  readonly args: readonly string[];
  readonly files: readonly RegExp[];
  readonly kilobytesMax: number;
}[] = [
  { args: ['release', 'log', component, version], files: [start], kilobytesMax: 185 },
  { args: ['release', 'plan', component, version], files: [start, planned], kilobytesMax: 190 },
  {
    args: ['release', 'update', deployment, '--status=SUCCESS'],
    files: [start, planned],
    kilobytesMax: 190,
  },
  {
    args: ['record-deployment', component, version, '--environment-name=production'],
    files: [start, ...facts],
    kilobytesMax: 205,
  },
  {
    args: ['traffic', 'default', '--canary-share=0.25'],
    files: [start, ...facts, planned],
    kilobytesMax: 205,
  },
  { args: ['incident', 'open', 'INC-1', component], files: [start, ...facts], kilobytesMax: 205 },
];

describe('a step of a pipeline, of the built package, through a gateway', () => {
  let built = '';
  let place: StepPlace;
  beforeAll(async () => {
    const edition = editions.find(({ name }) => name === 'plimsoll');
    if (edition === undefined) throw new Error('no package for pipelines');
    place = await openStepPlace();
    built = (await buildPackage(edition, place.folder)).folder;
  });
  afterAll(() => place.close());

  /** Files of the package, and parts of Node, that a command loaded. */
  const loadedBy = (
    args: readonly string[],
  ): Promise<{ readonly files: readonly string[]; readonly parts: readonly string[] }> =>
    new Promise((done, refuse) => {
      const hook = join(import.meta.dirname, '../../support/loaded-files.cjs');
      const env = { ...place.env, PLIMSOLL_TIMEOUT: '60s' };
      const call = ['--require', hook, join(built, 'bin', 'plimsoll.js'), ...args, '--strict'];
      execFile(process.execPath, call, { cwd: place.folder, env }, (failed, out, err) => {
        if (failed !== null) return refuse(new Error(`${out}${err}`));
        const loaded = err.split('\n').flatMap((line) => /^loaded (.*)$/.exec(line)?.[1] ?? []);
        done({
          files: loaded.flatMap((file) =>
            file.startsWith(built) ? [file.slice(built.length + 1)] : [],
          ),
          parts: loaded.filter((name) => name.startsWith('node:')),
        });
      });
    });

  test.each(steps)('$args loads these files and no more', async ({ args, files, kilobytesMax }) => {
    const loaded = await loadedBy(args);
    const [launcher, ...others] = loaded.files;
    expect(launcher).toBe('bin/plimsoll.js');
    expect(others).toEqual(files.map((file): unknown => expect.stringMatching(file)));
    const sizes = loaded.files.map((file) => statSync(join(built, file)).size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(kilobytesMax * kilobytes);
    // Each of them takes a twentieth of a start, or more.
    expect(loaded.parts).toContain('node:_http_client');
    for (const part of ['https', 'tls', 'sqlite', 'worker_threads', 'child_process', 'zlib'])
      expect(loaded.parts).not.toContain(`node:${part}`);
    expect(loaded.parts.filter((part) => /undici|internal\/fs\/streams/.test(part))).toEqual([]);
  });

  test.each(loadSchemas())(
    'what it takes for the schema of $shape v$version is what its text says',
    (file) => {
      const path = join(built, 'lib', 'schemas', workedOutFile(file));
      const worked: unknown = JSON.parse(readFileSync(path, 'utf8'));
      const { node, digest } = openSchema(file);
      expect(worked).toEqual({ digest, node: withoutDocs(node) });
    },
  );
});

const withoutDocs = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutDocs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) =>
      name === 'doc' || item === undefined ? [] : [[name, withoutDocs(item)]],
    ),
  );
};

test('a word that begins a fact begins nothing else, so its table alone is asked', () => {
  const first = ({ name }: { readonly name: string }): string => name.split(' ')[0] ?? '';
  const begun = commands.filter((command) => factWords.has(first(command)));
  expect(begun.map(({ name }) => name)).toEqual(factCommands.map(({ name }) => name));
});
