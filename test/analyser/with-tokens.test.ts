import { expect, test } from 'vitest';
import type { OnBehalf } from '../../services/core/canary/policy/policy.ts';
import { presets } from '../../services/core/canary/policy/presets.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { buildAnalyserHouse } from '../support/analyser-house.ts';
import { openingsIn } from '../support/canary/openings.ts';
import { keyOf } from '../support/given.ts';
import type { Said } from '../support/markers.ts';
import { added, logged, planned, started } from '../support/markers.ts';

// Which canaries an analyser opens, and against what, where callers with a token speak, too.

const withToken = (says: Said): Said => ({ ...says, source: onBehalfSource('shop') });

const houseUnder = async (onBehalf: OnBehalf): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse({ ...presets.standard, onBehalf });
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('admin', added(keyOf('gateway'), { roles: ['gateway'] }));
  await house.say('ci', logged('1.9.4'));
  return house;
};

/** `2.0.0 against 1.9.4`, one opening each. */
const opened = async (house: AnalyserHouse): Promise<readonly string[]> => {
  house.start();
  await house.pass(2000);
  return (await openingsIn(house)).map(
    ({ canary, baseline }) =>
      `${canary.version} against ${baseline.map(({ version }) => version).join(' ')}`,
  );
};

test.each([
  { onBehalf: 'ignore', openings: [] },
  { onBehalf: 'accept', openings: ['2.0.0 against 1.9.4'] },
] as const)('a canary of a token, under $onBehalf', async ({ onBehalf, openings }) => {
  const house = await houseUnder(onBehalf);
  await house.say('gateway', withToken(planned('2.0.0', { canaryShare: 0.5 })));
  await house.say('gateway', withToken(started()));
  expect(await opened(house)).toEqual(openings);
});

test.each([
  { onBehalf: 'ignore', openings: ['2.0.0 against 1.9.4'] },
  { onBehalf: 'accept', openings: ['2.0.0 against 6.6.6'] },
] as const)('a canary of a key where a token has released, under $onBehalf', async (told) => {
  const house = await houseUnder(told.onBehalf);
  await house.say('gateway', withToken(logged('6.6.6')));
  await house.say('ci', planned('2.0.0', { canaryShare: 0.5 }));
  await house.say('ci', started());
  expect(await opened(house)).toEqual(told.openings);
});
