import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openNumbers } from '../../../../services/core/canary/judge/metric-judge.ts';

import type { BlockPlace } from '../../../../services/core/canary/statistics/evidence.ts';
import {
  passBlock,
  initialSettled,
  stakesAt,
} from '../../../../services/core/canary/metrics/staked.ts';
import {
  capitalsAt,
  cappedBlocksOf,
  initialStakes,
  isGivenUp,
  logRollbackCapital,
  restart,
  roundGrowth,
  zeros,
} from '../../../../services/core/canary/statistics/stakes.ts';
import type {
  Alternatives,
  StakeRules,
} from '../../../../services/core/canary/statistics/stakes.ts';
import {
  addIncrements,
  initialEvidence,
  logMixture,
} from '../../../support/canary/plain-mixture.ts';

const blockWindows = 3;
const restartWindows = 6;
const restartsOf = (weightEach: number): StakeRules => ({
  blockCapNats: 1.5,
  restarts: { count: 3, weightEach },
});
const rules = restartsOf(0.1);
/** What they are does not matter here, but how many. */
const alternatives: Alternatives = { rollback: [1, 2, 3, 4], promote: [1] };

const uneven: Alternatives = {
  ...alternatives,
  logShares: [0.1, 0.2, 0.3, 0.4].map((share) => Math.log(share)),
};

const placeAt = (index: number): BlockPlace => ({
  endsBlock: (index + 1) % blockWindows === 0,
  beginsRestart: index > 0 && index % restartWindows === 0 && index / restartWindows <= 3,
});

const increment = fc.double({ min: -3, max: 3, noNaN: true });
const quiet: readonly number[] = [];
const history = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(increment, { minLength: 4, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant(quiet) },
  ),
  { maxLength: 40 },
);

/** Behind one sum of somebody else's. */
const growthAt = 1;

type Stakes = { readonly settled: readonly number[]; readonly running: readonly number[] };

const initial = (by: StakeRules): Stakes => ({
  settled: initialSettled(alternatives, by),
  running: zeros(growthAt + alternatives.rollback.length),
});

const taken = (
  before: Stakes,
  increments: readonly number[],
  place: BlockPlace,
  by: StakeRules,
): Stakes => {
  const running = before.running.map((sum, at) => sum + (increments[at - growthAt] ?? 0));
  if (increments.length > 0) roundGrowth(running, growthAt, increments.length);
  const isOpen = running.some((growth, at) => at >= growthAt && growth !== 0);
  const growth = { rollback: running, from: growthAt, promote: [0], isOpen };
  const open = openNumbers(before.settled, running);
  passBlock(by, alternatives, open, growth, place);
  return { settled: open.settled, running };
};

const capitalOf = ({ settled, running }: Stakes, by: StakeRules = rules): number =>
  logRollbackCapital(settled, stakesAt, running, growthAt, alternatives, by);

const after = (windows: readonly (readonly number[])[], by: StakeRules = rules): Stakes =>
  windows.reduce(
    (stakes: Stakes, increments, index) => taken(stakes, increments, placeAt(index), by),
    initial(by),
  );

test('the capital is what the mixture of whole and restarted products is', () => {
  fc.assert(
    fc.property(history, (windows) => {
      const evidence = windows.reduce(
        (sums, increments, index) =>
          addIncrements(sums, increments, placeAt(index), rules.blockCapNats),
        initialEvidence(alternatives.rollback.length),
      );
      const expected = logMixture(evidence, rules.restarts, rules.blockCapNats);
      const stakes = after(windows);
      // Rounded down, by a millionth each time.
      expect(capitalOf(stakes)).toBeCloseTo(expected, 4);
      expect(capitalOf(stakes)).toBeLessThanOrEqual(expected + 1e-12);
      expect(cappedBlocksOf(stakes.settled, stakesAt)).toBe(evidence.cappedBlocks);
    }),
  );
});

