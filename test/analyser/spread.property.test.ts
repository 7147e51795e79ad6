import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SnapshotPace } from '../../services/analyser/paces.ts';
import { openTrustedKeys } from '../../services/analyser/trusted-keys.ts';
import type { Decided } from '../../services/core/markers/marker.ts';
import { buildAnalyserHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse, Doomed, Server } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { decisionBytes, undisturbed } from '../support/canary/undisturbed.ts';
import { keyOf } from '../support/given.ts';
import { added, audience, logged, place, planned, run, started } from '../support/markers.ts';
import { sharedOut } from '../support/shared-out.ts';

// Several analysers share the partitions, and each may die at any append. What comes out is what a reader of the same
// samples comes to whom nothing disturbs, to the byte.

const components = ['checkout', 'basket', 'search'] as const;

/** What comes next to the analysers. Who comes to die ends with its n-th append or decision, before or after it. */
type Turn =
  | { readonly turn: 'comes' }
  | {
      readonly turn: 'comes to die';
      readonly appends: number;
      readonly moment: 'before' | 'after';
      readonly counted: 'all' | 'decisions';
    }
  | { readonly turn: 'goes'; readonly which: number }
  | { readonly turn: 'is killed'; readonly which: number };

type Step = Turn & { readonly thenMs: number };

const thenMs = fc.integer({ min: 0, max: 30 }).map((tenths) => tenths * 100);
const which = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ turn: fc.constant('comes'), thenMs }) },
  {
    weight: 4,
    arbitrary: fc.record({
      turn: fc.constant('comes to die'),
      appends: fc.integer({ min: 1, max: 30 }),
      moment: fc.constantFrom('before', 'after'),
      counted: fc.constant('all'),
      thenMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      turn: fc.constant('comes to die'),
      appends: fc.integer({ min: 1, max: 2 }),
      moment: fc.constantFrom('before', 'after'),
      counted: fc.constant('decisions'),
      thenMs: fc.integer({ min: 50, max: 200 }).map((tenths) => tenths * 100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ turn: fc.constant('goes'), which, thenMs }) },
  { weight: 3, arbitrary: fc.record({ turn: fc.constant('is killed'), which, thenMs }) },
);

const pace: fc.Arbitrary<SnapshotPace> = fc.constantFrom(
  { records: 1, ms: 1, msMin: 0 },
  { records: 20, ms: 3_000, msMin: 500 },
  { records: 1e9, ms: 1e9, msMin: 1e9 },
);

/** A canary of each component; that of the last one is sound. */
const threeCanaries = async (): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(fastPolicy, sharedOut);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  for (const [index, component] of components.entries()) {
    const slot = place('production', component);
    const deployment = run(component);
    await house.say('ci', logged('1.9.4', { slot }));
    await house.say(
      'ci',
      planned('2.0.0', { slot, deployment, canaryShare: 0.5, attempt: 'run-1' }),
    );
    await house.say('ci', started({ deployment, attempt: 'run-1' }));
    const server = (name: string, version: string, errors: number, fromMs: number): Server => ({
      name: `${component} ${name}`,
      version,
      component,
      requests: 500,
      errors,
      fromMs,
    });
    house.servers.push(
      server('baseline', '1.9.4', 2, -60_000),
      server('canary', '2.0.0', [100, 40, 2][index] ?? 0, 500),
    );
  }
  return house;
};

type Living = {
  readonly isDead: () => boolean;
  readonly kill: () => Promise<void>;
  go: () => Promise<void>;
};

const live = async (
  house: AnalyserHouse,
  steps: readonly Step[],
  snapshotPace: SnapshotPace,
): Promise<void> => {
  let living: Living[] = [];
  for (const one of steps) {
    const chosen = 'which' in one ? living[one.which % Math.max(1, living.length)] : undefined;
    switch (one.turn) {
      case 'comes': {
        const analyser = house.start({ snapshotPace });
        living.push({
          isDead: () => false,
          go: analyser.stop,
          kill: analyser.stop,
        });
        break;
      }
      case 'comes to die': {
        const { appends, moment, counted } = one;
        const doomed: Doomed = house.startDoomed(appends, moment, counted, { snapshotPace });
        living.push({ ...doomed, go: doomed.kill });
        break;
      }
      case 'goes':
        await chosen?.go();
        break;
      case 'is killed':
        await chosen?.kill();
    }
    living = living.filter((each) => each !== chosen);
    await house.pass(one.thenMs);
    living = living.filter((each) => !each.isDead());
  }
  await Promise.all(living.map((each) => each.kill()));
};

const outcomes = (decisions: Iterable<Decided>): readonly string[] =>
  [...decisions]
    .filter(({ kind }) => kind !== 'hold')
    .map(({ slot, kind, windowIndex }) => `${slot?.component} ${kind} ${windowIndex}`);

test('several analysers that come, go and are killed at any append decide what an undisturbed reader of the samples decides', async () => {
  const said = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 9 }),
      pace,
      async (steps, snapshotPace) => {
        const house = await threeCanaries();
        await live(house, steps, snapshotPace);
        const last = [house.start({ snapshotPace }), house.start({ snapshotPace })];
        await house.pass(62_000);
        await Promise.all(last.map(({ stop }) => stop()));

        const keys = await openTrustedKeys(house.ports).forKeys([]);
        const decided = await undisturbed(house.samples, audience, keys);
        const all = [...decided.values()];
        const onLog = await decisionBytes(house.log);
        for (const bytes of onLog) expect(all.map((one) => one.bytes)).toContain(bytes);
        // A roll-back or promotion that follows from the samples is on the log, for the window from which it follows.
        const first = outcomes(all.map(({ decision }) => decision)).filter(
          (line, index, lines) =>
            lines.findIndex((other) => other.split(' ')[0] === line.split(' ')[0]) === index,
        );
        const stand = outcomes(
          onLog
            .flatMap((bytes) => all.filter((one) => one.bytes === bytes))
            .map((one) => one.decision),
        );
        for (const line of first) {
          said.add(line.split(' ').slice(0, 2).join(' '));
          expect(stand).toContain(line);
        }
        expect(await house.deadLetters()).toStrictEqual([]);
      },
    ),
    { numRuns: 40 },
  );
  // Without this the law could hold because nothing was ever decided.
  expect([...said].toSorted()).toStrictEqual([
    'basket roll-back',
    'checkout roll-back',
    'search promote',
  ]);
});
