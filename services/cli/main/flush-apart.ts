import { spawn } from 'node:child_process';

/**
 * Starts `plimsoll flush` as a process that nobody waits for: a session of its own, no inherited input or output. What it
 * cannot deliver stays in the spool. Settings and key are those of the environment. Never rejects.
 */
export const flushApart = (keyFile: string | null): Promise<void> =>
  new Promise((done) => {
    const [script = ''] = process.argv.slice(1);
    const key = keyFile === null ? [] : [`--key=${keyFile}`];
    const child = spawn(
      process.execPath,
      [...process.execArgv, script, 'flush', '--no-fail', ...key],
      {
        detached: true,
        stdio: 'ignore',
        windowsHide: true,
      },
    );
    // Where it cannot be started the next command delivers.
    child.once('error', () => done());
    child.once('spawn', () => done());
    child.unref();
  });