describe('while no alternative is expected to grow, the capital is not', () => {
  /** A coin that multiplies alternative k by 1 + odds_k or by 1 - odds_k: expectation exactly 1. */
  const odds = [0.1, 0.4, 0.8, 0.99];
  const heads = odds.map((stake) => Math.log1p(stake));
  const tails = odds.map((stake) => Math.log1p(-stake));

  test('whatever came before, with cap and restarts of any weight', () => {
    fc.assert(
      fc.property(history, fc.constantFrom(0.02, 0.05, 0.1, 0.3), (windows, weightEach) => {
        const by = restartsOf(weightEach);
        const before = after(windows, by);
        const place = placeAt(windows.length);
        const grown = [heads, tails].map((increments) =>
          Math.exp(capitalOf(taken(before, increments, place, by), by)),
        );
        const expected = ((grown[0] ?? 0) + (grown[1] ?? 0)) / 2;
        expect(expected).toBeLessThanOrEqual(Math.exp(capitalOf(before, by)) * (1 + 1e-12));
      }),
    );
  });

  test('and is 1 to begin with', () => {
    const ofStakes = (stakes: readonly number[]): number =>
      logRollbackCapital(stakes, 0, [], 0, alternatives, rules);
    expect(capitalOf(initial(rules))).toBeCloseTo(0, 5);
    for (const begun of [1, 3, 9])
      expect(ofStakes(initialStakes(alternatives, rules, begun))).toBeCloseTo(0, 5);
    expect(ofStakes(initialStakes(uneven, rules))).toBeCloseTo(0, 5);
  });
});

test('one block moves no alternative by more than the cap, however loud it is', () => {
  const loud = [50, 500, 2, 0];
  const stakes = after([loud, loud, loud]);
  expect(cappedBlocksOf(stakes.settled, stakesAt)).toBe(1);
  expect(capitalOf(stakes)).toBeLessThanOrEqual(rules.blockCapNats);
});

test('a regression that begins late is seen by the restarted capital', () => {
  const bad = Array.from({ length: 18 }, () => [-2, -2, -2, -2]);
  const good = Array.from({ length: 6 }, () => [0.5, 0.5, 0.5, 0.5]);
  const late = after([...bad, ...good]);
  const withoutRestarts: StakeRules = { ...rules, restarts: { count: 0, weightEach: 0 } };
  const plain = [...bad, ...good].reduce(
    (stakes: Stakes, increments, index) =>
      taken(stakes, increments, placeAt(index), withoutRestarts),
    initial(withoutRestarts),
  );
  expect(capitalOf(late)).toBeGreaterThan(0);
  expect(capitalOf(plain, withoutRestarts)).toBeLessThan(-20);
});

test('a restart stakes on each alternative as the beginning did', () => {
  const settled = [
    0,
    ...initialStakes(uneven, { ...rules, restarts: { count: 1, weightEach: 0.5 } }),
  ];
  restart(settled, 1, uneven, { ...rules, restarts: { count: 1, weightEach: 0.5 } });
  const capitals = settled.slice(1 + capitalsAt, 1 + capitalsAt + 4).map((log) => Math.exp(log));
  for (const [index, share] of [0.1, 0.2, 0.3, 0.4].entries())
    expect(capitals[index]).toBeCloseTo(share, 5);
});

test('what is next to nothing is given up, and a restart stakes on it anew', () => {
  const lost = after(Array.from({ length: 3 }, () => [-130, 0, 0, 0]));
  const capital = (stakes: Stakes): number | undefined => stakes.settled[stakesAt + capitalsAt];
  expect(isGivenUp(capital(lost))).toBe(true);
  expect(isGivenUp(lost.settled[stakesAt + capitalsAt + 1])).toBe(false);
  const stillLost = taken(lost, [1, 0, 0, 0], placeAt(3), rules);
  expect(isGivenUp(capital(stillLost))).toBe(true);
  const passed = after(Array.from({ length: 7 }, () => [-70, 0, 0, 0]));
  expect(capital(passed)).toBeCloseTo(Math.log(0.1 / 4), 5);
});

test('a quiet window inside a block changes nothing at all', () => {
  const before = after([[1, 0, 0, 0]]);
  expect(taken(before, quiet, placeAt(1), rules)).toStrictEqual(before);
});

test('going on from the stored state changes nothing', () => {
  fc.assert(
    fc.property(history, fc.nat(40), (windows, cut) => {
      let stakes = after(windows.slice(0, cut));
      stakes = JSON.parse(JSON.stringify(stakes)) as Stakes;
      for (const [index, increments] of windows.entries())
        if (index >= cut) stakes = taken(stakes, increments, placeAt(index), rules);
      expect(stakes).toEqual(after(windows));
    }),
  );
});
