/** A word as a POSIX shell takes it whole, whatever is in it: names are chosen by whoever deploys. */
export const shellWord = (word: string): string =>
  /^[\w@%+:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
