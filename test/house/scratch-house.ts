import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const repositoryFolder = resolve(import.meta.dirname, '..', '..');
const commandsFolder = join(repositoryFolder, 'node_modules', '.bin');

/** A small house elsewhere, with our own rules, in which a test may break them. */
export type ScratchHouse = {
  readonly folder: string;
  /** Runs a command of node_modules/.bin in the scratch folder; answers what it printed. */
  readonly run: (command: string, ...args: readonly string[]) => string;
  readonly remove: () => void;
};

/**
 * @param files path inside the scratch house -> content
 * @param rules configuration files of this repository to take along
 */
export function buildScratchHouse(
  files: Readonly<Record<string, string>>,
  rules: readonly string[],
): ScratchHouse {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-house-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  for (const rule of rules) copyFileSync(join(repositoryFolder, rule), join(folder, rule));
  return {
    folder,
    run: (command, ...args) => {
      const ended = spawnSync(process.execPath, [join(commandsFolder, command), ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      if (ended.error !== undefined) throw ended.error;
      return ended.stdout;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Lets the scratch house see the packages of this repository. */
export function linkPackages(folder: string): void {
  symlinkSync(join(repositoryFolder, 'node_modules'), join(folder, 'node_modules'));
}
