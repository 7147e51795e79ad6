import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Larger ones are read by git itself. */
const configBytesMax: number = 256 * 1024;
const foldersMax = 64;

/**
 * The address of `origin` in the repository around a folder, read from `.git/config`: that is far sooner there than a
 * git process. Undefined: only git can tell, as for a worktree or a file that includes another.
 */
export const originIn = async (folder: string): Promise<string | null | undefined> => {
  let at = folder;
  for (let looked = 0; looked < foldersMax; looked++) {
    const found = await stat(join(at, '.git')).catch(() => undefined);
    if (found !== undefined)
      return found.isDirectory() ? readOrigin(join(at, '.git', 'config')) : undefined;
    if (dirname(at) === at) return null;
    at = dirname(at);
  }
  return null;
};

const readOrigin = async (path: string): Promise<string | null | undefined> => {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size > configBytesMax) return undefined;
  return originOf(await readFile(path, 'utf8'));
};

/** What git would say of the file's text; undefined where that is not plain to see. */
export const originOf = (text: string): string | null | undefined => {
  if (/^\s*\[(?:include|includeif|url)\b/im.test(text)) return undefined;
  let isOrigin = false;
  for (const line of text.split('\n')) {
    const section = /^\s*\[\s*([^\]]*?)\s*\]\s*$/.exec(line)?.[1];
    if (section !== undefined) isOrigin = /^remote\s+"origin"$/i.test(section);
    const value = isOrigin ? /^\s*url\s*=\s*(.*?)\s*$/i.exec(line)?.[1] : undefined;
    if (value === undefined) continue;
    // Quotes, escapes and comments are git's to read.
    return /["\\#;]/.test(value) || value === '' ? undefined : value;
  }
  return null;
};
