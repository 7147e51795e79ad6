import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of a few megabytes that can be filled: a tmpfs of our own. */
export type SmallDisk = {
  readonly folder: string;
  /** Not one more byte fits. */
  readonly fill: () => void;
  readonly free: () => void;
  readonly remove: () => void;
};

const pieceBytes = 1024 * 1024;

/** Mounts it at `folder`; undefined where that is not allowed. It goes when this process exits. */
export const mountSmallDisk = (folder: string, megabytes: number): SmallDisk | undefined => {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  const filler = join(folder, 'filler');
  const remove = (): void => {
    process.removeListener('exit', remove);
    // Lazily: a process that is just ending may still hold a file of it.
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
  };
  process.on('exit', remove);
  return {
    folder,
    fill: () => {
      for (let bytes = pieceBytes; bytes >= 1; bytes = Math.floor(bytes / 16))
        for (const piece = Buffer.alloc(bytes); ;) {
          try {
            writeFileSync(filler, piece, { flag: 'a' });
          } catch {
            break;
          }
        }
      if (statfsSync(folder).bavail > 0) throw new Error(`${folder} is not full`);
    },
    free: () => rmSync(filler, { force: true }),
    remove,
  };
};
