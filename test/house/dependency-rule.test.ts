import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScratchHouse } from './scratch-house.ts';
import type { ScratchHouse } from './scratch-house.ts';

type Planted = { readonly from: string; readonly code: string; readonly breaks: string };

const breaches: readonly Planted[] = [
  {
    from: 'services/core/reaches-a-port.ts',
    code: "import { port } from '../ports/port.ts'; export const x = port;",
    breaks: 'core-knows-only-core',
  },
  {
    from: 'services/core/reaches-a-port-by-type.ts',
    code: "import type { Port } from '../ports/port.ts'; export type X = Port;",
    breaks: 'core-knows-only-core',
  },
  {
    from: 'services/core/reaches-node.ts',
    code: "import { readFileSync } from 'node:fs'; export const x = readFileSync;",
    breaks: 'core-knows-only-core',
  },
  {
    from: 'services/core/reaches-npm.ts',
    code: "import { wave } from 'wave'; export const x = wave;",
    breaks: 'core-knows-only-core',
  },
  {
    from: 'services/core/circle-a.ts',
    code: "import { b } from './circle-b.ts'; export type A = 1; export const a = b;",
    breaks: 'no-circle',
  },
  {
    from: 'services/ports/reaches-an-adapter.ts',
    code: "import { adapter } from '../adapters/sea/adapter.ts'; export const x = adapter;",
    breaks: 'ports-know-only-core-and-ports',
  },
  {
    from: 'services/ports/reaches-node.ts',
    code: "import type { Socket } from 'node:net'; export type X = Socket;",
    breaks: 'ports-know-only-core-and-ports',
  },
  {
    from: 'services/adapters/sea/reaches-a-service.ts',
    code: "import { project } from '../../projector/project.ts'; export const x = project;",
    breaks: 'adapters-know-no-service',
  },
  {
    from: 'services/projector/reaches-an-adapter.ts',
    code: "import { adapter } from '../adapters/sea/adapter.ts'; export const x = adapter;",
    breaks: 'service-knows-only-core-ports-itself',
  },
  {
    from: 'services/analyser/reaches-another-service.ts',
    code: "import { project } from '../projector/project.ts'; export const x = project;",
    breaks: 'service-knows-only-core-ports-itself',
  },
  {
    from: 'services/gateway/reaches-npm.ts',
    code: "import { wave } from 'wave'; export const x = wave;",
    breaks: 'service-knows-only-core-ports-itself',
  },
  {
    from: 'services/replay/reaches-npm-when-it-runs.ts',
    code: "export const x = async () => (await import('wave')).wave;",
    breaks: 'service-knows-only-core-ports-itself',
  },
  {
    from: 'services/replay/does-io.ts',
    code: "import { readFileSync } from 'node:fs'; export const x = readFileSync;",
    breaks: 'service-knows-only-core-ports-itself',
  },
  {
    from: 'services/cli/commands/reaches-an-adapter.ts',
    code: "import { adapter } from '../../adapters/sea/adapter.ts'; export const x = adapter;",
    breaks: 'cli-knows-only-core-ports-sdk-itself',
  },
  {
    from: 'services/cli/commands/reaches-another-service.ts',
    code: "import { project } from '../../projector/project.ts'; export const x = project;",
    breaks: 'cli-knows-only-core-ports-sdk-itself',
  },
  {
    from: 'services/sdk/reaches-npm.ts',
    code: "import { wave } from 'wave'; export const x = wave;",
    breaks: 'sdk-stays-light',
  },
  {
    from: 'services/sdk/reaches-a-heavy-adapter.ts',
    code: "import { adapter } from '../adapters/sea/adapter.ts'; export const x = adapter;",
    breaks: 'sdk-stays-light',
  },
  {
    from: 'services/sdk/asks-for-kafka-at-once.ts',
    code: "import { client } from '../adapters/kafka/client.ts'; export const x = client;",
    breaks: 'sdk-asks-for-peers-late',
  },
  {
    from: 'services/sdk/asks-for-open-telemetry-at-once.ts',
    code: "import { baggage } from '../adapters/telemetry/baggage.ts'; export const x = baggage;",
    breaks: 'sdk-asks-for-peers-late',
  },
  {
    from: 'services/projector/reaches-its-main.ts',
    code: "import { start } from './main.ts'; export const x = start;",
    breaks: 'nobody-imports-a-composition-root',
  },
  {
    from: 'services/projector/reaches-a-part-of-main.ts',
    code: "import { part } from './main/part.ts'; export const x = part;",
    breaks: 'nobody-imports-a-composition-root',
  },
  {
    from: 'services/adapters/sea/reaches-dev.ts',
    code: "import { demo } from '../../dev/demo.ts'; export const x = demo;",
    breaks: 'nobody-imports-a-composition-root',
  },
  {
    from: 'services/adapters/sea/uses-a-development-package.ts',
    code: "import { swell } from 'swell'; export const x = swell;",
    breaks: 'product-uses-no-development-package',
  },
];

