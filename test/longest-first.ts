import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/**
 * Files that take long, the longest first. A fresh clone has no times of an earlier run to go by, and a long file that
 * begins last leaves the other worker without work.
 */
const longest = [
  // They wait for most of their time, and so go well beside each other.
  'test/integration/own-service.integration.test.ts',
  'test/integration/demo.integration.test.ts',
  'test/integration/stack-faults.integration.test.ts',
  'test/integration/analyser-killed.integration.test.ts',
  'test/integration/gate.integration.test.ts',
  'test/integration/kafka-record-log.integration.test.ts',
  'test/cli/spool/kafka-outages.integration.test.ts',
  'test/integration/projector-standby.integration.test.ts',
  'test/cli/processes.integration.test.ts',
  'test/integration/replay.integration.test.ts',
  'test/integration/instances-flood.integration.test.ts',
  'test/integration/projector-servers-killed.integration.test.ts',
  'test/integration/migrate.integration.test.ts',
  'test/integration/projector-killed.integration.test.ts',
  'test/cli/release/circleci-words.test.ts',
  'test/cli/wrap/run.test.ts',
  'test/cli/main/hanging-disks.test.ts',
  'test/dev/build/packages.test.ts',
].map((file) => resolve(import.meta.dirname, '..', file));

/** Of each project the long files first, and the others as vitest would have them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = longest.filter((file) => !existsSync(file));
    if (gone.length > 0) throw new Error(`there is no ${gone.join(', ')}`);
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project.name))];
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.indexOf(moduleId);
      return at < 0 ? longest.length : at;
    };
    return sorted.toSorted(
      (left, right) =>
        projects.indexOf(left.project.name) - projects.indexOf(right.project.name) ||
        place(left) - place(right),
    );
  }
}
