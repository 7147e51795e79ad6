import type { SchemaFile } from '../../adapters/avro/schema-files.ts';
import type { CommandName } from '../../cli/commands.ts';

/** A package that is made of the house. */
export type Edition = {
  readonly name: 'plimsoll' | 'plimsoll-server';
  readonly description: string;
  /** File name in lib, without ending, and what it is made of. */
  readonly entries: { readonly [name: string]: string };
  /** Source files that are replaced, by path in the repository. */
  readonly modules: ReadonlyMap<string, string>;
  readonly dependencies: readonly string[];
  /** By name: the versions that will do, or null: any of the major version that the house has. */
  readonly optionalPeers: { readonly [name: string]: string | null };
  /** Asked for by code that says so where they are not there. */
  readonly absentPackages: readonly string[];
  readonly hasSdk: boolean;
};

const packageRoot = {
  file: 'services/adapters/system/package-root.ts',
  code: "import { join } from 'node:path';\nexport const packageRoot = join(__dirname, '..');\n",
};

/** Beside the bundles: what was worked out of each schema, one file each. */
export const workedOutFile = ({ shape, version }: Pick<SchemaFile, 'shape' | 'version'>): string =>
  `${shape}.v${version}.json`;

const openSchema = {
  file: 'services/adapters/avro/open-schema.ts',
  code:
    "import { readFileSync } from 'node:fs';\nimport { join } from 'node:path';\n" +
    'export const openSchema = ({ shape, version }) =>\n' +
    "  JSON.parse(readFileSync(join(__dirname, 'schemas', `${shape}.v${version}.json`), 'utf8'));\n",
};

/** What only whoever runs Plimsoll needs: the file that begins the area, its export, its commands. */
const areasOfServer: readonly {
  readonly file: string;
  readonly name: string;
  readonly commands: readonly CommandName[];
}[] = [
  {
    file: 'services/cli/run-services.ts',
    name: 'serve',
    commands: ['up', 'gateway', 'projector', 'analyser'],
  },
  {
    file: 'services/cli/replay/replay.ts',
    name: 'runReplays',
    commands: [
      ...(['replay plan', 'replay run', 'replay pause', 'replay status', 'replay diff'] as const),
      ...(['replay switch', 'replay back', 'replay drop', 'rebuild'] as const),
    ],
  },
  {
    file: 'services/cli/replay/verify-models.ts',
    name: 'runVerifyModels',
    commands: ['verify-models'],
  },
  {
    file: 'services/cli/archive/archive.ts',
    name: 'runArchive',
    commands: ['archive', 'archive verify', 'export', 'migrate'],
  },
  {
    file: 'services/cli/archive/retention.ts',
    name: 'runRetention',
    commands: ['retention set', 'retention list', 'retention plan', 'retention apply'],
  },
  { file: 'services/cli/backtest/backtest.ts', name: 'runBacktest', commands: ['backtest'] },
  { file: 'services/cli/explain/explain.ts', name: 'runExplain', commands: ['explain'] },
  {
    file: 'services/cli/policy/policy.ts',
    name: 'runPolicy',
    commands: [
      ...(['policy check', 'policy explain', 'policy plan'] as const),
      ...(['policy set', 'policy list', 'policy show'] as const),
    ],
  },
];

/** Ports that only those areas use. */
const roomsOfServer: readonly (readonly [file: string, ...names: string[]])[] = [
  ['services/cli/main/services.ts', 'servicesOn'],
  ['services/cli/main/archiving.ts', 'archivesOn'],
  ['services/cli/main/migration.ts', 'migrateOn'],
  ['services/cli/main/verifying.ts', 'verifyingOn', 'measureVerifierOn'],
  ['services/cli/main/explaining.ts', 'explainingOn'],
  ['services/cli/main/yaml.ts', 'yaml'],
  ['services/adapters/otlp/metrics-request.ts', 'openTelemetryReader'],
  ['services/adapters/avro/avsc-type.ts', 'avscWriter'],
];

const absent = (names: readonly string[]): string =>
  names.map((name) => `export const ${name} = undefined;\n`).join('');

const forPipelines: Edition = {
  name: 'plimsoll',
  description:
    'Says what was deployed where, signed, from any pipeline; and what your programs need to follow it.',
  entries: { main: 'services/cli/main.ts', sdk: 'services/sdk/index.ts' },
  modules: new Map([
    [packageRoot.file, packageRoot.code],
    [openSchema.file, openSchema.code],
    [
      'services/cli/main/edition.ts',
      `export const absentCommands = new Set(${JSON.stringify(areasOfServer.flatMap(({ commands }) => commands))});\n`,
    ],
    ...areasOfServer.map(({ file, name }): [string, string] => [file, absent([name])]),
    ...roomsOfServer.map(([file, ...names]): [string, string] => [file, absent(names)]),
  ]),
  dependencies: [],
  // The API finds the one copy that its program has, so any of its releases must do.
  optionalPeers: { '@opentelemetry/api': '^1.0.0', kafkajs: null },
  absentPackages: ['ioredis'],
  hasSdk: true,
};

const forServers: Edition = {
  name: 'plimsoll-server',
  description:
    'Signed deployment markers on one log, read models that are a pure fold of it, and a canary analyser that says roll back or promote.',
  entries: {
    main: 'services/cli/main.ts',
    'verify-worker': 'services/adapters/ed25519/verify-worker.ts',
  },
  modules: new Map([
    [packageRoot.file, packageRoot.code],
    [openSchema.file, openSchema.code],
  ]),
  dependencies: ['@opentelemetry/api', 'avsc', 'ioredis', 'kafkajs', 'yaml'],
  optionalPeers: {},
  absentPackages: [],
  hasSdk: false,
};

export const editions: readonly Edition[] = [forPipelines, forServers];
