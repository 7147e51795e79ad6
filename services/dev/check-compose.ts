// What a machine can say about docker-compose.yml without an engine. One line a fault.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from './check-steps.ts';
import { composeFaults } from './compose/compose-rules.ts';

const composeFile = 'docker-compose.yml';

const faults = composeFaults(readFileSync(join(repositoryFolder, composeFile), 'utf8'), {
  has: (path) => existsSync(join(repositoryFolder, path)),
  read: (path) => {
    const file = join(repositoryFolder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  },
});
for (const fault of faults) console.log(`${composeFile}: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
