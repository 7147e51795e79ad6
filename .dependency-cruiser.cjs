// The dependency rule of the house (services/README.md), held by a machine.
// test/house/dependency-rule.test.ts plants a breach of each rule and sees it reported.

const programs = '(gateway|projector|analyser|replay)';
// main.ts, and the parts it is put together from.
const compositionRoot = '^services/([^/]+/main(\\.ts$|/)|dev/)';
const plainNodeHelpers = '^(node:)?(assert|buffer|path|querystring|string_decoder|url|util)(/|$)';

module.exports = {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'A circle has no floor to stand on; one closed by types alone counts too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-knows-only-core',
      comment: 'Same input, same bytes, anywhere: no npm, no node:, no other floor.',
      severity: 'error',
      from: { path: '^services/core/' },
      to: { pathNot: '^services/core/' },
    },
    {
      name: 'ports-know-only-core-and-ports',
      comment: 'A port is a promise in words and types.',
      severity: 'error',
      from: { path: '^services/ports/' },
      to: { pathNot: '^services/(core|ports)/' },
    },
    {
      name: 'adapters-know-no-service',
      comment: 'An adapter knows the outside thing it speaks to, not who uses it.',
      severity: 'error',
      from: { path: '^services/adapters/' },
      to: { path: '^(services|test)/', pathNot: '^services/(core|ports|adapters)/' },
    },
    {
      name: 'service-knows-only-core-ports-itself',
      comment: 'Services meet in the log and the read models; main.ts hands the adapters in.',
      severity: 'error',
      from: { path: `^services/${programs}/`, pathNot: compositionRoot },
      to: { pathNot: ['^services/(core|ports|$1)/', plainNodeHelpers] },
    },
    {
      name: 'cli-knows-only-core-ports-sdk-itself',
      comment: 'As any service; it may also use what pipelines use.',
      severity: 'error',
      from: { path: '^services/cli/', pathNot: [compositionRoot, '^services/cli/plimsoll\\.mjs$'] },
      to: { pathNot: ['^services/(core|ports|sdk|cli)/', plainNodeHelpers] },
    },
    {
      name: 'sdk-stays-light',
      comment: 'Whoever imports the sdk must not inherit the server.',
      severity: 'error',
      from: { path: '^services/sdk/' },
      to: {
        path: '^(services|test|node_modules)/',
        pathNot:
          '^services/(core|ports|sdk|(adapters/(avro|ed25519|http|kafka|spool|system)/|adapters/(telemetry/baggage|otlp/export-[a-z]+)\\.ts$))',
      },
    },
    {
      name: 'sdk-asks-for-peers-late',
      comment:
        'kafkajs and OpenTelemetry are optional peers: they are asked for by who uses them, and not before.',
      severity: 'error',
      from: { path: '^services/sdk/' },
      to: { path: '^services/adapters/(kafka|telemetry)/', dynamic: false },
    },
    {
      name: 'nobody-imports-a-composition-root',
      comment: 'main.ts and dev/ open connections and read the environment; nothing rests on them.',
      severity: 'error',
      from: {
        pathNot: [
          '^services/dev/',
          '^test/',
          '^services/cli/plimsoll\\.mjs$',
          '^services/[^/]+/main(\\.ts$|/)',
        ],
      },
      to: { path: compositionRoot },
    },
    {
      name: 'product-uses-no-development-package',
      comment: 'What a user installs must be enough to run it.',
      severity: 'error',
      from: { path: '^services/', pathNot: '^services/dev/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    parser: 'swc', // with @swc/core missing, .ts files are silently not read
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.cjs', '.js'] },
  },
};
