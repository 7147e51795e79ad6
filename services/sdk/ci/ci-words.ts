import { nameMax, textMax } from '../../core/markers/limits.ts';
import { plainText } from '../../core/plain-text.ts';
import type { CiRun } from '../../core/deployment-id.ts';
import { repositoryName, withoutCredentials } from './repository.ts';

// What CI systems say about themselves in the environment. Only what is documented and set in every job is used.

export type Environment = { readonly [name: string]: string | undefined };

/** What a job knows before anybody tells it anything. */
export type CiJob = {
  /** The CI as people call it. */
  readonly name: string;
  /** The run, whose jobs share their deployments; null where the CI does not say which run it is. */
  readonly run: CiRun | null;
  /** Which attempt at the run this is; null where the CI counts none. */
  readonly attempt: string | null;
  /** The CloudEvents source of what it says: the job's address. */
  readonly source: string | null;
  readonly repositoryName: string | null;
  readonly repository: string | null;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly tag: string | null;
  readonly build: string | null;
  readonly trigger: Trigger | null;
  readonly actor: string | null;
  readonly links: readonly { readonly name: string; readonly value: string }[];
  readonly pullRequest: { readonly id: string; readonly url: string | null } | null;
  /** The environment that the CI deploys this job to, and the variable that says so. */
  readonly environment: { readonly name: string; readonly from: string } | null;
};

export type Trigger = 'push' | 'tag' | 'schedule' | 'api' | 'manual' | 'rerun' | 'auto';

/** Reads one CI's environment. */
export type ReadJob = (env: Environment) => CiJob;

export const isTrue = (value: string | undefined): boolean =>
  value === '1' || value?.toLowerCase() === 'true';

/**
 * The first of these variables that has a value, without the space around it. What a CI says of itself must never keep
 * a marker back: a value that no field would take is as if it were not there.
 */
export const text = (env: Environment, ...names: readonly string[]): string | null =>
  firstThat(env, names, (value) => fits(value) && !hasPassword(value));

/** The same for what becomes a name: of an environment, a branch, an attempt. */
export const nameText = (env: Environment, ...names: readonly string[]): string | null =>
  firstThat(env, names, (value) => fitsName(value) && !hasPassword(value));

/** `user:password@`, where no address is expected. */
const hasPassword = (value: string): boolean => /[^\s/]:[^\s/]+@/.test(value);

const firstThat = (
  env: Environment,
  names: readonly string[],
  isFit: (value: string) => boolean,
): string | null => {
  for (const name of names) {
    const value = env[name];
    // Ten megabytes are no value, and not worth a look.
    if (value === undefined || value.length > lengthMax) continue;
    const trimmed = value.trim();
    if (trimmed !== '' && isFit(trimmed)) return trimmed;
  }
  return null;
};

/** Longer than every field that is filled from here. */
const lengthMax = 4096;

/** What was no UTF-8 in the environment arrives with this mark. */
const replaced = '\ufffd';

export const fits = (value: string): boolean =>
  value.length <= textMax &&
  value.isWellFormed() &&
  !value.includes(replaced) &&
  plainText(value) === value;

export const fitsName = (value: string): boolean => value.length <= nameMax && fits(value);

/** An address of the web, without the credentials that it may carry; null where it is none. */
export const address = (env: Environment, ...names: readonly string[]): string | null => {
  const written = firstThat(env, names, fits);
  if (written === null || !/^https?:\/\/[^\s/?#]/i.test(written)) return null;
  const bare = written.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');
  return secretParameter.test(bare) ? bare.replace(/[?#].*$/, '') : bare;
};

const secretParameter = /[?&#][^=&]*(?:token|secret|passw|sig|key|auth)[^=&]*=/i;

/** Where that address begins: scheme, host and port. */
export const originOf = (url: string | null): string | null =>
  url === null ? null : (/^(https?:\/\/[^/?#]+)/i.exec(url)?.[1] ?? null);

/** Address and name of a repository, as its variables say them. */
export const repositoryOf = (
  env: Environment,
  ...names: readonly string[]
): Pick<CiJob, 'repository' | 'repositoryName'> => {
  const written = firstThat(env, names, fits);
  if (written === null) return { repository: null, repositoryName: null };
  const name = repositoryName(written);
  return {
    repository: withoutCredentials(written),
    repositoryName: name !== null && fitsName(name) ? name : null,
  };
};

/** Links that no field would refuse. */
export const linksOf = (
  ...links: readonly (readonly [name: string, value: string | null])[]
): CiJob['links'] =>
  links.flatMap(([name, value]) => (value === null || !fits(value) ? [] : [{ name, value }]));

/** `refs/heads/main` is the branch `main`, `refs/tags/v1` the tag `v1`. */
export const refOf = (ref: string | null): Pick<CiJob, 'branch' | 'tag'> => {
  const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref ?? '') ?? [];
  const isNamed = name !== undefined && fitsName(name);
  return {
    branch: isNamed && kind === 'heads' ? name : null,
    tag: isNamed && kind === 'tags' ? name : null,
  };
};

/** A whole number above the first: the try that a job is at, where its CI counts tries. */
export const triesBeyond = (first: number, value: string | undefined): number | null => {
  const tries = /^[0-9]{1,6}$/.test(value ?? '') ? Number(value) : first;
  return tries > first ? tries : null;
};
