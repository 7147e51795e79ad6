import type { Body } from '../markers/upcast.ts';
import { findSecrets, maskSecrets } from './find-secrets.ts';
import { maskAddresses } from './personal.ts';
import { isSecretVersion } from './secret-version.ts';

/** A secret in a field: nothing of it is told but how it begins. */
export type FieldSecret = {
  /** Where, for instance `details.links[0].value`. */
  readonly path: string;
  readonly kind: string;
  readonly masked: string;
};

/**
 * Secrets in the texts of a marker. The value of a name stands behind it, as `password=…` does, so that what only its
 * name gives away is found.
 */
export const secretsInBody = (body: object): readonly FieldSecret[] => {
  // Nearly every marker holds none: one look at all of it says so.
  const found = findSecrets(allText(body)).length === 0 ? [] : secretsAt(body, '');
  const versions = noVersions(body).filter((field) => !found.some(({ path }) => path === field));
  return versions.length === 0
    ? found
    : [
        ...found,
        ...versions.map((path) => ({
          path,
          kind: unlikeVersion,
          masked: `… (${textAt(body, path).length} characters)`,
        })),
      ];
};

/** Where the value of a secret may have been given for its version. */
const noVersions = (body: object): readonly ('fromVersion' | 'toVersion')[] =>
  textAt(body, 'kind') === 'secret-changed'
    ? (['fromVersion', 'toVersion'] as const).filter((field) => {
        const text = textAt(body, field);
        return !isMask(text) && !isSecretVersion(text, textAt(body, 'name'));
      })
    : [];

const isMask = (text: string): boolean => /^(?:\*{3}|\[masked [\w-]{1,64}\])$/.test(text);

/** What may be written over. */
export type Covering = {
  /** Whether a text that holds a secret is written over; else the marker is to be refused. */
  readonly covers: (text: string) => boolean;
  /** Whether that may happen to a text that names something, too: two that are written over would be one. */
  readonly coversNames: (text: string) => boolean;
};

export type Screened = {
  /** With its secrets written over, as far as that may be, and addresses of people cut short. */
  readonly body: Body;
  readonly found: readonly FieldSecret[];
  /** For which the marker is to be refused; undefined: nothing is left. */
  readonly left: FieldSecret | undefined;
  /** Whether what is left names something, so that nobody may ask to write over it. */
  readonly isLeftInName: boolean;
};

/** Looks through a body before it is signed. */
export const screenBody = (body: Body, { covers, coversNames }: Covering): Screened => {
  const found = secretsInBody(body);
  // Where all of it together holds none, none of its parts does.
  if (found.length === 0)
    return { body: maskBody(body, () => false), found, left: undefined, isLeftInName: false };
  const named = found.find(({ path }) => names.test(path) && !coversNames(textAt(body, path)));
  if (named !== undefined) return { body, found, left: named, isLeftInName: true };
  const masked = maskBody(body, covers);
  return { body: masked, found, left: secretsInBody(masked)[0], isLeftInName: false };
};

const names = /^(?:slot\.[a-z]+|version|name|deployment)$/;

/** What else is to be said to whoever is refused because of such a secret. */
export const secretHint = ({ kind }: Pick<FieldSecret, 'kind'>): string =>
  kind === unlikeVersion
    ? 'a version of a secret is a number, a date, 1.2.3 or an id (hex, UUID), never its value; '
    : '';

const unlikeVersion = 'unlike-a-version';

/** The text of a field, such as `slot.environment`; empty where it holds none. */
const textAt = (body: object, path: string): string => {
  const value = path
    .split('.')
    .reduce<unknown>((inside, name) => (isTree(inside) ? (inside as Body)[name] : undefined), body);
  return typeof value === 'string' ? value : '';
};

const secretsAt = (value: unknown, path: string): readonly FieldSecret[] => {
  if (typeof value === 'string')
    return findSecrets(value).map(({ kind, masked }) => ({ path, kind, masked }));
  if (!isTree(value)) return [];
  const inside = Object.entries(value).flatMap(([name, item]: [string, unknown]) =>
    secretsAt(item, pathOf(path, name, value)),
  );
  const pair = pairOf(value);
  if (pair === undefined || inside.length > 0) return inside;
  return findSecrets(joined(pair)).map(({ kind, masked }) => ({
    path: `${path}.value`,
    kind,
    masked,
  }));
};

/** The body with its secrets written over, as far as `covers` says, and addresses of people cut short. */
export const maskBody = (body: Body, covers: (text: string) => boolean): Body => ({
  ...(maskAt(body, covers) as Body),
  ...Object.fromEntries(
    noVersions(body).flatMap((field) => (covers(textAt(body, field)) ? [[field, '***']] : [])),
  ),
});

const maskAt = (value: unknown, covers: (text: string) => boolean): unknown => {
  if (typeof value === 'string') return maskAddresses(covers(value) ? maskSecrets(value) : value);
  if (!isTree(value)) return value;
  if (Array.isArray(value)) return value.map((item) => maskAt(item, covers));
  const masked = Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, maskAt(item, covers)]),
  );
  const pair = pairOf(value);
  if (pair === undefined || !covers(pair.value)) return masked;
  const together = maskSecrets(joined(pair));
  return together.startsWith(`${pair.name}=`) && together !== joined(pair)
    ? { ...masked, value: together.slice(pair.name.length + 1) }
    : masked;
};

const isTree = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

const pathOf = (path: string, name: string, parent: object): string => {
  if (Array.isArray(parent)) return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
};

type Pair = { readonly name: string; readonly value: string };

const pairOf = (value: object): Pair | undefined =>
  'name' in value &&
  'value' in value &&
  typeof value.name === 'string' &&
  typeof value.value === 'string'
    ? { name: value.name, value: value.value }
    : undefined;

const joined = ({ name, value }: Pair): string => `${name}=${value}`;

const allText = (value: unknown): string => {
  if (typeof value === 'string') return `${value}\n`;
  if (!isTree(value)) return '';
  const pair = pairOf(value);
  return (
    (pair === undefined ? '' : `${joined(pair)}\n`) + Object.values(value).map(allText).join('')
  );
};
