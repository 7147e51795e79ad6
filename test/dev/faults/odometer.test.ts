import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CampaignRun, CutsRun } from '../../../services/dev/faults/odometer.ts';
import {
  odometerFile,
  quantile,
  readOdometer,
  withCampaign,
  withCuts,
  writeOdometer,
} from '../../../services/dev/faults/odometer.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const folder = scratchFolder();

const campaign: CampaignRun = {
  run: 'campaign',
  at: '2026-11-21T10:00:00.000Z',
  commit: 'abc',
  seed: 1,
  minutes: 10,
  faults: 100,
  lost: 0,
  doubled: 0,
  divergent: 1,
  checks: 120,
  records: 4_000,
  recoveryP50Ms: 900,
  recoveryP99Ms: 4_000,
  problem: 'divergent: g1 at 7',
};
const cuts: CutsRun = {
  run: 'aof-cuts',
  at: '2026-11-21T11:00:00.000Z',
  commit: 'abc',
  seed: 1,
  cuts: 50,
  clean: 49,
  seconds: 4,
};

test('runs add up, those that ended badly too, and each stays listed', () => {
  const file = join(folder, 'odometer.json');
  expect(readOdometer(file).faults).toBe(0);
  const once = withCampaign(readOdometer(file), campaign, new Map([['redis-torn', 60]]));
  writeOdometer(withCuts(withCampaign(once, campaign, new Map([['redis-torn', 40]])), cuts), file);
  const read = readOdometer(file);
  expect(read).toMatchObject({ faults: 200, divergent: 2, aofCuts: 50, aofCutsClean: 49 });
  expect(read.byKind).toEqual({ 'redis-torn': 100 });
  expect(read.runs).toEqual([campaign, campaign, cuts]);
  expect(readdirSync(folder)).toEqual(['odometer.json']);
});

test('a file that cannot be read is not taken for an empty one', () => {
  const file = join(folder, 'broken.json');
  writeFileSync(file, '{"faults": 7');
  expect(() => readOdometer(file)).toThrow(SyntaxError);
});

test('the committed odometer holds what its runs hold, without what is void', () => {
  const { runs, ...totals } = readOdometer(odometerFile);
  const campaigns = runs.flatMap((run) =>
    run.run === 'campaign' && run.void === undefined ? [run] : [],
  );
  const sum = (of: (run: CampaignRun) => number): number =>
    campaigns.reduce((total, run) => total + of(run), 0);
  expect(totals).toMatchObject({
    faults: sum(({ faults }) => faults),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    divergent: sum(({ divergent }) => divergent),
  });
  expect(Object.values(totals.byKind).reduce((total, count) => total + count, 0)).toBe(
    totals.faults,
  );
});

test('a quantile is a value that was there', () => {
  const values = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect([0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([50, 99, 100]);
  expect(quantile([3], 0.5)).toBe(3);
  expect(quantile([], 0.5)).toBeNull();
});
