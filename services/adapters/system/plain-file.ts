import type { Stats } from 'node:fs';
import { close, constants, fstat, open, read, stat } from 'node:fs';

// What a command of a pipeline reads may lie where nothing answers: a dead network drive, a pipe that nobody writes to.
// So nothing is asked in our own thread before another thread had an answer: whoever waits can stop waiting. By callbacks,
// for the module of the promises takes its time to load.

/** What lies there, or null: nothing. Rejects with the file system's fault. It may never answer. */
export const whatLiesAt = (path: string): Promise<Stats | null> =>
  new Promise((done, failed) =>
    stat(path, (error, stats) => {
      if (error === null) done(stats);
      else if (error.code === 'ENOENT') done(null);
      else failed(error);
    }),
  );

/**
 * The text of a file. What is none, a pipe or a device, is not waited for. Rejects with the file system's fault, with
 * `EINVAL` for what is no file, with `EFBIG` for more bytes than that.
 */
export const readPlainFile = async (path: string, bytesMax: number): Promise<string> => {
  const file = await new Promise<number>((done, failed) =>
    open(path, constants.O_RDONLY | constants.O_NONBLOCK, (error, fd) =>
      error === null ? done(fd) : failed(error),
    ),
  );
  try {
    const stats = await new Promise<Stats>((done, failed) =>
      fstat(file, (error, found) => (error === null ? done(found) : failed(error))),
    );
    if (!stats.isFile()) throw fault('EINVAL', `${path} is no file`);
    if (stats.size > bytesMax) throw fault('EFBIG', `${path} is larger than ${bytesMax} bytes`);
    const bytes = Buffer.alloc(stats.size);
    const taken = await new Promise<number>((done, failed) =>
      read(file, bytes, 0, bytes.length, 0, (error, count) =>
        error === null ? done(count) : failed(error),
      ),
    );
    return bytes.toString('utf8', 0, taken);
  } finally {
    close(file);
  }
};

const fault = (code: string, message: string): Error => Object.assign(new Error(message), { code });
