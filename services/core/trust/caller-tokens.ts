import { isKind, kinds } from '../markers/kinds.ts';
import { nameMax } from '../markers/limits.ts';
import type { TrustedKey } from '../markers/marker.ts';
import { isoTime } from '../instant.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import { utcMsOf } from '../utc-time.ts';
import { tokenNamePattern } from './on-behalf.ts';

// Who may send markers as JSON without a key: names, what of their tokens is known, and what they may say where.

/** Somebody who may send markers, known by a token. Patterns of its scope are names, or beginnings and `*`. */
export type CallerToken = Pick<TrustedKey, 'environments' | 'components' | 'kinds'> & {
  readonly name: string;
  /** SHA-256 of the token, 64 hex digits: the token itself is kept nowhere. */
  readonly digest: string;
  /** It counts until then, milliseconds since 1970; null: until its line is taken out. */
  readonly expiresAtMs: number | null;
};

/** What is wrong with a list of tokens. No message holds what stands in the list. */
export type CallerTokensProblem = {
  readonly code: 'tokens-invalid';
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
};

export const tokensFileBytesMax: number = 256 * 1024;
export const tokensMax = 1000;
const patternsMax = 50;

const digestPattern = /^sha256:([0-9a-f]{64})$/;
const scopePattern = /^[^*,\s]*\*?$/;
const settings = ['environments', 'components', 'kinds', 'expires'] as const;
type SettingName = (typeof settings)[number];

/**
 * Reads a list of tokens, one a line: `NAME sha256:HEX environments=A,B components=* [kinds=…] [expires=TIME]`. What
 * follows a `#` at the begin of a line or behind a space is for people.
 */
export const parseCallerTokens = (
  text: string,
): Result<readonly CallerToken[], CallerTokensProblem> => {
  const tokens: CallerToken[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1;
    const words = written
      .replace(/(?:^|\s)#.*$/, '')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) continue;
    const token = tokenOf(words);
    if (!token.ok) return refuse(line, token.problem);
    const { name, digest } = token.value;
    if (tokens.some((other) => other.name === name))
      return refuse(line, 'another line has the same name');
    if (tokens.some((other) => other.digest === digest))
      return refuse(line, 'another line has the same token');
    if (tokens.length === tokensMax) return refuse(line, `more than ${tokensMax} tokens`);
    tokens.push(token.value);
  }
  return ok(tokens);
};

/** The line that says it. */
export const callerTokenLine = (token: CallerToken): string =>
  [
    token.name,
    `sha256:${token.digest}`,
    `environments=${token.environments.join(',')}`,
    `components=${token.components.join(',')}`,
    ...(token.kinds.includes('*') ? [] : [`kinds=${token.kinds.join(',')}`]),
    ...(token.expiresAtMs === null ? [] : [`expires=${isoTime(token.expiresAtMs)}`]),
  ].join(' ');

/** Whether it counts at a time. */
export const isExpiredToken = ({ expiresAtMs }: CallerToken, nowMs: number): boolean =>
  expiresAtMs !== null && nowMs >= expiresAtMs;

const tokenOf = ([name = '', digest = '', ...more]: readonly string[]): Result<
  CallerToken,
  string
> => {
  if (!tokenNamePattern.test(name))
    return fail('the name must be 1 to 63 of a-z, 0-9, dot, dash and underscore');
  const hex = digestPattern.exec(digest)?.[1];
  if (hex === undefined)
    return fail('behind the name there must be sha256: and 64 hex digits in lower case');
  const said = new Map<SettingName, string>();
  for (const word of more) {
    const at = word.indexOf('=');
    const setting = settings.find((one) => one === word.slice(0, Math.max(0, at)));
    if (setting === undefined) return fail(`a word is none of ${settings.join('=, ')}=`);
    if (said.has(setting)) return fail(`${setting} stands twice`);
    said.set(setting, word.slice(at + 1));
  }
  const environments = patternsIn(said.get('environments'), 'environments');
  if (!environments.ok) return environments;
  const components = patternsIn(said.get('components'), 'components');
  if (!components.ok) return components;
  const ofKinds = patternsIn(said.get('kinds') ?? '*', 'kinds');
  if (!ofKinds.ok) return ofKinds;
  const unknown = ofKinds.value.find((kind) => !kind.endsWith('*') && !isSayable(kind));
  if (unknown !== undefined) return fail('kinds names one that nobody may say with a token');
  const expires = said.get('expires');
  const expiresAtMs = expires === undefined ? null : utcMsOf(expires);
  if (expires !== undefined && expiresAtMs === null)
    return fail('expires must be a UTC time such as 2027-01-31T00:00:00Z');
  return ok({
    name,
    digest: hex,
    environments: environments.value,
    components: components.value,
    kinds: ofKinds.value,
    expiresAtMs,
  });
};

/** What emitters say. */
const isSayable = (word: string): boolean => isKind(word) && kinds[word].role === 'emitter';

/** No scope is no permission: a place that is not named must not become every place. */
const patternsIn = (
  written: string | undefined,
  setting: SettingName,
): Result<readonly string[], string> => {
  if (written === undefined) return fail(`${setting} must be named, * for all`);
  const patterns = written.split(',');
  if (patterns.length > patternsMax) return fail(`${setting} has more than ${patternsMax} names`);
  return patterns.every((one) => one !== '' && one.length <= nameMax && scopePattern.test(one))
    ? ok(patterns)
    : fail(`${setting} must be names with commas between, each whole or ending in its only *`);
};

const refuse = (line: number, message: string): Result<never, CallerTokensProblem> =>
  fail({ code: 'tokens-invalid', line, message });
