import { spawn } from 'node:child_process';

/**
 * Starts `plimsoll flush` as a process that nobody waits for: a session of its own, no inherited input or output. What it
 * cannot deliver stays in the spool. Settings and key are those of the environment. It is handed the line of the marker that
 * it tells OpenTelemetry of: by then another process may have delivered it. Never rejects.
 */
export const flushApart = (keyFile: string | null, toldLine: string | null): Promise<void> =>
  new Promise((done) => {
    const [script = ''] = process.argv.slice(1);
    const key = keyFile === null ? [] : [`--key=${keyFile}`];
    const telemetry = toldLine === null ? [] : ['--telemetry=-'];
    const child = spawn(
      process.execPath,
      [...process.execArgv, script, 'flush', '--no-fail', ...key, ...telemetry],
      {
        detached: true,
        stdio: [toldLine === null ? 'ignore' : 'pipe', 'ignore', 'ignore'],
        windowsHide: true,
      },
    );
    // Where it cannot be started the next command delivers.
    child.once('error', () => done());
    child.stdin?.once('error', () => done());
    if (child.stdin === null) child.once('spawn', () => done());
    else child.stdin.end(toldLine ?? '', () => done());
    child.unref();
  });
