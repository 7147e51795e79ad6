import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  addRun,
  nextSeed,
  readCampaign,
  writeCampaign,
} from '../../../services/dev/simulate/campaign.ts';
import type { CampaignRun } from '../../../services/dev/simulate/campaign.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const run = (from: number, to: number, part: Partial<CampaignRun> = {}): CampaignRun => ({
  commit: 'aaaaaaaaaaaa',
  changed: false,
  from,
  to,
  schedules: to - from + 1,
  faults: 10,
  divergences: 0,
  seconds: 1.5,
  ...part,
});
const empty = readCampaign('no-such-file.json');

test('a campaign begins with the first seed, and goes on behind the last', () => {
  expect(nextSeed(empty)).toBe(1);
  expect(nextSeed(addRun(addRun(empty, run(1, 40)), run(41, 90, { commit: 'b' })))).toBe(91);
});

test('runs of one commit are one, runs of another are another, and all add up', () => {
  const twice = addRun(addRun(empty, run(1, 40)), run(41, 90));
  expect(twice.runs).toEqual([run(1, 90, { schedules: 90, faults: 20, seconds: 3 })]);
  const thrice = addRun(twice, run(91, 100, { commit: 'bbbbbbbbbbbb', divergences: 1 }));
  expect(thrice).toMatchObject({ schedules: 100, faults: 30, divergences: 1, seconds: 4.5 });
  expect(thrice.runs).toHaveLength(2);
});

test('what is written is read again', () => {
  const file = join(scratchFolder(), 'campaign.json');
  const campaign = addRun(empty, run(1, 40));
  writeCampaign(file, campaign);
  expect(readCampaign(file)).toEqual(campaign);
});
