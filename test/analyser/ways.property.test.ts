import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTrustedKeys } from '../../services/analyser/trusted-keys.ts';
import { buildCanaryHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse, Way } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { undisturbed } from '../support/canary/undisturbed.ts';
import { audience } from '../support/markers.ts';

// The same exports, whatever way they go, are the same verdict in the same window, with the same counts.

/** What comes later than this behind its own time is late. */
const latenessMs = 2 * fastPolicy.windowMs;
const step = 100;

const canaryHouse = async (errors: number): Promise<AnalyserHouse> => {
  const house = await buildCanaryHouse(fastPolicy);
  house.servers.push(
    { name: 'baseline a', version: '1.9.4', requests: 300, errors: 1, fromMs: -60_000 },
    { name: 'baseline b', version: '1.9.4', requests: 200, errors: 1, fromMs: -30_300 },
    { name: 'canary a', version: '2.0.0', requests: 300, errors, fromMs: 500 },
    { name: 'canary b', version: '2.0.0', requests: 200, errors: 1, fromMs: 700 },
  );
  return house;
};

/** What is decided first of those that somebody is asked to act on, with what it rests on. */
const outcome = async (house: AnalyserHouse): Promise<object> => {
  const keys = await openTrustedKeys(house.ports).forKeys([]);
  const decided = await undisturbed(house.samples, audience, keys);
  const first = [...decided.values()].find(({ decision }) => decision.kind !== 'hold')?.decision;
  if (first === undefined) throw new Error('nothing was decided');
  const { kind, windowIndex, evidenceDigest, evidence, canary, baseline, ratio } = first;
  const rows = await house.decisions();
  expect(rows.map((row) => `${row.kind} ${row.windowIndex}`)).toContain(`${kind} ${windowIndex}`);
  return { kind, windowIndex, evidenceDigest, evidence, canary, baseline, ratio };
};

const errorsShown = [60, 15, 1] as const;

/** Keyed, in one partition, in order, at once. */
const straightOutcomes = Promise.all(
  errorsShown.map(async (errors) => {
    const house = await canaryHouse(errors);
    house.waysOf = () => [{ partition: 0, afterMs: 0 }];
    const analyser = house.start();
    await house.pass(50_000);
    await analyser.stop();
    return outcome(house);
  }),
);

const way = (delayMsMax: number): fc.Arbitrary<Way> =>
  fc.record({
    partition: fc.nat({ max: 1 }),
    afterMs: fc.nat({ max: delayMsMax / step }).map((steps) => steps * step),
  });
/** In time at least once; the copies come when they like. */
const ways = (delayMsMax: number): fc.Arbitrary<readonly (readonly Way[])[]> =>
  fc.array(
    fc
      .tuple(way(delayMsMax), fc.array(way(20_000), { maxLength: 2 }))
      .map(([first, copies]) => [first, ...copies]),
    { minLength: 1, maxLength: 40 },
  );

test('in order, there is a roll-back among the verdicts, and a promotion', async () => {
  const kinds = (await straightOutcomes).map((found) => JSON.stringify(found).slice(0, 20));
  expect(new Set(kinds).size).toBeGreaterThan(1);
});

test('unkeyed, scattered, doubled and late within the bound, OTLP gives the verdict of OTLP that is keyed and in order', async () => {
  const straight = await straightOutcomes;
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 2 }), ways(latenessMs - 2 * step), async (which, given) => {
      const house = await canaryHouse(errorsShown[which] ?? 0);
      house.waysOf = (_server, exports) => given[exports % given.length] ?? [];
      const analyser = house.start();
      await house.pass(52_000);
      await analyser.stop();
      expect(await outcome(house)).toStrictEqual(straight[which]);
    }),
    { numRuns: 12 },
  );
});

test('an analyser that is away for less than the lateness gives the verdict of one that never was', async () => {
  const straight = await straightOutcomes;
  const away = fc.record({
    livesMs: fc.integer({ min: 10, max: 120 }).map((tenths) => tenths * 100),
    appends: fc.integer({ min: 1, max: 60 }),
    moment: fc.constantFrom('before', 'after'),
    awayMs: fc.nat({ max: 8 }).map((tenths) => tenths * 100),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 2 }),
      ways(600),
      fc.array(away, { minLength: 1, maxLength: 5 }),
      async (which, given, lives) => {
        const house = await canaryHouse(errorsShown[which] ?? 0);
        house.waysOf = (_server, exports) => given[exports % given.length] ?? [];
        // Whoever opens the analysis opens it in the same moment.
        const first = house.start();
        await house.pass(1_000);
        await first.stop();
        let passedMs = 1_000;
        for (const { livesMs, appends, moment, awayMs } of lives) {
          const doomed = house.startDoomed(appends, moment);
          for (let livedMs = 0; livedMs < livesMs && !doomed.isDead(); livedMs += step) {
            await house.pass(step);
            passedMs += step;
          }
          await doomed.kill();
          await house.pass(awayMs);
          passedMs += awayMs;
        }
        const last = house.start();
        await house.pass(Math.max(10_000, 52_000 - passedMs));
        await last.stop();
        expect(await outcome(house)).toStrictEqual(straight[which]);
      },
    ),
    { numRuns: 12 },
  );
});
