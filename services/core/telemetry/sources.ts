import type { Crypto } from '../markers/crypto.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';

/** Somebody who may send telemetry, known by a token. */
export type TelemetrySource = {
  readonly name: string;
  /** SHA-256 of its token, 64 hex digits: the token itself is kept nowhere. */
  readonly tokenDigest: string;
  /** The `service.name`s that it may send; null: any. */
  readonly services: ReadonlySet<string> | null;
};

/** What is wrong with a list of sources. No message holds what stands in the list. */
export type SourcesProblem = {
  readonly code: 'sources-invalid';
  /** Counted from 1; null: the list as a whole. */
  readonly line: number | null;
  readonly message: string;
};

export const sourcesFileBytesMax: number = 256 * 1024;
export const sourcesMax = 1000;
export const tokenCharsMin = 16;
export const tokenCharsMax = 512;
const serviceCharsMax = 256;

const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** What RFC 6750 lets stand behind `Bearer`. */
const tokenPattern = /^[A-Za-z0-9._~+/-]+=*$/;
const digestPattern = /^sha256:([0-9a-f]{64})$/;

/**
 * Reads a list of sources, one a line: `NAME TOKEN [SERVICE,SERVICE…]`, where the token may stand as `sha256:` and the
 * 64 hex digits of its SHA-256. What follows a `#` at the begin of a line or behind a space is for people.
 */
export const parseSources = (
  text: string,
  crypto: Pick<Crypto, 'sha256HexOfText'>,
): Result<readonly TelemetrySource[], SourcesProblem> => {
  const sources: TelemetrySource[] = [];
  const lineOfName = new Map<string, number>();
  const lineOfToken = new Map<string, number>();
  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1;
    const words = wordsOf(written);
    if (words.length === 0) continue;
    const source = sourceOf(words, crypto);
    if (!source.ok) return refuse(line, source.problem);
    const { name, tokenDigest } = source.value;
    const sameName = lineOfName.get(name);
    if (sameName !== undefined) return refuse(line, `line ${sameName} has the same name`);
    const sameToken = lineOfToken.get(tokenDigest);
    if (sameToken !== undefined) return refuse(line, `line ${sameToken} has the same token`);
    if (sources.length === sourcesMax) return refuse(line, `more than ${sourcesMax} sources`);
    lineOfName.set(name, line);
    lineOfToken.set(tokenDigest, line);
    sources.push(source.value);
  }
  return sources.length === 0 ? refuse(null, 'it names no source') : ok(sources);
};

const wordsOf = (line: string): readonly string[] =>
  line
    .replace(/(?:^|\s)#.*$/, '')
    .split(/\s+/)
    .filter((word) => word !== '');

const sourceOf = (
  [name = '', token, services, ...more]: readonly string[],
  crypto: Pick<Crypto, 'sha256HexOfText'>,
): Result<TelemetrySource, string> => {
  if (!namePattern.test(name))
    return fail('the name must be 1 to 63 of a-z, 0-9, dot, dash and underscore');
  if (token === undefined) return fail('there is no token behind the name');
  if (more.length > 0)
    return fail('there are more than three words: services are told apart by commas alone');
  const tokenDigest = digestOf(token, crypto);
  if (!tokenDigest.ok) return tokenDigest;
  const allowed = services?.split(',');
  if (allowed?.some((service) => service === '' || service.length > serviceCharsMax))
    return fail(
      `services must be names of 1 to ${serviceCharsMax} characters, with commas between`,
    );
  return ok({
    name,
    tokenDigest: tokenDigest.value,
    services: allowed === undefined ? null : new Set(allowed),
  });
};

const digestOf = (
  token: string,
  crypto: Pick<Crypto, 'sha256HexOfText'>,
): Result<string, string> => {
  const digest = digestPattern.exec(token)?.[1];
  if (digest !== undefined) return ok(digest);
  if (token.startsWith('sha256:'))
    return fail('sha256: needs 64 hex digits in lower case behind it');
  if (token.length < tokenCharsMin || token.length > tokenCharsMax)
    return fail(
      `the token has ${token.length} characters; it must have ${tokenCharsMin} to ${tokenCharsMax}`,
    );
  if (!tokenPattern.test(token))
    return fail('the token may hold letters, digits, - . _ ~ + / and, at its end, = alone');
  return ok(crypto.sha256HexOfText(token));
};

const refuse = (line: number | null, message: string): Result<never, SourcesProblem> =>
  fail({ code: 'sources-invalid', line, message });

/** Whether a source may send telemetry of a service; null: the telemetry does not say whose it is. */
export const maySend = ({ services }: TelemetrySource, service: string | null): boolean =>
  services === null || (service !== null && services.has(service));

/** The token of an `Authorization` header (RFC 6750), of whatever length; undefined: it holds none. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^bearer +(\S+)$/i.exec(header?.trim() ?? '')?.[1];

/** Whether it has a length that tokens have: a digest in the list may be of one that would not be taken as such. */
export const isTokenLong = ({ length }: string): boolean =>
  length >= tokenCharsMin && length <= tokenCharsMax;
