import type { LogRecord } from '../log/record.ts';
import type { Text } from '../markers/crypto.ts';
import { headerNames } from '../markers/wire.ts';

/** What a record claims to be: shown, never believed. */
export type Claims = {
  readonly type: string | null;
  readonly marker: string | null;
  readonly keyId: string | null;
  /** From the body, where its signature is good and its first fields could be read. */
  readonly deployment: string | null;
  readonly kind: string | null;
};

/** What the body of a well signed record is about. */
export type About = { readonly deployment: string | null; readonly kind: string };

/** Anything else may be meant for the terminal of whoever reads it. */
const plainClaim = /^[\x21-\x7e]{1,128}$/;

export const claimsOf = (text: Text, record: LogRecord, about: About | undefined): Claims => {
  const claim = (name: string): string | null => {
    const header = record.headers.find((other) => other.name === name);
    const content = header === undefined ? undefined : text.decodeUtf8(header.value);
    return content !== undefined && plainClaim.test(content) ? content : null;
  };
  return {
    type: claim(headerNames.type),
    marker: claim(headerNames.id),
    keyId: claim(headerNames.signature)?.slice(0, 16) ?? null,
    deployment: about?.deployment ?? null,
    kind: about?.kind ?? null,
  };
};
