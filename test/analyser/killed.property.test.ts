import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../services/core/canary/policy/policy.ts';
import { buildCanaryHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { tools } from '../support/given.ts';
import { failed } from '../support/markers.ts';
import { value } from '../support/records.ts';

/** One life of an analyser: it ends with its n-th append, before it or after it, or after so much time. */
type Life = {
  readonly appends: number;
  readonly moment: 'before' | 'after';
  readonly lifeMs: number;
  readonly restMs: number;
};

const life: fc.Arbitrary<Life> = fc.record({
  appends: fc.integer({ min: 1, max: 25 }),
  moment: fc.constantFrom('before', 'after'),
  lifeMs: fc.integer({ min: 1, max: 80 }).map((tenths) => tenths * 100),
  restMs: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths * 100),
});

const canaryOn = async (errors: number, policy: Policy = fastPolicy): Promise<AnalyserHouse> => {
  const house = await buildCanaryHouse(policy);
  const each = { requests: 500, everyMs: policy.windowMs };
  house.servers.push(
    { ...each, name: 'baseline', version: '1.9.4', errors: 0, fromMs: -60_000 },
    { ...each, name: 'canary', version: '2.0.0', errors, fromMs: 500 },
  );
  return house;
};

const live = async (house: AnalyserHouse, lives: readonly Life[]): Promise<void> => {
  for (const { appends, moment, lifeMs, restMs } of lives) {
    const doomed = house.startDoomed(appends, moment);
    for (let livedMs = 0; livedMs < lifeMs && !doomed.isDead(); livedMs += 100)
      await house.pass(100);
    await doomed.kill();
    await house.pass(restMs);
  }
};

const rollbackRecords = async (house: AnalyserHouse): Promise<number> =>
  value(await house.log.read(0, 0, 10_000)).filter(({ headers }) =>
    headers.some(({ value: bytes }) => tools.text.decodeUtf8(bytes) === 'plimsoll.roll-back.v2'),
  ).length;

const rollbackRows = async (house: AnalyserHouse): Promise<readonly string[]> =>
  (await house.decisions()).map(({ kind, note }) => `${kind} ${note}`);

test.each(['before', 'after'] as const)(
  'killed %s the roll-back was appended, it stands on the log once',
  async (moment) => {
    const house = await canaryOn(100);
    const doomed = house.startDoomed(1, moment, 'decisions');
    await house.pass(25_000);
    expect(doomed.isDead()).toBe(true);
    expect(await rollbackRecords(house)).toBe(moment === 'after' ? 1 : 0);
    const next = house.start();
    await house.pass(5_000);
    await next.stop();
    expect(await rollbackRecords(house)).toBe(1);
    expect(await rollbackRows(house)).toStrictEqual(['roll-back applied']);
  },
);

test('a roll-back waits for no projector; said twice meanwhile, it counts once', async () => {
  const house = await canaryOn(100);
  const doomed = house.startDoomed(1, 'after', 'decisions');
  await house.pass(2_000);
  const resume = house.pauseProjector();
  await house.pass(25_000);
  expect(doomed.isDead()).toBe(true);
  const next = house.start();
  await house.pass(10_000);
  expect(await rollbackRecords(house)).toBe(2);
  expect(await rollbackRows(house)).toStrictEqual([]);
  resume();
  await house.pass(1_000);
  await next.stop();
  expect(await rollbackRows(house)).toStrictEqual(['roll-back applied']);
  expect(await house.deadLetters()).toStrictEqual([]);
});

test('killed anywhere and begun again, there is one roll-back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), async (lives) => {
      const house = await canaryOn(100);
      await live(house, lives);
      const last = house.start();
      await house.pass(35_000);
      await last.stop();

      const decisions = await house.decisions();
      expect(decisions.map(({ kind, note }) => [kind, note])).toStrictEqual([
        ['roll-back', 'applied'],
      ]);
      expect(await house.deadLetters()).toStrictEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('killed anywhere, the canary that is sound is promoted once and never rolled back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
      const house = await canaryOn(0);
      await live(house, lives);
      const last = house.start();
      await house.pass(58_000);
      await last.stop();
      const kinds = (await house.decisions()).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind !== 'hold')).toStrictEqual(['promote']);
      expect(await house.deadLetters()).toStrictEqual([]);
    }),
    { numRuns: 15 },
  );
});

/** So long that what stands is renewed twice, for the analyser and for a test. */
const twoRenewalsMs = 520_000;
/**
 * As the fast policy in windows of five seconds, as a decision is renewed every four minutes whatever the windows:
 * a fifth of the exports.
 */
const slower = 5;
const coarseMs = 500;
const slowPolicy: Policy = {
  ...fastPolicy,
  windowMs: slower * fastPolicy.windowMs,
  warmUpMs: slower * fastPolicy.warmUpMs,
  soakMs: slower * fastPolicy.soakMs,
  deadlineMs: slower * fastPolicy.deadlineMs,
  blockMs: slower * fastPolicy.blockMs,
  noDataMs: slower * fastPolicy.noDataMs,
  restarts: { ...fastPolicy.restarts, everyMs: slower * fastPolicy.restarts.everyMs },
};

const notesOf = async (house: AnalyserHouse): Promise<readonly string[]> =>
  (await house.decisions())
    .map(({ kind, note }) => `${kind} ${note}`)
    .filter((said) => !said.startsWith('hold'));

test.each([
  ['roll-back', 100],
  ['promote', 0],
] as const)('killed while a %s stands, it is renewed and counts once', async (kind, errors) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(life, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('before', 'after'),
      fc.boolean(),
      async (lives, moment, isSilent) => {
        const house = await canaryOn(errors, slowPolicy);
        await live(house, lives);
        const first = house.start();
        await house.pass(90_000, coarseMs);
        await first.stop();
        if (isSilent) house.servers.length = 0;
        const doomed = house.startDoomed(1, moment, 'decisions');
        await house.pass(twoRenewalsMs / 2, coarseMs);
        expect(doomed.isDead()).toBe(true);
        const last = house.start();
        await house.pass(twoRenewalsMs / 2, coarseMs);
        expect(await notesOf(house)).toStrictEqual([
          `${kind} applied`,
          `${kind} repeat`,
          `${kind} repeat`,
        ]);
        await house.say('ci', failed({ attempt: 'run-1' }));
        await house.pass(twoRenewalsMs / 2, coarseMs);
        await last.stop();
        expect(await notesOf(house)).toHaveLength(3);
        expect(await house.deadLetters()).toStrictEqual([]);
      },
    ),
    { numRuns: 12 },
  );
});
