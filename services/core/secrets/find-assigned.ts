import type { FoundSecret } from './found-secret.ts';
import { hiddenAt } from './found-secret.ts';
import { nameStems, secretNames } from './secret-names.ts';
import type { TextReader } from './text-reader.ts';
import { isUnquoted } from './text-reader.ts';
import { isPasswordValue, looksDrawn } from './values.ts';

// Secrets that only their name gives away: `password=…`, `DD_API_KEY: …`, `--token …`.

const valueMax = 512;
const names = secretNames();

export const findAssigned = (reader: TextReader): readonly FoundSecret[] => {
  const { text, lower } = reader;
  const found: FoundSecret[] = [];
  if (!nameStems.some((stem) => lower.includes(stem))) return found;
  names.lastIndex = 0;
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    const [whole, password, nameQuote, sign = '', quote = ''] = match;
    const start = match.index + whole.length;
    const isFlag = sign.trim() === '';
    if (isFlag && !isOption(text, match.index)) continue;
    // `arn:aws:secretsmanager:…:secret:NAME` is a path.
    if (sign === ':' && text[match.index - 1] === ':') continue;
    const isElement = sign.startsWith('>');
    const end = isElement ? text.indexOf('</', start) : endOfValue(reader, start, quote);
    if (isElement && !isClosed(text, match.index, start, end)) continue;
    const value = isElement ? text.slice(start, end).trimEnd() : text.slice(start, end);
    // `${PASSWORD:?not set}`
    if (value.startsWith('?') && /\$\{\w{0,64}$/.test(text.slice(0, match.index).slice(-66)))
      continue;
    // A command whose output is meant, or a program behind a text that ends with a name: `"password: " + found`.
    if (quote === '`' && /\s/.test(value)) continue;
    if (quote !== '' && /^(?:\s{0,3}[+.,]\s|\+new\s|\.\$|,[a-z])/i.test(value)) continue;
    const isBare = quote === '' && (isFlag || isElement || sign.includes(':'));
    // `pass: "…"` in YAML; `Pass: "all of them"` tells of tests.
    const isYaml = nameQuote === undefined && sign.includes(':');
    if (isYaml && /^(?:pw|pass)$/i.test(password ?? '') && !looksDrawn(value)) continue;
    // `pass=12 fail=0` and `pass=11/12` count tests.
    if (/^(?:pw|pass)$/i.test(password ?? '') && /^[0-9./]{1,15}%?$/.test(value)) continue;
    const isSecret =
      password === undefined ? looksDrawn(value) : looksLikePassword(value, isBare, isFlag);
    if (!isSecret) continue;
    found.push(hiddenAt(password === undefined ? 'assigned-secret' : 'password', start, value));
    names.lastIndex = start + value.length;
  }
  return found;
};

/** Whether the element that begins before `start` ends at `end`: `<apiKey>…</apiKey>`. */
const isClosed = (text: string, nameAt: number, start: number, end: number): boolean => {
  const tag = /<([\w:.-]{1,100})>\s{0,20}$/.exec(text.slice(Math.max(0, nameAt - 61), start))?.[1];
  return tag !== undefined && text.startsWith(`</${tag}>`, end);
};

/** Whether a blank behind the name is enough, as in `--db-password hunter2`. */
const isOption = (text: string, nameAt: number): boolean =>
  option.test(text.slice(Math.max(0, nameAt - 160), nameAt));

/** `--db-`, or the name of a setting: `aws configure set …`, `npm config set //host/:…`. */
const option = /(?:^|\s)(?:--?[a-z-]{0,40}|config(?:ure)?\s{1,3}set\s{1,3}[\w/:.@-]{0,120})$/i;

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
  if (!isPasswordValue(value) || (isFlag && value.startsWith('-'))) return false;
  // `password: must be longer` is a sentence.
  return !(isBare && /^\p{L}\p{Ll}{0,15}$/u.test(value));
};
