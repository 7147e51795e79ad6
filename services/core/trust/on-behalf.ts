import type { Envelope, TrustedKey } from '../markers/marker.ts';
import { hasRole } from './trust.ts';

// What a gateway signs for callers who have a token and no key. Its key has the role `gateway`, so the log itself says
// that somebody else speaks, and the source, which the gateway writes, says with which token.

const sourceStart = 'plimsoll/token/';

/** Names of tokens: 1 to 63 of a-z, 0-9, dot, dash and underscore. */
export const tokenNamePattern: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** The `source` of what is said with a token. */
export const onBehalfSource = (token: string): string => `${sourceStart}${token}`;

/** The token that a source names, or undefined. */
export const tokenOfSource = (source: string): string | undefined => {
  if (!source.startsWith(sourceStart)) return undefined;
  const name = source.slice(sourceStart.length);
  return tokenNamePattern.test(name) ? name : undefined;
};

/** A key that speaks for others never speaks for itself, whatever else it may do. */
export const speaksForOthers = (key: TrustedKey): boolean => hasRole(key, 'gateway');

/** The token with which a marker was said, or null: its signer speaks for itself. */
export const onBehalfOf = (
  signer: TrustedKey,
  { source }: Pick<Envelope, 'source'>,
): string | null => (speaksForOthers(signer) ? (tokenOfSource(source) ?? '') : null);
