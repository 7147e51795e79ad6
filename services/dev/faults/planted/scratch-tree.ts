import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryFolder } from '../../check-steps.ts';
import { removeFolder, removeFolderOnExit } from '../../stack/own-process.ts';
import type { Edit } from './planted-bug.ts';

/** A copy of the tree in which bugs may be planted. */
export type ScratchTree = {
  readonly folder: string;
  /** Answers how to take them out again. Throws where an edit does not fit its file. */
  readonly plant: (edits: readonly Edit[]) => () => void;
  readonly remove: () => void;
};

const parts = ['services', 'test', 'schemas', 'package.json', 'tsconfig.json'];

export const copyTree = (): ScratchTree => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-planted-'));
  removeFolderOnExit(folder);
  for (const part of parts)
    cpSync(join(repositoryFolder, part), join(folder, part), { recursive: true });
  symlinkSync(join(repositoryFolder, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    plant: (edits) => {
      const before = new Map<string, string>();
      const takeOut = (): void => {
        for (const [path, source] of before) writeFileSync(path, source);
      };
      for (const { file, from, to } of edits) {
        const path = join(folder, file);
        const source = readFileSync(path, 'utf8');
        if (source.split(from).length !== 2) {
          takeOut();
          throw new Error(`${file} holds ${source.split(from).length - 1} times: ${from}`);
        }
        if (!before.has(path)) before.set(path, source);
        writeFileSync(
          path,
          source.replace(from, () => to),
        );
      }
      return takeOut;
    },
    remove: () => removeFolder(folder),
  };
};
