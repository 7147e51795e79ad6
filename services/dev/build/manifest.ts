import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from '../check-steps.ts';
import type { Edition } from './editions.ts';

/** What of the house's package.json a package takes over. */
type HouseManifest = {
  readonly version: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly dependencies: { readonly [name: string]: string };
};

export const readHouseManifest = (): HouseManifest =>
  JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8')) as HouseManifest;

const sdk = { types: './types/services/sdk/index.d.ts', default: './lib/sdk.js' };

/** The package.json of an edition. Versions stand in the house's alone, and a peer may be any of its major version. */
export const manifestOf = (edition: Edition, house: HouseManifest): object => {
  const versionOf = (name: string): string => {
    const version = house.dependencies[name];
    if (version === undefined) throw new Error(`package.json has no dependency ${name}`);
    return version;
  };
  const { name, description, dependencies, optionalPeers, hasSdk } = edition;
  const peers = Object.entries(optionalPeers);
  return {
    name,
    version: house.version,
    description,
    license: house.license,
    type: 'commonjs',
    engines: house.engines,
    // Each its own name, so that both can be installed in one folder.
    bin: { [name]: 'bin/plimsoll.js' },
    ...(hasSdk ? { main: sdk.default, types: sdk.types } : {}),
    exports: {
      ...(hasSdk ? { '.': sdk } : {}),
      './schemas/*': './schemas/*',
      './package.json': './package.json',
    },
    files: ['bin', 'lib', 'schemas', ...(hasSdk ? ['types'] : [])],
    ...(dependencies.length === 0
      ? {}
      : { dependencies: Object.fromEntries(dependencies.map((each) => [each, versionOf(each)])) }),
    ...(peers.length === 0
      ? {}
      : {
          peerDependencies: Object.fromEntries(
            peers.map(([each, versions]) => [each, versions ?? `^${versionOf(each)}`]),
          ),
          peerDependenciesMeta: Object.fromEntries(
            peers.map(([each]) => [each, { optional: true }]),
          ),
        }),
  };
};
