import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryFolder } from '../../../services/dev/check-steps.ts';
import { plantedBugs } from '../../../services/dev/faults/planted/planted-bugs.ts';

const bugsMin = 40;

describe('planted bugs', () => {
  test('are many, each with a name of its own and a check that must find it', () => {
    expect(plantedBugs.length).toBeGreaterThanOrEqual(bugsMin);
    expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length);
    for (const { checks } of plantedBugs) expect(checks.length).toBeGreaterThan(0);
  });

  test.each(plantedBugs)('fit the source as it is: $name', ({ edits }) => {
    for (const { file, from, to } of edits) {
      const source = readFileSync(join(repositoryFolder, file), 'utf8');
      expect(source.split(from)).toHaveLength(2);
      expect(to).not.toBe(from);
    }
  });
});
