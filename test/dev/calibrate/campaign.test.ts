import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import {
  addSitting,
  addTally,
  newCampaign,
  readCampaign,
  tallyIn,
  writeCampaign,
} from '../../../services/dev/calibrate/campaign.ts';
import type { Campaign } from '../../../services/dev/calibrate/campaign.ts';
import { cells, cellsNamed } from '../../../services/dev/calibrate/cells.ts';
import { goalRuns } from '../../../services/dev/calibrate/goals.ts';
import type { JudgePlug } from '../../../services/dev/calibrate/judge-plug.ts';
import type { LivedWindow } from '../../../services/dev/calibrate/lived-window.ts';
import { nextBlock, openRunner } from '../../../services/dev/calibrate/run.ts';
import type { Goal } from '../../../services/dev/calibrate/run.ts';
import {
  addTallies,
  afterRequestsOf,
  noTally,
  summaryOf,
  tallyOf,
} from '../../../services/dev/calibrate/tally.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const folder = scratchFolder();

/** Adds up the requests in the first windows of history and canary: an odd sum is rolled back at that second. */
const odd = (name: string): JudgePlug => ({
  name,
  about: 'for tests',
  isTriedIn: () => true,
  looksFor: 'regressions',
  learn: (history) => {
    const learnt = firstRequests(history);
    return (windows) => {
      const sum = learnt + firstRequests(windows);
      return { rolledBackMs: sum % 2 === 1 ? 1_000 * sum : null, promotedMs: null, blamed: null };
    };
  },
  boundSeconds: () => null,
  falseRollbackShareMax: null,
});

const firstRequests = (windows: Iterable<LivedWindow>): number => {
  for (const { canary } of windows) return canary.requests;
  return 0;
};

const [first, second] = cells;
if (first === undefined || second === undefined) throw new Error('no cells');

const one = odd('one');
const two = odd('two');

const runAll = (campaign: Campaign, goals: readonly Goal[]): Campaign => {
  const runBlock = openRunner(campaign.seed);
  let now = campaign;
  for (let block = nextBlock(now, goals); block !== undefined;) {
    now = runBlock(now, block);
    block = nextBlock(now, goals);
  }
  return now;
};

describe('a tally', () => {
  const tally = tallyOf([
    { rolledBackMs: 30_000, promotedMs: null, blamed: 'errors' },
    { rolledBackMs: 10_000, promotedMs: 5_000, blamed: 'errors' },
    { rolledBackMs: null, promotedMs: 5_000, blamed: null },
    { rolledBackMs: null, promotedMs: null, blamed: null },
  ]);

  test('has shares, and quantiles over all runs', () => {
    expect(summaryOf(tally)).toMatchObject({
      runs: 4,
      rolledBack: { runs: 2, share: 0.5, medianSeconds: 30, p90Seconds: null },
      promoted: { runs: 2, share: 0.5, medianSeconds: 5, p90Seconds: null },
    });
    expect(tally.blamed).toEqual({ errors: 2 });
  });

  test('adds up', () => {
    expect(summaryOf(addTallies(tally, tally))).toMatchObject({
      runs: 8,
      rolledBack: { runs: 4, medianSeconds: 30 },
    });
    expect(addTallies(noTally, tally)).toEqual(tally);
  });

  test('counts from the first requests too, where these came late', () => {
    const late = tallyOf([
      { rolledBackMs: 30_000, promotedMs: null, blamed: 'errors', requestsFromMs: 5_000 },
      { rolledBackMs: 30_000, promotedMs: null, blamed: 'errors' },
    ]);
    expect(afterRequestsOf(late)).toEqual({ 25: 1, 30: 1 });
    expect(afterRequestsOf(tally)).toBe(tally.rolledBackAt);
    for (const sum of [addTallies(late, tally), addTallies(tally, late)])
      expect(afterRequestsOf(sum)).toEqual({ 10: 1, 25: 1, 30: 2 });
    expect(addTallies(noTally, late)).toEqual(late);
  });

  test('of nothing says nothing', () => {
    expect(summaryOf(noTally).rolledBack).toMatchObject({
      share: 0,
      upper95: 1,
      medianSeconds: null,
    });
  });
});

