import type { Stats } from 'node:fs';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileFault } from '../../adapters/system/file-fault.ts';
import { fail, ok } from '../../core/result.ts';
import type { ProjectFiles } from '../../ports/project-files.ts';

const bytesMax = 1024 * 1024;

/** Files of the repository that a folder belongs to. */
export const projectFilesAt = (folder: string): ProjectFiles => {
  const top = topOf(resolve(folder));
  const at = (path: string): string => join(top, path);
  return {
    folder: top,
    exists: (path) => statsOf(at(path)) !== undefined,
    read: (path) => {
      const stats = statsOf(at(path));
      if (stats?.isFile() !== true || stats.size > bytesMax) return null;
      try {
        return readFileSync(at(path), 'utf8');
      } catch {
        return null;
      }
    },
    write: (path, text, isExecutable) => {
      const link = linkOnTheWay(top, path);
      if (link !== undefined)
        return fail({
          code: 'file-invalid',
          message: `${link} is a link: what is behind it may be no part of the repository`,
        });
      // Under a name of its own first: nobody sees half of it, and a link that comes meanwhile is replaced, not followed.
      const fresh = `${at(path)}.${process.pid}.new`;
      try {
        mkdirSync(dirname(at(path)), { recursive: true });
        writeFileSync(fresh, text, { flag: 'wx', mode: isExecutable ? 0o755 : 0o644 });
        renameSync(fresh, at(path));
        return ok(undefined);
      } catch (cause) {
        return fail({ code: 'file-invalid', message: fileFault(at(path), cause) });
      }
    },
  };
};

const statsOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** The first part of a path below the top that is a link. */
const linkOnTheWay = (top: string, path: string): string | undefined => {
  let at = top;
  for (const part of path.split('/')) {
    at = join(at, part);
    if (statsOf(at)?.isSymbolicLink() === true) return at;
  }
  return undefined;
};

const topOf = (folder: string): string => {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return folder;
  }
};