// Every arrow the rule allows. That each of them is seen proves that the tool reads TypeScript:
// with a parser that does not, there is nothing to forbid and everything passes.
const allowed: Readonly<Record<string, string>> = {
  'services/core/value.ts': 'export type Value = 1; export const value: Value = 1;',
  'services/core/fold.ts':
    "import { value, type Value } from './value.ts'; export const fold = value satisfies Value;",
  'services/ports/port.ts':
    "import type { Value } from '../core/value.ts'; export type Port = Value; export const port = 1;",
  'services/adapters/sea/adapter.ts':
    "import { wave } from 'wave'; import { connect } from 'node:net'; import { value } from '../../core/value.ts';" +
    "import type { Port } from '../../ports/port.ts'; export const adapter = [wave, connect, value as Port];",
  'services/adapters/spool/spool.ts': 'export const spool = 1;',
  'services/adapters/kafka/client.ts': 'export const client = 1;',
  'services/adapters/telemetry/baggage.ts': 'export const baggage = 1;',
  'services/sdk/asks-late.ts':
    "export const late = async () => (await import('../adapters/telemetry/baggage.ts')).baggage;",
  'services/projector/project.ts':
    "import { parseArgs } from 'node:util'; import { fold } from '../core/fold.ts';" +
    "import type { Port } from '../ports/port.ts'; export const project = [parseArgs, fold as Port];",
  'services/projector/main.ts':
    "import { wave } from 'wave'; import { adapter } from '../adapters/sea/adapter.ts';" +
    "import { project } from './project.ts'; import { part } from './main/part.ts';" +
    'export const start = [adapter, part, project, wave];',
  'services/projector/main/part.ts':
    "import { adapter } from '../../adapters/sea/adapter.ts'; import { project } from '../project.ts';" +
    'export const part = [adapter, project];',
  'services/sdk/client.ts':
    "import { spool } from '../adapters/spool/spool.ts'; export const client = spool;",
  'services/cli/commands/emit.ts':
    "import { client } from '../../sdk/client.ts'; export const emit = client;",
  'services/dev/demo.ts':
    "import { start } from '../projector/main.ts'; import { swell } from 'swell'; export const demo = [start, swell];",
};

const surroundings: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    type: 'module',
    dependencies: { wave: '1.0.0' },
    devDependencies: { swell: '1.0.0' },
  }),
  'node_modules/wave/package.json': '{"name":"wave","version":"1.0.0","main":"wave.js"}',
  'node_modules/wave/wave.js': 'exports.wave = 1;',
  'node_modules/swell/package.json': '{"name":"swell","version":"1.0.0","main":"swell.js"}',
  'node_modules/swell/swell.js': 'exports.swell = 1;',
  // Closes the circle by a type alone; a circle is reported once, at its first file.
  'services/core/circle-b.ts': "import type { A } from './circle-a.ts'; export const b: A = 1;",
};

type Report = {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly object[];
  }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly rule: { readonly name: string };
    }[];
  };
};

describe('the dependency rule', () => {
  let house: ScratchHouse;
  let report: Report;

  beforeAll(() => {
    const planted = Object.fromEntries(breaches.map(({ from, code }) => [from, code]));
    house = buildScratchHouse({ ...surroundings, ...allowed, ...planted }, [
      '.dependency-cruiser.cjs',
    ]);
    report = JSON.parse(
      house.run('depcruise', '--no-cache', '--output-type', 'json', 'services'),
    ) as Report;
  });

  afterAll(() => house.remove());

  const rulesBrokenBy = (path: string): readonly string[] => [
    ...new Set(
      report.summary.violations.filter(({ from }) => from === path).map(({ rule }) => rule.name),
    ),
  ];

  test.for(breaches)('$from breaks $breaks', ({ from, breaks }) => {
    expect(rulesBrokenBy(from)).toContain(breaks);
  });

  test.for(Object.keys(allowed))('%s is as it should be', (path) => {
    expect(rulesBrokenBy(path)).toEqual([]);
  });

  test('every allowed import was seen, type imports too', () => {
    const seen = Object.fromEntries(
      report.modules.map(({ source, dependencies }) => [source, dependencies.length]),
    );
    const written = Object.fromEntries(
      Object.entries(allowed).map(([path, code]) => [
        path,
        code.split(/ from |import\(/).length - 1,
      ]),
    );
    expect(seen).toMatchObject(written);
  });

  test('no rule stands without a breach that proves it', () => {
    const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
      forbidden: readonly { readonly name: string }[];
    };
    const proven = new Set(breaches.map(({ breaks }) => breaks));
    expect(forbidden.map(({ name }) => name).filter((name) => !proven.has(name))).toEqual([]);
  });
});
