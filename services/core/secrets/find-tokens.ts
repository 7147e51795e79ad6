import type { FoundSecret } from './found-secret.ts';
import { isVaried } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { isWord } from './text-reader.ts';
import type { TokenFormat } from './token-format.ts';
import { tokenFormats } from './token-formats.ts';

/** Tokens that a vendor's format gives away. */
export const findTokens = (reader: TextReader): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  for (const format of tokenFormats)
    for (const beginning of format.starts)
      for (let at = reader.text.indexOf(beginning); at >= 0;) {
        const token = tokenAt(reader, format, at, at + beginning.length);
        if (token !== undefined) found.push(token);
        at = reader.text.indexOf(beginning, token?.end ?? at + beginning.length);
      }
  return found;
};

const shownMax = 4;

const tokenAt = (
  reader: TextReader,
  format: TokenFormat,
  at: number,
  bodyAt: number,
): FoundSecret | undefined => {
  const start = startOf(reader, format, at);
  const end = start === undefined ? undefined : endOf(reader, format, bodyAt);
  if (start === undefined || end === undefined) return undefined;
  const drawn = reader.text.slice(start, at) + reader.text.slice(bodyAt, end);
  if (!isVaried(drawn) || (format.hasDigit === true && !/[0-9]/.test(drawn))) return undefined;
  const shown = reader.text.slice(at, Math.min(bodyAt, at + shownMax));
  return { kind: format.kind, start, end, masked: `${shown}… (${end - start} characters)` };
};

/** Where it begins, if what stands before it fits. */
const startOf = (
  reader: TextReader,
  { lead, starts }: TokenFormat,
  at: number,
): number | undefined => {
  if (lead === undefined) {
    const beginsWithWord = starts.some((start) => isWord(start.charCodeAt(0)));
    return beginsWithWord && reader.is(isWord, at - 1) ? undefined : at;
  }
  let start = at;
  while (at - start < lead.max && reader.is(lead.alphabet, start - 1)) start--;
  return at - start < lead.min || reader.is(isWord, start - 1) ? undefined : start;
};

const endOf = (reader: TextReader, { parts }: TokenFormat, from: number): number | undefined => {
  let at = from;
  for (const part of parts) {
    if (typeof part === 'string') {
      if (!reader.text.startsWith(part, at)) return undefined;
      at += part.length;
      continue;
    }
    const end = Math.min(reader.runEnd(part.alphabet, at), at + part.max);
    if (end - at < part.min) return undefined;
    at = end;
  }
  return reader.is(isWord, at) ? undefined : at;
};
