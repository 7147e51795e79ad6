// Text for people: what came from a log is never trusted to be harmless to a terminal.

import { plainText } from '../../core/plain-text.ts';

export { jsonText, plainText } from '../../core/plain-text.ts';

let segmenter: Intl.Segmenter | undefined;
/** Made when it is first needed: it takes a sixth of the time that Node needs to start. */
const graphemesOf = (text: string): Intl.Segments =>
  (segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })).segment(text);

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** Columns that the text takes in a terminal: two for East Asian wide letters and emoji, none for combining marks. */
export const displayWidth = (text: string): number => {
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += wide.test(segment) ? 2 : 1;
  return width;
};

/** At most that wide; what is cut off is shown by an ellipsis. */
export const shortened = (text: string, widthMax: number): string => {
  if (displayWidth(text) <= widthMax) return text;
  let width = 0;
  let kept = '';
  for (const { segment } of graphemesOf(text)) {
    width += displayWidth(segment);
    if (width > widthMax - 1) break;
    kept += segment;
  }
  return `${kept}…`;
};

const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)));

const gap = 2;
/** Of every column but the last. */
const cellWidthMax = 60;

/**
 * Rows under a heading, aligned. Columns that are empty in every row are left out; where the terminal is narrower
 * than the table, the last column is cut.
 */
export const table = (
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | null,
): readonly string[] => {
  const shown = heading
    .map((_, index) => index)
    .filter((index) => rows.length === 0 || rows.some((row) => (row[index] ?? '') !== ''));
  const cells = [heading, ...rows].map((row) =>
    shown.map((index, place) => {
      const text = plainText(row[index] ?? '');
      return place === shown.length - 1 ? text : shortened(text, cellWidthMax);
    }),
  );
  const widths = shown.map((_, place) =>
    Math.max(...cells.map((row) => displayWidth(row[place] ?? ''))),
  );
  return cells.map((row) => {
    const line = row
      .map((cell, place) =>
        place === row.length - 1 ? cell : padded(cell, (widths[place] ?? 0) + gap),
      )
      .join('')
      .trimEnd();
    return columns === null ? line : shortened(line, columns);
  });
};

/** `2026-11-21T10:00:00.000Z` as `2026-11-21 10:00:00Z`: UTC, and said so. */
export const shortTime = (iso: string | null): string =>
  iso === null ? '' : iso.replace('T', ' ').replace(/\.[0-9]+Z$/, 'Z');

const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

const digestDigits = 12;

/** A SHA-256 as people compare it: the same cut everywhere; JSON has the whole. */
export const digestShown = (hex: string): string => hex.slice(0, digestDigits);

/** A time span in the largest unit that it fills at least twice, rounded down: `350 ms`, `90 s`, `3 h`. */
export const spanText = (ms: number): string => {
  const [unitMs, name] = units.find(([unit]) => ms >= 2 * unit) ?? [1, 'ms'];
  return `${Math.floor(ms / unitMs)} ${name}`;
};

/** `812 B`, `3.4 KB`, `1.2 MB`: a KB is 1,000 bytes. */
export const bytesText = (bytes: number): string => {
  const [unit, name] = bytes >= 1e6 ? [1e6, 'MB'] : bytes >= 1e3 ? [1e3, 'KB'] : [1, 'B'];
  return `${unit === 1 ? bytes : (bytes / unit).toFixed(1)} ${name}`;
};

const green = 32;
const red = 31;
const yellow = 33;

const colours: readonly (readonly [words: RegExp, colour: number])[] = [
  [/\b(succeeded|logged|promote)\b/g, green],
  [/\b(failed|canceled|roll-back|SUSPECT KEY|CONFLICT|held|compromised)\b/g, red],
  [/\b(running|planned|uncertain|expired|hold|advance)\b/g, yellow],
];

/** The words that say how it stands, in colour. */
export const paintStatus = (line: string): string =>
  colours.reduce(
    (painted, [words, colour]) => painted.replace(words, `\u001b[${colour}m$1\u001b[0m`),
    line,
  );
