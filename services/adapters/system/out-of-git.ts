import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Keeps a folder that we made out of the repository that it may lie in: keys are in it. It is a help and no promise;
 * where it cannot be written, nothing is lost.
 */
export const keepOutOfGit = async (folder: string): Promise<void> => {
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch(() => undefined);
};
