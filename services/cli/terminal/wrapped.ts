import { displayWidth } from './display.ts';

/** What follows in a line of its own stands this much further in. */
const furtherIn = '  ';

/**
 * A line as lines of at most that many columns, broken at spaces and indented as it is; null: as it is. A word that is
 * longer, such as an address, is left whole, so that it can be copied.
 */
export const wrapped = (line: string, columns: number | null): readonly string[] => {
  if (columns === null || displayWidth(line) <= columns) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const told: string[] = [];
  let now = indent;
  let isBlank = true;
  // The spaces behind a word go with it, so that columns stay aligned as far as the line reaches.
  for (const word of line.slice(indent.length).match(/\S+ */g) ?? []) {
    if (!isBlank && displayWidth(now) + displayWidth(word.trimEnd()) > columns) {
      told.push(now.trimEnd());
      now = `${indent}${furtherIn}`;
    }
    now += word;
    isBlank = false;
  }
  return [...told, now.trimEnd()];
};
