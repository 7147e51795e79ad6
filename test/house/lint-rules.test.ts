import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScratchHouse, linkPackages } from './scratch-house.ts';
import type { ScratchHouse } from './scratch-house.ts';

type Planted = { readonly file: string; readonly code: string; readonly rule: string };

const inCore = (name: string, expression: string, rule: string): Planted => ({
  file: `services/core/${name}.ts`,
  code: `export const x: unknown = ${expression};\n`,
  rule,
});

const globals = 'eslint(no-restricted-globals)';

const breaches: readonly Planted[] = [
  inCore('asks-the-clock', 'Date.now()', globals),
  inCore('makes-a-date', 'new Date()', globals),
  inCore('asks-the-other-clock', 'performance.now()', globals),
  inCore('throws-dice', 'Math.random()', 'eslint(no-restricted-properties)'),
  inCore('makes-an-id', 'crypto.randomUUID()', globals),
  inCore('reads-the-environment', 'process.argv', globals),
  inCore('waits', 'setTimeout(() => 1, 1)', globals),
  inCore('takes-the-back-door', 'globalThis', globals),
  inCore('speaks', 'console', globals),
  {
    file: 'services/adapters/sea/forgets-a-promise.ts',
    code: 'export async function wave(): Promise<void> {}\nexport function sail(): void {\n  wave();\n}\n',
    rule: 'typescript(no-floating-promises)',
  },
  {
    file: 'services/adapters/sea/misuses-a-promise.ts',
    code: 'export function sail(wave: () => Promise<boolean>): number {\n  return wave() ? 1 : 2;\n}\n',
    rule: 'typescript(no-misused-promises)',
  },
  {
    file: 'services/adapters/sea/forgets-a-case.ts',
    code: "export function sail(wind: 'north' | 'south'): void {\n  switch (wind) {\n    case 'north':\n      break;\n  }\n}\n",
    rule: 'typescript(switch-exhaustiveness-check)',
  },
  {
    file: 'services/adapters/sea/barrel.ts',
    code: "export * from './forgets-a-case.ts';\n",
    rule: 'oxc(no-barrel-file)',
  },
  {
    file: 'services/adapters/sea/has-a-default.ts',
    code: 'export default 1;\n',
    rule: 'import(no-default-export)',
  },
  {
    file: 'services/adapters/sea/CamelCase.ts',
    code: 'export const x = 1;\n',
    rule: 'unicorn(filename-case)',
  },
  {
    file: 'services/projector/reads-the-environment.ts',
    code: "export const x: unknown = process.env['HOME'];\n",
    rule: 'node(no-process-env)',
  },
  {
    file: 'services/adapters/sea/gives-up-on-types.ts',
    code: 'export const x: any = 1;\n',
    rule: 'typescript(no-explicit-any)',
  },
];

// The same words where they may be said.
const allowed: Readonly<Record<string, string>> = {
  'services/projector/main.ts':
    "export const x: unknown = [process.env['HOME'], Date.now(), Math.random()];\n",
  'services/adapters/sea/clock.ts': 'export const nowMs = (): number => Date.now();\n',
  'services/core/arithmetic.ts': 'export const x: number = Math.max(1, 2);\n',
};

type Report = {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
};

describe('the lint rules', () => {
  let house: ScratchHouse;
  let report: Report;

  beforeAll(() => {
    const planted = Object.fromEntries(breaches.map(({ file, code }) => [file, code]));
    house = buildScratchHouse({ ...allowed, ...planted }, ['.oxlintrc.json', 'tsconfig.json']);
    linkPackages(house.folder);
    report = JSON.parse(house.run('oxlint', '--format', 'json')) as Report;
  });

  afterAll(() => house.remove());

  const rulesBrokenBy = (file: string): readonly string[] =>
    report.diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code);

  test.for(breaches)('$file breaks $rule', ({ file, rule }) => {
    expect(rulesBrokenBy(file)).toContain(rule);
  });

  test.for(Object.keys(allowed))('%s is as it should be', (file) => {
    expect(rulesBrokenBy(file)).toEqual([]);
  });
});
