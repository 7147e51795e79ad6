import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryFolder } from '../check-steps.ts';
import { buildPackage } from './build.ts';
import { packageFaults } from './check-package.ts';
import { editions } from './editions.ts';

// npm run build [-- --out FOLDER --check]: the packages that are published, in dist/.

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: resolve(repositoryFolder, 'dist') },
    check: { type: 'boolean', default: false },
  },
});

for (const edition of editions) {
  const { folder, bundled } = await buildPackage(edition, resolve(values.out));
  const { startFiles, startBytes } = bundled;
  process.stdout.write(
    `${folder}: starts with ${startFiles.length} files, ${Math.round(startBytes / 1024)} KB\n`,
  );
  if (!values.check) continue;
  const faults = await packageFaults(folder);
  for (const fault of faults) process.stderr.write(`${edition.name}: ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}
