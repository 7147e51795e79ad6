import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlags, repositoryFolder } from '../check-steps.ts';

/** Writes the types of an entry, and of all that its types name, as `.d.ts` files below a folder. */
export const writeDeclarations = (entry: string, folder: string): void => {
  const project = join(folder, 'tsconfig.json');
  const options = {
    extends: join(repositoryFolder, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      emitDeclarationOnly: true,
      declaration: true,
      outDir: folder,
      rootDir: repositoryFolder,
      types: ['node'],
      typeRoots: [join(repositoryFolder, 'node_modules', '@types')],
    },
    include: [],
    files: [join(repositoryFolder, entry)],
  };
  writeFileSync(project, JSON.stringify(options));
  const tsc = join(repositoryFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [...nodeFlags, tsc, '-p', project], { stdio: 'pipe' });
  rmSync(project);
  keepOnlyReached(folder, entry.replace(/\.ts$/, '.d.ts'));
};

const relativeImport = /(from |import\()'(\.{1,2}\/[^']+)\.ts'/g;

/** The files that the entry's types lead to, naming each other as the compiled files would; all others are removed. */
const keepOnlyReached = (folder: string, entry: string): void => {
  const reached = new Set<string>();
  const reach = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    for (const [, , named = ''] of text.matchAll(relativeImport))
      reach(join(file, '..', `${named}.d.ts`));
    writeFileSync(path, text.replace(relativeImport, "$1'$2.js'"));
  };
  reach(entry);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(join(folder, file));
};
