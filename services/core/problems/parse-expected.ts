import { nameMax } from '../markers/limits.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';

/** Where a version of a component must be reported within a deadline. */
export type Expectation = {
  readonly namespace: string;
  readonly component: string;
  readonly environments: readonly string[];
  /** Empty: wherever in the environment. */
  readonly targets: readonly (string | null)[];
  readonly clusters: readonly (string | null)[];
  readonly zones: readonly (string | null)[];
  /** `first-success`: since it first succeeded in one of the places; `planned`: since it was first planned for one. */
  readonly after: 'first-success' | 'planned';
  readonly withinMinutes: number;
};

export type ExpectedProblem = {
  readonly code: 'expected-invalid';
  /** The place of the wrong value, as in `expected[2].zones[0]`. */
  readonly path: string;
  readonly message: string;
};

const expectationsMax = 500;
export const placesMax = 1_000;
const namesMax = 200;
const withinMinutesMax: number = 30 * 24 * 60;

/**
 * What a file expects, checked value by value:
 * `{"expected":[{"component":"checkout","environments":["production"],"zones":["eu-1","eu-2"],"withinMinutes":30}]}`.
 */
export const parseExpected = (json: unknown): Result<readonly Expectation[], ExpectedProblem> => {
  if (!isObject(json)) return refuse('', 'the file must hold an object', json);
  const unknown = Object.keys(json).find((name) => name !== 'expected');
  if (unknown !== undefined) return refuse(unknown, 'is not known; known is: expected');
  const list = json['expected'];
  if (!Array.isArray(list) || list.length === 0 || list.length > expectationsMax)
    return refuse('expected', `must be a list of 1 to ${expectationsMax} objects`, list);
  const expectations: Expectation[] = [];
  for (const [index, entry] of list.entries()) {
    const parsed = parseOne(entry, `expected[${index}]`);
    if (!parsed.ok) return parsed;
    expectations.push(parsed.value);
  }
  return ok(expectations);
};

const fields = [
  'namespace',
  'component',
  'environments',
  'targets',
  'clusters',
  'zones',
  'after',
  'withinMinutes',
];

const parseOne = (entry: unknown, path: string): Result<Expectation, ExpectedProblem> => {
  if (!isObject(entry)) return refuse(path, 'must be an object', entry);
  const unknown = Object.keys(entry).find((name) => !fields.includes(name));
  if (unknown !== undefined)
    return refuse(`${path}.${unknown}`, `is not known; known are: ${fields.join(', ')}`);
  const component = nameAt(entry['component'], `${path}.component`);
  if (!component.ok) return component;
  const namespace = nameAt(entry['namespace'] ?? 'default', `${path}.namespace`);
  if (!namespace.ok) return namespace;
  const environments = namesAt(entry['environments'], `${path}.environments`);
  if (!environments.ok) return environments;
  const parts = { targets: [] as string[], clusters: [] as string[], zones: [] as string[] };
  for (const part of ['targets', 'clusters', 'zones'] as const) {
    if (entry[part] === undefined) continue;
    const names = namesAt(entry[part], `${path}.${part}`);
    if (!names.ok) return names;
    parts[part] = [...names.value];
  }
  const places = [environments.value, parts.targets, parts.clusters, parts.zones].reduce(
    (product, names) => product * Math.max(1, names.length),
    1,
  );
  if (places > placesMax)
    return refuse(path, `names ${places} places; at most ${placesMax} are looked at`);
  const after = entry['after'] ?? 'first-success';
  if (after !== 'first-success' && after !== 'planned')
    return refuse(`${path}.after`, 'must be first-success or planned', after);
  const within = entry['withinMinutes'];
  if (typeof within !== 'number' || !(within > 0) || within > withinMinutesMax)
    return refuse(
      `${path}.withinMinutes`,
      `must be a number above 0, at most ${withinMinutesMax}`,
      within,
    );
  return ok({
    namespace: namespace.value,
    component: component.value,
    environments: environments.value,
    ...parts,
    after,
    withinMinutes: within,
  });
};

const nameAt = (value: unknown, path: string): Result<string, ExpectedProblem> =>
  typeof value === 'string' && value.trim() !== '' && value.length <= nameMax
    ? ok(value)
    : refuse(path, `must be a name of at most ${nameMax} characters`, value);

const namesAt = (value: unknown, path: string): Result<readonly string[], ExpectedProblem> => {
  if (!Array.isArray(value) || value.length === 0 || value.length > namesMax)
    return refuse(path, `must be a list of 1 to ${namesMax} names`, value);
  for (const [index, name] of value.entries()) {
    const parsed = nameAt(name, `${path}[${index}]`);
    if (!parsed.ok) return parsed;
    if (value.indexOf(name) !== index) return refuse(`${path}[${index}]`, 'stands twice', name);
  }
  return ok(value as readonly string[]);
};

const refuse = (path: string, must: string, given?: unknown): Result<never, ExpectedProblem> =>
  fail({
    code: 'expected-invalid',
    path,
    message: `${path === '' ? '' : `${path} `}${must}${given === undefined ? '' : `, not ${nameOf(given)}`}`,
  });

const nameOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : JSON.stringify(value).slice(0, 64);
};

const isObject = (value: unknown): value is { readonly [field: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
