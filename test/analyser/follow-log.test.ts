import { expect, test } from 'vitest';
import type { BeforeFor } from '../../services/analyser/before-read.ts';
import type { EvidenceKept } from '../../services/analyser/evidence-kept.ts';
import { followLog } from '../../services/analyser/follow-log.ts';
import { artifactsOf } from '../../services/core/canary/attempts/kept-evidence.ts';
import type { Policy } from '../../services/core/canary/policy/policy.ts';
import { selectionOf } from '../../services/core/canary/policy/selection.ts';
import { readBefore } from '../../services/core/canary/rollouts/before.ts';
import { buildAnalyserHouse, settled } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { openingsIn } from '../support/canary/openings.ts';
import { everywhere, fastPolicy } from '../support/canary/sample-streams.ts';
import { artifact } from '../support/decisions.ts';
import { keyOf } from '../support/given.ts';
import { added, logged, place, planned, run, started } from '../support/markers.ts';
import { value } from '../support/records.ts';

// What an opening freezes, where that takes long.

const nothingKept: EvidenceKept = { keep: async () => undefined, find: async () => undefined };
const nothingBefore: BeforeFor = async () => ({ windows: [], season: null });

/** A house whose log is looked at once, as a whole; the clock stands until it is moved. */
const houseWith = async (
  policy: Policy,
  rolledOut: Parameters<typeof planned>[1],
): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(policy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4', { digest: artifact('a') }));
  await house.say(
    'ci',
    planned('2.0.0', { digest: artifact('b'), attempt: 'run-1', ...rolledOut }),
  );
  await house.say('ci', started({ attempt: 'run-1' }));
  return house;
};

const look = async (
  house: AnalyserHouse,
  policy: Policy,
  { kept = nothingKept, beforeFor = nothingBefore }: Partial<Asked>,
): Promise<void> => {
  const document = { policies: [everywhere(policy)] };
  const follower = followLog(house.ports, new AbortController().signal, {
    policies: {
      inForce: async () => document,
      readable: async () => document,
      selection: async () => selectionOf([policy]),
    },
    kept,
    noiseFor: async () => ({ noise: [], ageMs: null }),
    beforeFor,
  });
  const records = value(await house.log.read(0, 0, 1_000));
  await follower.onBatch({ partition: 0, records, end: records.length });
};

type Asked = { readonly kept: EvidenceKept; readonly beforeFor: BeforeFor };

const canary = { canaryShare: 0.5 };

/** Evidence of whatever is asked for; a hotfix takes the slot while it is looked up the first time, which takes `tookMs`. */
const keptWhileHotfix = (house: AnalyserHouse, tookMs: number, asked: string[]): EvidenceKept => ({
  ...nothingKept,
  find: async (_slot, artifacts) => {
    asked.push(artifacts);
    if (asked.length === 1) {
      await house.clock.advance(tookMs);
      await house.say('ci', logged('1.9.5', { digest: artifact('c') }));
    }
    return {
      artifacts,
      analysis: analysisFound(asked.length),
      deployment: 'another',
      attempt: 1,
      independentAttempts: asked.length,
      untilMs: house.clock.nowMs(),
      carried: '{}',
    };
  },
});
const analysisFound = (time: number): string => `00000000-0000-8000-8000-00000000000${time}`;

test('an opening that rests on a second look carries the evidence of whom that compares', async () => {
  const house = await houseWith(fastPolicy, canary);
  const asked: string[] = [];
  await look(house, fastPolicy, { kept: keptWhileHotfix(house, 12_000, asked) });
  const [opening] = await openingsIn(house);
  expect(opening?.baseline.map(({ version }) => version)).toStrictEqual(['1.9.5']);
  expect(asked.at(-1)).toBe(opening && artifactsOf(opening.canary, opening.baseline));
  expect(opening?.carriedFrom).toBe(analysisFound(2));
  expect(opening?.independentAttempts).toBe(2);
});

test('where the second look finds the same, nothing is asked for again', async () => {
  const house = await houseWith(fastPolicy, canary);
  let asked = 0;
  const find: EvidenceKept['find'] = async () => {
    asked += 1;
    await house.clock.advance(90_000);
    return undefined;
  };
  await look(house, fastPolicy, { kept: { ...nothingKept, find } });
  expect(asked).toBe(1);
  expect(await openingsIn(house)).toHaveLength(1);
});

test('what ran before is waited for so long, and then opened without', async () => {
  const policy: Policy = { ...fastPolicy, rollouts: { beforeAfter: true, blueGreen: true } };
  const house = await houseWith(policy, { strategy: 'rolling' });
  const looked = look(house, policy, { beforeFor: () => new Promise(() => undefined) });
  await settled();
  await house.clock.advance(121_000);
  await looked;
  const [opening] = await openingsIn(house);
  expect(opening?.comparison).toBe('before-after');
  expect(readBefore(opening?.before ?? '', policy.metrics)).toStrictEqual({
    windows: [],
    season: null,
  });
  expect(house.events).toContainEqual({
    event: 'not-kept',
    what: 'before',
    message: 'what ran before was not read within 120 s',
  });
});

test('many openings that are slow to make do not make each other too old', async () => {
  const policy: Policy = { ...fastPolicy, rollouts: { beforeAfter: true, blueGreen: true } };
  const house = await houseWith(policy, { strategy: 'rolling' });
  for (let other = 1; other < 15; other += 1) {
    const slot = place('production', `cart-${other}`);
    const deployment = run(`cart ${other}`);
    const plan = { slot, deployment, attempt: 'run-1', strategy: 'rolling' };
    await house.say('ci', logged('1.9.4', { slot }));
    await house.say('ci', planned('2.0.0', plan));
    await house.say('ci', started({ deployment, attempt: 'run-1' }));
  }
  const beforeFor: BeforeFor = async () => {
    await house.clock.advance(25_000);
    return { windows: [], season: null };
  };
  await look(house, policy, { beforeFor });
  expect(await openingsIn(house)).toHaveLength(15);
});
