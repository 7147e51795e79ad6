import { promises as files } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it; answers the topmost one that was not there, with its whole path. One by one: asked
 * for all at once, Node tries without end where a file system takes no folders and says that one is missing (/proc).
 * Throws what the file system says, with its code.
 */
export const makeFolders = async (path: string): Promise<string | undefined> => {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isThere(at)); at = dirname(at)) missing.push(at);
  for (const folder of missing.toReversed()) {
    try {
      await files.mkdir(folder);
    } catch (error) {
      // Another process may have made it just now.
      if (!(await isThere(folder))) throw error;
    }
  }
  return missing.at(-1);
};

const isThere = async (path: string): Promise<boolean> => {
  const found = await files.stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return false;
  if (found.isDirectory()) return true;
  throw Object.assign(new Error(`${path} is no folder`), { code: 'ENOTDIR' });
};

/**
 * Why a path can never hold files of ours, by the file system's code; undefined where the path is not to blame (a full
 * disk, say).
 */
export const folderFault = (code: string): string | undefined =>
  Object.hasOwn(faults, code) ? faults[code] : undefined;

/** The same of what was thrown, with its code: `a file is there (EEXIST)`. */
export const folderFaultOf = (error: unknown): string | undefined => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fault = folderFault(code);
  return fault === undefined ? undefined : `${fault} (${code})`;
};

const faults: { readonly [code: string]: string } = {
  ENOTDIR: 'it is, or lies below, a file',
  EEXIST: 'a file is there',
  ENOENT: 'no folder can be made there',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'it is read only',
  ENAMETOOLONG: 'the name is too long',
  EINVAL: 'it is no name of a folder',
};
