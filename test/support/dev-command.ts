import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** A command of `services/dev` as a process of its own; the answer says how it ended. */
export const devCommand =
  (file: string): ((...flags: readonly string[]) => Ended) =>
  (...flags) => {
    const path = join(import.meta.dirname, '../../services/dev', file);
    const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...flags], {
      encoding: 'utf8',
    });
    return { code: status, stdout, stderr };
  };

/** The last line of an output, which is JSON. */
export const lastLine = (text: string): unknown =>
  JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
