import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** Packs a built package into `into`; answers the tarball's path. */
export const pack = (folder: string, into: string): string => {
  const told = execFileSync('npm', ['pack', '--json', '--silent', `--pack-destination=${into}`], {
    cwd: folder,
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(told) as readonly { readonly filename: string }[];
  if (packed === undefined) throw new Error(`npm packed nothing of ${folder}`);
  return join(into, packed.filename);
};

/** What publint and attw find wrong with a built package, in sentences; empty: nothing. */
export const packageFaults = async (folder: string): Promise<readonly string[]> => {
  const tarball = pack(folder, folder);
  try {
    const lint = await publint({ pkgDir: folder, level: 'suggestion', strict: true });
    const types = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    return [
      ...lint.messages.map((found) => `publint: ${formatMessage(found, lint.pkg) ?? found.code}`),
      // A package that ships no types, as a command alone does, has none that could be wrong.
      ...(types.types === false
        ? []
        : types.problems.map((found) => `attw: ${JSON.stringify(found)}`)),
    ];
  } finally {
    rmSync(tarball);
  }
};
