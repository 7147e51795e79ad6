import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSchema } from '../../adapters/avro/open-schema.ts';
import { loadSchemas } from '../../adapters/avro/schema-files.ts';
import { repositoryFolder } from '../check-steps.ts';
import type { Bundled } from './bundle.ts';
import { bundle } from './bundle.ts';
import type { Edition } from './editions.ts';
import { workedOutFile } from './editions.ts';
import { writeDeclarations } from './declarations.ts';
import { readCalledFirst } from './called-first.ts';
import { manifestOf, readHouseManifest } from './manifest.ts';

export type Built = {
  readonly edition: Edition;
  readonly folder: string;
  readonly bundled: Bundled;
};

/** Makes a package in `<out>/<name>`, which is emptied before. Throws where the house no longer fits the edition. */
export const buildPackage = async (edition: Edition, out: string): Promise<Built> => {
  const folder = join(out, edition.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const bundled = await bundle(edition, join(folder, 'lib'));
  refuseStrangers(edition, bundled.packages);
  const launcher = join(folder, 'bin', 'plimsoll.js');
  copyFileSync(join(import.meta.dirname, 'plimsoll.cjs'), launcher);
  chmodSync(launcher, 0o755);
  cpSync(join(repositoryFolder, 'schemas'), join(folder, 'schemas'), { recursive: true });
  workOutSchemas(join(folder, 'lib', 'schemas'));
  copyFileSync(join(repositoryFolder, 'LICENSE'), join(folder, 'LICENSE'));
  if (edition.hasSdk) {
    copyFileSync(join(repositoryFolder, 'services/sdk/README.md'), join(folder, 'README.md'));
    mkdirSync(join(folder, 'types'));
    writeDeclarations(edition.entries['sdk'] ?? '', join(folder, 'types'));
  }
  const manifest = manifestOf(edition, readHouseManifest());
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await readCalledFirst({ launcher, lib: join(folder, 'lib') }, 'main');
  return { edition, folder, bundled };
};

/** For a start in which there is no time for it. Documentation stays in the schemas alone. */
const workOutSchemas = (folder: string): void => {
  mkdirSync(folder);
  for (const file of loadSchemas())
    writeFileSync(
      join(folder, workedOutFile(file)),
      JSON.stringify(openSchema(file), (name, value: unknown) =>
        name === 'doc' ? undefined : value,
      ),
    );
};

/** Every package that the code asks for is a dependency, a peer, or known to be absent here. */
const refuseStrangers = (edition: Edition, packages: readonly string[]): void => {
  const { dependencies, optionalPeers, absentPackages } = edition;
  const known = [...dependencies, ...Object.keys(optionalPeers), ...absentPackages];
  const strangers = packages.filter((name) => !known.includes(name));
  if (strangers.length > 0)
    throw new Error(
      `${edition.name} asks for ${strangers.join(', ')}, which its manifest does not name`,
    );
  const unused = known.filter((name) => !packages.includes(name));
  if (unused.length > 0) throw new Error(`${edition.name} no longer asks for ${unused.join(', ')}`);
};
