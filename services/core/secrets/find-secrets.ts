import { findAssigned } from './find-assigned.ts';
import { findInAddresses } from './find-in-addresses.ts';
import { findInCommands } from './find-in-commands.ts';
import { findInHeaders } from './find-in-headers.ts';
import { findInManifests } from './find-in-manifests.ts';
import { findPrivateKeys } from './find-pems.ts';
import { findTokens } from './find-tokens.ts';
import { findSpoken } from './find-spoken.ts';
import type { FoundSecret } from './found-secret.ts';
import { maskOf } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { createTextReader } from './text-reader.ts';

/**
 * Secrets in a text, in their order, none inside another: tokens by their vendors' formats, private keys, what is
 * assigned to the name of a secret, passwords in addresses. Digests, commits and UUIDs alone are none. Each character
 * is looked at a bounded number of times, whatever the text says.
 */
export const findSecrets = (text: string): readonly FoundSecret[] =>
  text.length < shortest ? [] : secretsIn(createTextReader(text));

/** No secret is shorter than a password with its name. */
const shortest = 8;

/** The same for a reader, which counts what it costs. */
export const secretsIn = (reader: TextReader): readonly FoundSecret[] => {
  const all = [
    ...findPrivateKeys(reader.text),
    ...findTokens(reader),
    ...findInAddresses(reader),
    ...findAssigned(reader),
    ...findInHeaders(reader),
    ...findInCommands(reader),
    ...findSpoken(reader),
    ...findInManifests(reader),
  ];
  if (all.length < 2) return all;
  const kept: FoundSecret[] = [];
  for (const one of all.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1);
    if (last === undefined || one.start >= last.end) kept.push(one);
    // Two that overlap are covered as one.
    else if (one.end > last.end) kept[kept.length - 1] = { ...last, end: one.end };
  }
  return kept;
};

/**
 * The text with every secret written over: `[masked KIND]`, or `***` where that would be longer. What stands around one
 * may look like another once it is: so it is done again until nothing is found.
 */
export const maskSecrets = (text: string): string => {
  let masked = text;
  for (let pass = 0; pass < passesMax; pass++) {
    const found = findSecrets(masked);
    if (found.length === 0) break;
    masked = written(masked, found);
  }
  return masked;
};

/** A mask is never longer than what it covers, and is no secret: one pass is enough but for one text in thousands. */
const passesMax = 4;

const written = (text: string, secrets: readonly FoundSecret[]): string => {
  let masked = '';
  let from = 0;
  for (const secret of secrets) {
    masked += text.slice(from, secret.start) + maskOf(secret);
    from = secret.end;
  }
  return masked + text.slice(from);
};
