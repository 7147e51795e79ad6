import type { FoundSecret } from './found-secret.ts';
import { hiddenAt } from './found-secret.ts';

const puttyBeginning = 'PuTTY-User-Key-File-';

/**
 * Private keys in PEM (RFC 7468) and PuTTY's format: up to their end, or that of a text that was cut off; and what is
 * left of one whose beginning was cut off. A line that is only talked about, with no key behind it, is none.
 */
export const findPrivateKeys = (text: string): readonly FoundSecret[] => {
  const found: FoundSecret[] = [];
  const marks = /-----(?:BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
  const ending = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
  let from = 0;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    const behind = mark.index + mark[0].length;
    if (mark[0].startsWith('-----END')) {
      const start = startOfTail(text, from, mark.index);
      if (start !== undefined)
        found.push(hiddenAt('private-key', start, text.slice(start, behind)));
      from = behind;
    } else if (bodyFollows(text, behind)) {
      ending.lastIndex = behind;
      from = ending.exec(text) === null ? text.length : ending.lastIndex;
      found.push(privateKey(mark.index, from, mark[0]));
      marks.lastIndex = from;
    }
  }
  const putty = text.indexOf(puttyBeginning);
  return putty < 0 ? found : [...found, privateKey(putty, text.length, puttyBeginning)];
};

const privateKey = (start: number, end: number, begins: string): FoundSecret => ({
  kind: 'private-key',
  start,
  end,
  masked: `${begins}… (${end - start} characters)`,
});

/** Headers of an encrypted key may stand before its body. */
const headersMax = 512;

const bodyFollows = (text: string, at: number): boolean => {
  const next = text.slice(at, at + headersMax).split('-----', 1)[0] ?? '';
  return (next.match(/[A-Za-z0-9+/]{16,}/g) ?? []).some(isBody);
};

/** Base64 of what is drawn by chance, and no path: of those every eighth character would be a slash at least. */
const isBody = (run: string): boolean =>
  /[0-9]/.test(run) &&
  /[a-z]/.test(run) &&
  /[A-Z]/.test(run) &&
  (run.split('/').length - 1) * 8 <= run.length;

/** A line of a body is longer, but for the last; a log may have put a time and a name before each. */
const lineMin = 24;
const betweenMax = 160;

/** Where the lines of a body before an END begin. No character is looked at twice: no line starts before `from`. */
const startOfTail = (text: string, from: number, end: number): number | undefined => {
  let start: number | undefined;
  for (let at = end; at > from && (start ?? end) - at <= betweenMax;) {
    let begin = at;
    while (begin > from && isBase64Sign(text.charCodeAt(begin - 1))) begin--;
    if (at - begin >= lineMin && isBody(text.slice(begin, at))) start = begin;
    // A line that frames something else.
    else if (text.startsWith('-----', begin - 5)) break;
    at = begin === at ? at - 1 : begin;
  }
  if (start === undefined) return undefined;
  const cut = startOfCutLine(text.slice(Math.max(from, start - 256), start));
  if (cut !== undefined) return start - cut;
  // The end of a line that is written as two characters.
  return /\\[nr]$/.test(text.slice(Math.max(from, start - 1), start + 1)) ? start + 1 : start;
};

/** How far before the first whole line what is left of the line before it begins; a plain word is none. */
const startOfCutLine = (before: string): number | undefined => {
  const rest =
    /(?:^|\n)[^\S\n]{0,40}…?([A-Za-z0-9+/]{1,76})\r?\n[^\n]{0,120}$/.exec(before) ??
    /(?:^|[\s"'`])([A-Za-z0-9+/]{1,76})(?:\\{1,3}[nr]?)+$/.exec(before);
  const line = rest?.[1] ?? '';
  return rest === null || /^[A-Za-z]?[a-z]*$/.test(line)
    ? undefined
    : before.length - rest.index - rest[0].indexOf(line);
};

const isBase64Sign = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  (code >= 65 && code <= 90) ||
  (code >= 97 && code <= 122) ||
  code === 43 ||
  code === 47;
