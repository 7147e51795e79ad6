import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { readExposition } from '../../support/exposition.ts';
import { plimsoll, startPlimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const startedWithinMs = 60_000;

const standing = [
  'plimsoll_log_end_position',
  'plimsoll_generation_progress_ratio',
  'plimsoll_generation_current',
];

test(
  'a collector takes all that plimsoll up says at its gateway, each series once, in both formats',
  { timeout: 2 * startedWithinMs },
  async () => {
    const folder = join(scratch, randomUUID());
    const log = ['release', 'log', '--component-name=checkout', '--target-version=1.0.0'];
    expect((await plimsoll(folder, log)).exit).toBe(0);
    const free = { PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' };
    const up = startPlimsoll(folder, ['up', '--json'], free);
    await eventually('all services run', () => up.out().includes('"ready"'), startedWithinMs);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(up.out())?.[0] ?? '';
    for (const [format, accept] of [
      ['prometheus', 'text/plain'],
      ['openmetrics', 'application/openmetrics-text'],
    ] as const) {
      const answer = await fetch(`${url}/metrics`, { headers: { accept } });
      const families = readExposition(await answer.text(), format);
      const pointsOf = (name: string): number | undefined =>
        families.find((family) => family.name === name)?.samples.length;
      expect(standing.map(pointsOf)).toEqual([1, 1, 1]);
    }
    up.signal('SIGTERM');
    await up.ended;
  },
);
