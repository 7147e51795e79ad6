import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { houseEnvironment, nodeFlags } from '../../check-steps.ts';
import { copyTree } from '../../faults/planted/scratch-tree.ts';
import { simulatedBugs } from './bugs.ts';

// Plants each bug in a copy of the tree and simulates until it shows.

/** Schedules until one diverged; null: none did. `broken`: it did not even run. */
type Caught = {
  readonly schedules: number | null;
  readonly told: string;
  readonly broken: boolean;
};

const schedulesMax = 2_000;
const withinMs = 300_000;
const outputBytesMax = 64 * 1024 * 1024;

const seek = (folder: string): Promise<Caught> => {
  const main = join(folder, 'services', 'dev', 'simulate', 'main.ts');
  const args = [...nodeFlags, main, '--schedules', `${schedulesMax}`, '--first', '--json'];
  const options = {
    cwd: folder,
    env: houseEnvironment(),
    maxBuffer: outputBytesMax,
    timeout: withinMs,
  };
  return new Promise((done) => {
    execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      const [, told = ''] = /^seed \d+: (.*)$/m.exec(stderr) ?? [];
      const line = stdout.trim().split('\n').at(-1) ?? '';
      if (!line.startsWith('{')) {
        done({ schedules: null, told: stderr.slice(-500), broken: true });
        return;
      }
      const { schedules, divergences } = JSON.parse(line) as {
        readonly schedules: number;
        readonly divergences: number;
      };
      done({ schedules: divergences > 0 ? schedules : null, told, broken: false });
    });
  });
};

/** Answers the exit code: 0 where every bug was caught. */
export const runPlanted = async (json: boolean): Promise<number> => {
  const tree = copyTree();
  const needed: number[] = [];
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  for (const { name, edits } of simulatedBugs) {
    const takeOut = tree.plant(edits);
    const { schedules, told, broken } = await seek(tree.folder);
    takeOut();
    if (schedules !== null) needed.push(schedules);
    const verdict = broken ? 'BROKEN' : schedules === null ? 'NOT CAUGHT' : `${schedules}`;
    say(`${verdict.padStart(10)}  ${name}\n            ${told.slice(0, 140)}`);
  }
  tree.remove();
  const caught = needed.length;
  const planted = simulatedBugs.length;
  const median = needed.toSorted((a, b) => a - b)[Math.floor(caught / 2)] ?? 0;
  say(`${caught} of ${planted} caught, half of them within ${median} schedules`);
  process.stdout.write(
    `${json ? JSON.stringify({ planted, caught }) : `${planted} planted, ${caught} caught`}\n`,
  );
  return caught === planted ? 0 : 1;
};
