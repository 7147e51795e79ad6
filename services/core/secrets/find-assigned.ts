import type { FoundSecret } from './found-secret.ts';
import { isPlaceholder, isVaried } from './found-secret.ts';
import type { TextReader } from './text-reader.ts';
import { isBase64, isUnquoted } from './text-reader.ts';

// Secrets that only their name gives away: `password=…`, `DD_API_KEY: …`, `--token …`, `Authorization: Bearer …`.

const valueMax = 512;

/** Whatever is assigned to the first is secret; what is assigned to the others is where it looks drawn by chance. */
const names =
  /(?:(passwords?|passwd|passphrase|pwd|(?:db|user|admin|root|redis|mysql|pg|postgres|smtp|mail|ftp|ldap)[_-]pass|(?<![a-z0-9])(?:pw|pass)(?=["'`]?\s{0,3}=|["'`]\s{0,3}:))|secret[_-]?access[_-]?key|secret[_-]?key|client[_-]?secret|secret|(?:api|access|auth|private|signing|encryption|account)[_-]?key|(?:access|auth|refresh|session|bearer|api|deploy)?[_-]?token|credentials?)(["'`]?)(\s{0,3}(?:=>|:=|=|:)\s{0,3}|\s{1,3})(["'`]?)/gi;

const headers = /\b(?:bearer|basic)\s{1,3}/gi;

export const findAssigned = (reader: TextReader): readonly FoundSecret[] => {
  const { text } = reader;
  const found: FoundSecret[] = [];
  names.lastIndex = 0;
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    const [whole, password, , sign = '', quote = ''] = match;
    const start = match.index + whole.length;
    const isFlag = sign.trim() === '';
    if (isFlag && !isOption(text, match.index)) continue;
    // `arn:aws:secretsmanager:…:secret:NAME` is a path.
    if (sign === ':' && text[match.index - 1] === ':') continue;
    const value = text.slice(start, endOfValue(reader, start, quote));
    const isBare = quote === '' && (isFlag || sign.includes(':'));
    // `pass=12 fail=0` counts tests.
    if (/^(?:pw|pass)$/i.test(password ?? '') && /^[0-9.]{1,9}%?$/.test(value)) continue;
    const isSecret =
      password === undefined ? looksDrawn(value) : looksLikePassword(value, isBare, isFlag);
    if (!isSecret) continue;
    found.push(assigned(password === undefined ? 'assigned-secret' : 'password', start, value));
    names.lastIndex = start + value.length;
  }
  headers.lastIndex = 0;
  for (let match = headers.exec(text); match !== null; match = headers.exec(text)) {
    const start = match.index + match[0].length;
    const end = Math.min(reader.runEnd(isBase64, start), start + valueMax);
    const value = text.slice(start, end);
    if (value.length >= 12 && looksDrawn(value))
      found.push(assigned('authorization', start, value));
  }
  return [...found, ...findCurlUsers(text)];
};

const curlUsers = /\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[\s=]["']?[^\s:"']{1,64}:([^\s"']{1,256})/g;

/** `curl -u user:password`; elsewhere -u names users and groups of a machine. */
const findCurlUsers = (text: string): readonly FoundSecret[] =>
  text.includes('curl')
    ? [...text.matchAll(curlUsers)].flatMap((match) => {
        const value = match[1] ?? '';
        const start = match.index + match[0].length - value.length;
        return isPlaceholder(value) ? [] : [assigned('password', start, value)];
      })
    : [];

const assigned = (kind: string, start: number, value: string): FoundSecret => ({
  kind,
  start,
  end: start + value.length,
  masked: `… (${value.length} characters)`,
});

/** Whether the name ends an option of a command line, as in `--db-password hunter2`. */
const isOption = (text: string, nameAt: number): boolean =>
  /(?:^|\s)--?[a-z-]{0,40}$/i.test(text.slice(Math.max(0, nameAt - 48), nameAt));

/** A value in quotes goes up to the next one; otherwise to a blank, or to what begins the next pair. */
const endOfValue = (reader: TextReader, start: number, quote: string): number => {
  const { text } = reader;
  const limit = Math.min(text.length, start + valueMax);
  if (quote !== '') {
    const closing = text.slice(start, limit).indexOf(quote);
    if (closing >= 0) return start + closing;
  }
  const end = Math.min(reader.runEnd(isUnquoted, start), limit);
  const next = /[&;,][A-Za-z][\w.-]{0,40}[=:]/.exec(text.slice(start, end));
  const cut = next === null ? end : start + next.index;
  return start + text.slice(start, cut).replace(/[,;.)\]}\\]{1,9}$/, '').length;
};

const looksLikePassword = (value: string, isBare: boolean, isFlag: boolean): boolean => {
  if (value.length < 4 || isPlaceholder(value) || isReference(value)) return false;
  if (isFlag && value.startsWith('-')) return false;
  // `password: must be longer` is a sentence.
  return !(isBare && /^[A-Za-z][a-z]{0,15}$/.test(value));
};

const looksDrawn = (value: string): boolean =>
  value.length >= 8 &&
  isVaried(value) &&
  !isPlaceholder(value) &&
  !isReference(value) &&
  !isName(value) &&
  ((/[0-9]/.test(value) && /[a-z]/i.test(value)) ||
    (value.length >= 20 && /[a-z]/.test(value) && /[A-Z]/.test(value)));

/** Where a secret is kept is none: a path, an address without a password, the name of a variable. */
const isReference = (value: string): boolean =>
  reference.test(value) && !addressWithPassword.test(value) && !awsSecret.test(value);

const reference =
  /^(?:\.{0,2}\/[\w.]|~\/|[a-z][a-z0-9+.-]{1,20}:(?:\/\/|[a-z])|projects\/|secrets?[./]|env[.:]|sha(?:256|512|1)[:-])/i;
const addressWithPassword = /^[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/]{0,200}:[^\s/]{0,200}@/i;
/** One in sixty-four begins with a slash. */
const awsSecret = /^(?=.{0,38}[0-9])(?=.{0,38}[A-Z])(?=.{0,38}[a-z])\/[A-Za-z0-9+/]{39}$/;

/** Words and numbers with marks between them: names of things, versions, dates. */
const isName = (value: string): boolean =>
  value
    .split(/[-_./:@+]/)
    .every((part) =>
      /^(?:[a-z]{0,24}|[A-Z]{0,24}|[A-Z][a-z]{1,24}|v?[0-9]{1,8}|[a-z]{2,16}(?:[0-9]{1,2}|20[0-9]{2}))$/.test(
        part,
      ),
    );
