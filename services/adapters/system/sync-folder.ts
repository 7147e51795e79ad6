import type { promises } from 'node:fs';

/** Has the names of a folder on disk: before that a new file may be gone after a stop of the machine. */
export const syncFolder = async (
  files: Pick<typeof promises, 'open'>,
  folder: string,
): Promise<void> => {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
