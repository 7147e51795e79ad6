import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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
    exists: (path) => existsSync(at(path)),
    read: (path) => {
      try {
        return statSync(at(path)).size > bytesMax ? null : readFileSync(at(path), 'utf8');
      } catch {
        return null;
      }
    },
    write: (path, text, isExecutable) => {
      try {
        mkdirSync(dirname(at(path)), { recursive: true });
        writeFileSync(at(path), text);
        if (isExecutable) chmodSync(at(path), 0o755);
        return ok(undefined);
      } catch (cause) {
        return fail({ code: 'file-invalid', message: fileFault(at(path), cause) });
      }
    },
  };
};

const topOf = (folder: string): string => {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return folder;
  }
};
