import type { FoundSecret } from './found-secret.ts';
import { hiddenAt } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { isPasswordValue } from './values.ts';

// Passwords that somebody tells: "the password is …", "password for ci: …". And a line of .pgpass, where only the place
// tells it.

/** In quotes any word is one. */
const quoted =
  /\bpassword(?: for (?:the )?(?:user |username )?["'`]?[^\s"'`]{1,64}["'`]?)? (?:is|was)(?: now| set to)? (["'`])([^"'`\n]{3,64})\1/gi;

const told =
  /\b(?:password|passphrase|passwd|pw)(?:\s{1,3}for\s{1,3}[^\s:]{1,64})?(?:\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was)\s{1,3})["'`]?([^\s"'`,;()]{7,128})/gi;
/** Only a blank between: then names of algorithms and files follow too. */
const beside = /\b(?:password|passphrase|passwd|pw)\s{1,3}["'`]?([^\s"'`,;()]{7,128})/gi;
const pgpass = /^[^\s:]{1,253}:(?:[0-9]{1,5}|\*):[^\s:/]{1,64}:[^\s:/]{1,64}:([^\s:]{8,128})$/gm;

export const findSpoken = ({ text, lower }: TextReader): readonly FoundSecret[] => [
  ...valuesOf(text, pgpass, looksMade),
  ...(lower.includes('pass') || lower.includes('pw')
    ? [
        ...valuesOf(text, quoted, () => true),
        ...valuesOf(text, told, looksMade),
        ...valuesOf(text, beside, (value) => looksMade(value) && !isTerm(value)),
      ]
    : []),
];

const valuesOf = (
  text: string,
  form: RegExp,
  isMade: (value: string) => boolean,
): readonly FoundSecret[] =>
  [...text.matchAll(form)].flatMap((match) => {
    const said = match.at(-1) ?? '';
    const start = match.index + match[0].lastIndexOf(said);
    const quote = text[start - 1] ?? '';
    const isQuoted = /["'`]/.test(quote) && text[start + said.length] === quote;
    const value = isQuoted ? said : said.replace(/[.!?:\]}]{1,3}$/, '');
    return isPasswordValue(value) && isMade(value) ? [hiddenAt('password', start, value)] : [];
  });

/** Letters with digits, and neither a version, a path, an anchor nor a time. */
const looksMade = (value: string): boolean =>
  /[a-z]/i.test(value) &&
  /[0-9]/.test(value) &&
  !/^(?:v?[0-9]+(?:\.[0-9]+)+[\w.+-]{0,32}|[0-9]{1,4}[a-z]{1,10}|.*[/\\(].*|#.*)$/i.test(value);

/** `bcrypt12`, `sha-256`, `reset2.html`. */
const isTerm = (value: string): boolean =>
  /^(?:[a-z]{2,8}-?[0-9]{1,4}(?:-[a-z0-9]{1,6})?|[\w-]{1,64}\.[a-z]{2,4})$/i.test(value);
