import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problem } from '../../../services/cli/problem.ts';
import { fail } from '../../../services/core/result.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { by, trusts } from '../../support/given.ts';
import { logged, planned } from '../../support/markers.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const desk = (options: DeskOptions & { readonly steps?: readonly Step[] } = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), ...options });

const expectedFile = JSON.stringify({
  expected: [
    { component: 'checkout', environments: ['production', 'staging'], withinMinutes: 0.001 },
  ],
});
const conflict: readonly Step[] = [
  by('ci', planned(), { marker: 'm' }),
  by('ci', planned('2.0.1'), { marker: 'm' }),
];
const tag: readonly Step[] = [by('ci', logged('latest'))];

test('a log where all is well says so', async () => {
  const said = await (await desk()).plimsoll('problems');
  expect(said).toMatchObject({ exit: 0, out: [], err: ['plimsoll: no problems'] });
});

test.each([false, true])(
  'each problem is a line, the gravest first, and each has its schema (through a gateway: %s)',
  async (isRemote) => {
    const at = await desk({ steps: [...tag, ...conflict], isRemote });
    await at.plimsoll('instance', 'start', '--component-name=checkout', '--target-version=7');
    const said = await at.plimsoll('problems', '--json');
    const lines = said.out.map((line) => JSON.parse(line) as { readonly code: string });
    for (const line of lines) expect(faultsOf('problems', line)).toEqual([]);
    expect(lines.map(({ code }) => code)).toEqual([
      'conflict',
      'running-unclaimed',
      'tag-without-digest',
    ]);
    expect(said.exit).toBe(0);
  },
);

test('people read what it is, where, and what to do', async () => {
  const at = await desk({ steps: tag });
  expect((await at.plimsoll('problems')).out).toEqual([
    'WARNING  tag-without-digest  production/checkout  2026-11-21 10:00:00Z  (position 3)',
    '  production/checkout is said to run latest, a name that moves, without the digest of what runs',
    '  say --digest=sha256:… with the version: two deployments of one tag may be two artifacts',
  ]);
});

test('only the place that is asked for', async () => {
  for (const isRemote of [false, true]) {
    const at = await desk({ steps: tag, isRemote });
    expect((await at.plimsoll('problems', '--environment-name=staging')).out).toEqual([]);
    expect((await at.plimsoll('problems', '--environment-name=production')).out).toHaveLength(3);
  }
});

describe('--fail-on', () => {
  test.each([
    ['alarm', tag, 0],
    ['warning', tag, 3],
    ['alarm', conflict, 3],
    ['warning', conflict, 3],
  ] as const)('%s', async (word, steps, exit) => {
    const at = await desk({ steps });
    const said = await at.plimsoll('problems', `--fail-on=${word}`);
    expect(said.exit).toBe(exit);
    expect(said.out.length).toBeGreaterThan(0);
  });

  test('any other word is refused', async () => {
    expect((await (await desk()).plimsoll('problems', '--fail-on=error')).exit).toBe(2);
  });
});

describe('--expected', () => {
  test('alarms of what is missing in a deadline, with coverage', async () => {
    const at = await desk({ steps: [by('ci', logged())], files: { 'e.json': expectedFile } });
    await at.plimsoll('timeline');
    const said = await at.plimsoll('problems', '--expected=e.json', '--json', '--fail-on=alarm');
    expect(said.exit).toBe(3);
    expect(said.out.map((line) => JSON.parse(line) as object)).toMatchObject([
      { code: 'expected-missing', coverage: { reported: 1, expected: 2 }, missing: ['staging'] },
    ]);
    expect(faultsOf('problems', JSON.parse(said.out[0] ?? ''))).toEqual([]);
  });

  test.each([
    ['nowhere.json', 'no such file'],
    ['broken.json', 'broken.json: '],
    ['wrong.json', 'wrong.json: expected[0].within is not known'],
  ])('%s is refused with what is wrong', async (path, message) => {
    const files = { 'broken.json': '{', 'wrong.json': '{"expected":[{"within":"1h"}]}' };
    const said = await (await desk({ files })).plimsoll('problems', `--expected=${path}`);
    expect(said.exit).toBe(2);
    expect(said.err.join('\n')).toContain(message);
  });

  test('a gateway does not read files', async () => {
    const at = await desk({ isRemote: true, files: { 'e.json': expectedFile } });
    const said = await at.plimsoll('problems', '--expected=e.json');
    expect(said.exit).toBe(2);
    expect(said.err.join('\n')).toContain('not-through-gateway');
  });
});

describe('--follow', () => {
  test('prints each new problem once, outlives an outage, and ends with what it waits for', async () => {
    const stop = new AbortController();
    let looks = 0;
    const at = await desk({
      steps: tag,
      change: (ports) => ({
        ...ports,
        stop: stop.signal,
        clock: { ...ports.clock, sleep: async () => undefined },
        problems: async (question, onProgress) => {
          looks += 1;
          if (looks === 2) return fail(problem('unreachable', 'the store is away', ''));
          const found = await ports.problems(question, onProgress);
          if (!found.ok || looks < 4) return found;
          const [first] = found.value.problems;
          if (first === undefined) return found;
          const alarm = { ...first, code: 'conflict', severity: 'alarm' } as const;
          return { ok: true, value: { ...found.value, problems: [alarm, first] } };
        },
      }),
    });
    const said = await at.plimsoll('problems', '--follow', '--json', '--fail-on=alarm');
    expect(said.exit).toBe(3);
    expect(said.out.map((line) => (JSON.parse(line) as { readonly code: string }).code)).toEqual([
      'tag-without-digest',
      'conflict',
    ]);
    expect(said.err.join('\n')).toContain('the store is away');
  });

  test('ends in order when it is stopped', async () => {
    const stop = new AbortController();
    const at = await desk({
      steps: [trusts('ci')],
      change: (ports) => ({
        ...ports,
        stop: stop.signal,
        clock: { ...ports.clock, sleep: async () => stop.abort() },
      }),
    });
    expect((await at.plimsoll('problems', '--follow')).exit).toBe(0);
  });
});

test('a look back that is no count is refused', async () => {
  expect((await (await desk()).plimsoll('problems', '--days=week')).exit).toBe(2);
});
