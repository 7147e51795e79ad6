// The published schemas are a promise to every record on every log. `npm run check` runs this;
// with --publish it adds new files to schemas/published.json once they are right.
import { parseArgs } from 'node:util';
import { schemasFolder } from '../adapters/avro/schema-files.ts';
import { publish, publishedFaults } from './schema-rules/published.ts';
import { schemaFolderFaults } from './schema-rules/schema-folder.ts';

const { values } = parseArgs({
  options: {
    publish: { type: 'boolean', default: false },
    folder: { type: 'string', default: schemasFolder },
  },
});

const rules = schemaFolderFaults(values.folder);
if (values.publish && rules.length === 0)
  for (const file of publish(values.folder)) console.log(`published ${file}`);

const faults = [...rules, ...publishedFaults(values.folder)];
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
