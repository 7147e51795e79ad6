import type { FoundSecret } from './found-secret.ts';
import { hiddenAt } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { looksDrawn } from './values.ts';

// What HTTP carries: `Authorization: SCHEME …` with whatever scheme, `Bearer …` in a sentence, and cookies.

const authorization =
  /\b(?:authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:[a-z][a-z-]{2,20}(?:\s{1,3}|%20))?(?:token=)?["']?|(?:bearer|basic)(?:\s{1,3}|%20))([\w+/.~:-]{8,1024}={0,2})(?![\w=])/gi;

const cookies =
  /(?:\b(?:set-)?cookie["']?\s{0,3}:|\bcurl\b[^\n|]{0,300}?\s(?:-b|--cookie))\s{0,3}["']?([^\n"']{1,4096})/gi;
const cookie = /(?:^|;\s{0,3})[^\s=;]{1,128}=([^;\s]{16,4096})/g;

/** Without one of these there is no header. */
const words = ['authorization', 'bearer', 'basic', 'cookie', 'curl'];

export const findInHeaders = ({ text, lower }: TextReader): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  if (!words.some((word) => lower.includes(word))) return found;
  for (const match of text.matchAll(authorization)) {
    const value = match[1] ?? '';
    if (looksDrawn(value))
      found.push(hiddenAt('authorization', match.index + match[0].length - value.length, value));
  }
  for (const header of text.matchAll(cookies)) {
    const pairs = header[1] ?? '';
    const pairsAt = header.index + header[0].length - pairs.length;
    for (const pair of pairs.matchAll(cookie)) {
      const value = pair[1] ?? '';
      if (looksDrawn(value))
        found.push(hiddenAt('cookie', pairsAt + pair.index + pair[0].length - value.length, value));
    }
  }
  return found;
};
