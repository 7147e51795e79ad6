import { renameSync, writeFileSync } from 'node:fs';

/** Whole or not at all: if we stop in between, the old file stands. */
export const writeWhole = (file: string, text: string): void => {
  const temporary = `${file}.new`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
};
