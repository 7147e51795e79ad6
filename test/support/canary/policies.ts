import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Arbitrary } from 'fast-check';
import { array, constant, constantFrom, double, integer, oneof, record } from 'fast-check';
import { readYaml } from '../../../services/adapters/yaml/read-yaml.ts';
import type { Json } from '../../../services/core/canonical.ts';
import { parsePlacedPolicy } from '../../../services/core/canary/policy/parse-policy.ts';
import type { PlacedPolicy } from '../../../services/core/canary/policy/placed-policy.ts';
import { documentFileBytesMax } from '../../../services/core/canary/policy/policy-text.ts';

const folder = resolve(import.meta.dirname, '../../golden/policies');

/** Documents by name, as their files hold them. */
export const goldenPolicies = (
  kind: 'valid' | 'invalid',
): readonly (readonly [name: string, text: string])[] =>
  readdirSync(join(folder, kind))
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .map((file) => [file.replace(/\.yaml$/, ''), readFileSync(join(folder, kind, file), 'utf8')]);

/** By name: what is wrong with it, `line:column code: message` a line. */
export const expectedFaults = (): { readonly [name: string]: readonly string[] } =>
  JSON.parse(readFileSync(join(folder, 'invalid/expected.json'), 'utf8')) as {
    readonly [name: string]: readonly string[];
  };

/** The plain value of a text that is YAML. */
export const plainOf = (text: string): unknown => {
  const read = readYaml(text, documentFileBytesMax);
  if (!read.ok) throw new Error(read.problem.map(({ message }) => message).join('; '));
  return read.value.value;
};

/** The policy of these settings, for any place unless they name one. */
export const policyOf = (settings: { readonly [name: string]: Json } = {}): PlacedPolicy => {
  const parsed = parsePlacedPolicy({ component: '*', environment: '*', ...settings });
  if (!parsed.ok) throw new Error(parsed.problem.map(({ message }) => message).join('; '));
  return parsed.value;
};

const share = (min: number, max: number): Arbitrary<number> =>
  double({ min, max, noNaN: true, noDefaultInfinity: true });
const name = constantFrom(
  'checkout',
  'a b',
  '__proto__',
  'größe',
  '😀',
  'no',
  'true',
  'null',
  '5%',
  '*x'.slice(1),
);
const value = oneof(name, integer().map(String), constant('/pay/{id}'));
const test = oneof(
  array(value, { minLength: 1, maxLength: 3 }),
  record({ not: array(value, { minLength: 1, maxLength: 3 }) }),
  record({ 'starts-with': value }),
  record({ is: constantFrom('present', 'absent') }),
);
const filters = array(record({ attribute: constantFrom('a', 'b', '__proto__'), test }), {
  maxLength: 3,
}).map((given) => Object.fromEntries(given.map(({ attribute, test: one }) => [attribute, one])));
const line = (from: number): Arbitrary<Json> =>
  record({ times: share(from, from + 0.5), plus: share(from / 100, from / 100 + 0.01) });
const metric = oneof(
  record(
    {
      name: constant('errors'),
      tolerance: line(1),
      'promote-tolerance': line(2),
      errors: filters,
      per: constant({ attribute: 'route', values: ['/pay', '/cart', '/b'] }),
    },
    { requiredKeys: ['name', 'tolerance', 'promote-tolerance'] },
  ),
  record(
    {
      name: constant('latency'),
      slower: share(0, 0.5),
      'promote-slower': share(0.51, 3),
      'fine-below': integer({ min: 0, max: 60_000 }),
    },
    { requiredKeys: ['name', 'slower', 'promote-slower'] },
  ),
  record({ name: constant('memory'), weight: constant(0) }),
  record({
    name: constant('heap'),
    kind: constant('level'),
    of: constant('jvm.memory.used'),
    worse: constantFrom('higher', 'lower'),
    margin: share(0, 0.3),
    'promote-margin': share(0.31, 0.9),
    where: filters,
    weight: share(0.01, 2),
    critical: constantFrom(true, false),
  }),
  record({ name: constant('traffic'), least: share(0.5, 1), 'promote-least': share(0.01, 0.49) }),
);
const time = (least: number, most: number): Arbitrary<number> => integer({ min: least, max: most });

/** Settings that some policy may have, most of them left to the preset. */
export const policySettingsGiven: Arbitrary<{ readonly [name: string]: Json }> = record(
  {
    component: name,
    environment: name,
    preset: constantFrom('standard', 'sensitive', 'strict'),
    'warm-up': time(0, 300_000),
    soak: time(300_000, 1_799_999),
    deadline: time(1_800_000, 86_400_000),
    bake: time(0, 86_400_000),
    steps: array(share(0.001, 1), { maxLength: 5 }).map((all) =>
      [...new Set(all)].toSorted((a, b) => a - b),
    ),
    'false-roll-backs': share(1e-6, 0.1),
    'false-promotions': share(1e-6, 0.5),
    metrics: array(metric, { maxLength: 5 }).map((all) =>
      all.filter((one, at) => all.findIndex((other) => other.name === one.name) === at),
    ),
    target: name,
    cohorts: record(
      {
        attribute: name,
        canary: constantFrom('canary', 'größe', 'true'),
        baseline: constantFrom('baseline', '5%'),
        'fresh-baseline': constantFrom(true, false),
      },
      { requiredKeys: ['attribute', 'canary', 'baseline'] },
    ),
    rollouts: record(
      { 'before-after': constantFrom(true, false), 'blue-green': constantFrom(true, false) },
      { requiredKeys: [] },
    ),
    'on-silence': constantFrom('hold', 'page', 'roll-back'),
    act: constantFrom('decide', 'dry-run', 'ask'),
    'flap-guard': record({ window: time(0, 86_400_000), freeze: constantFrom(true, false) }),
    caps: constant({ 'per-component-hour': 2, 'per-hour': 7 }),
    require: constantFrom([], ['digest'], ['tickets', 'commit']),
    judging: record({
      window: time(100, 60_000),
      block: time(1, 60_000),
      'block-cap': share(0.1, 20),
      'no-data': time(120_000, 86_400_000),
      restarts: record({
        every: time(1, 900_000),
        count: integer({ min: 0, max: 10 }),
        weight: share(0.001, 0.09),
      }),
      veto: share(1.1, 15),
    }),
  },
  { requiredKeys: ['component', 'environment'] },
);