describe('a campaign', () => {
  const goalsOf = (judge: JudgePlug): readonly Goal[] => [
    { cell: first, judge, runs: 70 },
    { cell: second, judge, runs: 20 },
  ];
  const goals = goalsOf(one);
  const both = [...goals, ...goalsOf(two)];

  test('reaches each goal exactly', () => {
    const done = runAll(newCampaign(1), goals);
    expect(tallyIn(done, 'one', first.name).runs).toBe(70);
    expect(tallyIn(done, 'one', second.name).runs).toBe(20);
    expect(nextBlock(done, goals)).toBeUndefined();
  });

  test('in pieces gives what it gives at once', () => {
    const atOnce = runAll(newCampaign(1), goals);
    let pieces = newCampaign(1);
    for (const runs of [3, 45, 60]) pieces = runAll(pieces, [{ cell: first, judge: one, runs }]);
    expect(runAll(pieces, goals).results).toEqual(atOnce.results);
  });

  test('lets a judge that comes later catch up on the same canaries', () => {
    const done = runAll(runAll(newCampaign(1), goals), both);
    expect(done.results['two']).toEqual(done.results['one']);
  });

  test('shows every judge the same canaries', () => {
    const done = runAll(newCampaign(1), both);
    expect(done.results['two']).toEqual(done.results['one']);
    expect(summaryOf(tallyIn(done, 'one', first.name)).rolledBack.share).toBeGreaterThan(0.3);
  });

  test('goes on with one judge where another has reached its goal', () => {
    const uneven = [
      { cell: first, judge: one, runs: 20 },
      { cell: first, judge: two, runs: 60 },
    ];
    const done = runAll(newCampaign(1), uneven);
    expect(tallyIn(done, 'one', first.name).runs).toBe(20);
    expect(done.results['two']).toEqual(
      runAll(newCampaign(1), [{ cell: first, judge: two, runs: 60 }]).results['two'],
    );
  });

  test('takes what is furthest from its goal', () => {
    const started = addTally(newCampaign(1), 'one', first.name, { ...noTally, runs: 10 });
    expect(nextBlock(started, goals)).toMatchObject({ cell: second, from: 0, runs: 20 });
  });

  test('lies in a file, whole', () => {
    const file = join(folder, 'campaign.json');
    expect(readCampaign(file)).toBeUndefined();
    const sitting = { commit: 'abc', changed: false, runs: 90, seconds: 1 };
    const done = addSitting(runAll(newCampaign(9), goals), sitting);
    writeCampaign(file, done);
    expect(readCampaign(file)).toEqual(done);
    expect(readFileSync(file, 'utf8').split('\n')).toContain('    "one": {');
    writeCampaign(file, newCampaign(9));
    expect(readCampaign(file)).toEqual(newCampaign(9));
  });

  test('counts a sitting with the last one of the same commit', () => {
    const sitting = { commit: 'abc', changed: false, runs: 90, seconds: 1.4 };
    const twice = addSitting(addSitting(newCampaign(1), sitting), sitting);
    expect(twice.sittings).toEqual([{ ...sitting, runs: 180, seconds: 2 }]);
    expect(addSitting(twice, { ...sitting, changed: true }).sittings).toHaveLength(2);
  });
});

test('a promise is held against ten times as many good canaries in each climate', () => {
  const promising = { ...one, falseRollbackShareMax: 0.01 };
  const promised = cells.filter((cell) => goalRuns(cell, promising) === 10_000);
  expect(promised.map(({ name }) => name)).toEqual([
    'iid 50/50',
    'bursts 50/50',
    'ramp 50/50',
    'clusters 50/50',
    'incident 50/50',
    'cold-start 50/50',
    'pod-noise 50/50',
    'grown 50/50',
    'iid 0.2/1.8',
  ]);
  expect(new Set(cells.map((cell) => goalRuns(cell, one)))).toEqual(new Set([1_000, 2_000]));
});

test('cells have names of their own; a climate names all of its cells', () => {
  expect(new Set(cells.map(({ name }) => name)).size).toBe(cells.length);
  expect(cellsNamed('clusters').length).toBeGreaterThan(4);
  expect(cellsNamed('iid 0.2/1.8')).toHaveLength(1);
  expect(cellsNamed('weather')).toEqual([]);
});
