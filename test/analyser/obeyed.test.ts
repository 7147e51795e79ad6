import { expect, test } from 'vitest';
import type { ObeySource } from '../../services/core/canary/obey/obeying.ts';
import { askDecision, askGate } from '../../services/core/canary/obey/obeying.ts';
import type { Policy } from '../../services/core/canary/policy/policy.ts';
import type { DecisionRow } from '../../services/core/read-models.ts';
import { ok } from '../../services/core/result.ts';
import { loadState } from '../../services/projector/project.ts';
import { appendSamples } from '../../services/analyser/append-samples.ts';
import { buildAnalyserHouse, buildCanaryHouse, startCanary } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { fastPolicy, fullPolicy, opening } from '../support/canary/sample-streams.ts';
import { artifact } from '../support/decisions.ts';
import { keyOf, tools } from '../support/given.ts';
import { added, failed, logged, planned, run, shifted, started } from '../support/markers.ts';
import { value } from '../support/records.ts';

// What the analyser says may be obeyed by whoever asks the one function: the two are written apart.

const houseWith = async (policy: Policy, canaryErrors: number): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(policy);
  await startCanary(house, canaryErrors);
  return house;
};

/** Of each decision: what comes of asking when it has just been said, or why not. */
const answers = async (house: AnalyserHouse): Promise<readonly string[]> => {
  const { store, clock } = house;
  const generation = value(await store.current()) ?? '';
  const state = value(await loadState({ store, tools }, generation));
  if (state === undefined) throw new Error('nothing was folded');
  const source: ObeySource<never> = {
    rows: async (keys) => ok(value(await store.rows(generation, keys)).rows),
    policies: async () => ok([]),
    keys: state.trust.keys,
    logId: state.trust.logId,
    pinnedLogId: null,
    digest: tools.crypto.sha256HexOfText,
    nowMs: clock.nowMs(),
  };
  const asked = (await house.decisions()).map(async ({ position, kind }: DecisionRow) => {
    const { answer } = value(await askDecision(source, position, () => false));
    return answer.ok ? `${kind} obeyed` : `${kind} ${answer.problem.code}`;
  });
  const gate = value(await askGate(source, run('7')));
  const outcome = gate.found === 'answer' ? gate.answer.outcome : gate.found;
  return [...(await Promise.all(asked)), `gate ${outcome}`];
};

test('a roll-back that the evidence leads to', async () => {
  const house = await houseWith(fastPolicy, 100);
  await house.pass(40_000);
  expect(await answers(house)).toEqual(['roll-back obeyed', 'gate roll-back']);
});

test('a promotion, and every step before it', async () => {
  const house = await houseWith({ ...fastPolicy, steps: [0.25, 0.5], deadlineMs: 300_000 }, 0);
  // The pipeline does as it is told.
  let advanced = 0;
  for (let seconds = 0; seconds < 200; seconds += 2) {
    await house.pass(2000);
    const steps = (await house.decisions()).filter(({ kind }) => kind === 'advance');
    for (const { share } of steps.slice(advanced))
      await house.say('ci', shifted({ canaryShare: share }));
    advanced = steps.length;
  }
  const all = await answers(house);
  expect(all.at(-1)).toBe('gate promote');
  expect(all.slice(0, -1)).toEqual(['advance overtaken', 'advance overtaken', 'promote obeyed']);
});

test('a step by itself', async () => {
  const house = await houseWith({ ...fastPolicy, steps: [0.25] }, 0);
  for (let seconds = 0; seconds < 60 && (await house.decisions()).length === 0; seconds++)
    await house.pass(1000);
  expect(await answers(house)).toEqual(['advance obeyed', 'gate waiting']);
});

test('a silence that the policy rolls back, and one that it does not', async () => {
  for (const [onSilence, gate] of [
    ['roll-back', 'roll-back'],
    ['page', 'hold'],
  ] as const) {
    const house = await houseWith({ ...fastPolicy, onSilence }, 0);
    await house.pass(8000);
    for (const server of house.servers) if (server.name === 'canary') server.untilMs = 0;
    await house.pass(30_000);
    const all = await answers(house);
    expect([onSilence, all.at(-1), all.at(-2)]).toEqual([
      onSilence,
      `gate ${gate}`,
      expect.stringMatching(/ obeyed$/),
    ]);
  }
});

test('a roll-back with all metrics on, and its renewals', async () => {
  const house = await houseWith(fullPolicy, 100);
  await house.pass(60_000);
  expect((await answers(house)).at(-1)).toBe('gate roll-back');
  await house.pass(10 * 60_000);
  const all = await answers(house);
  expect(all.at(-1)).toBe('gate roll-back');
  // The newest renewal prolongs them all.
  expect(new Set(all.slice(0, -1))).toEqual(new Set(['roll-back obeyed']));
  expect(all.length).toBeGreaterThan(3);
});

test('one canary more than a partition holds is held with a word of why, once, and a gate ends by it', async () => {
  const house = await buildCanaryHouse(fastPolicy);
  // Of the same component, so in the same partition.
  const before = Array.from({ length: 500 }, (_, index) => {
    const id = `6f1c1a52-0000-8000-8000-${String(index).padStart(12, '0')}`;
    return opening({ analysis: id, deployment: id, openedAt: house.clock.nowMs() });
  });
  await appendSamples(house.ports, new AbortController().signal, before);
  const analyser = house.start();
  await house.pass(5_000);
  const decisions = await house.decisions();
  expect(decisions).toMatchObject([
    {
      ...{ kind: 'hold', note: 'applied', deployment: run('7'), attempt: 1 },
      ...{ stage: 'inconclusive', verdict: 'inconclusive', reason: 'partition-full', windows: 0 },
      explanation: expect.stringMatching(/^not judged: more canaries are open beside it/),
    },
  ]);
  expect(house.events.filter(({ event }) => event === 'opening-refused')).toStrictEqual([
    {
      ...{ event: 'opening-refused', analysis: decisions[0]?.analysis },
      ...{ deployment: run('7'), why: 'partition-full' },
    },
  ]);
  expect(analyser.status().analyses).toHaveLength(500);
  expect(await answers(house)).toEqual(['hold obeyed', 'gate inconclusive']);
  // Whoever takes the partition over refuses it alike, and does not say it twice.
  await analyser.stop();
  const next = house.start();
  await house.pass(3_000);
  expect(next.status().analyses).toHaveLength(500);
  expect(await house.decisions()).toHaveLength(1);
  await next.stop();
});

test('what was rolled back and is tried again: its roll-back counts before any window of its own does', async () => {
  const digests = { '1.9.4': artifact('a'), '2.0.0': artifact('b') };
  const house = await buildAnalyserHouse(fastPolicy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', logged('1.9.4', { digest: digests['1.9.4'] }));
  const server = { name: 'baseline', version: '1.9.4', requests: 500, errors: 0, fromMs: 0 };
  house.servers.push({ ...server });
  house.start();
  for (const attempt of ['run-1', 'run-2', 'run-3']) {
    const plan = { canaryShare: 0.5, attempt, digest: digests['2.0.0'] };
    await house.say('ci', planned('2.0.0', plan));
    await house.say('ci', started({ attempt }));
    const fromMs = house.sinceOpeningMs() + 300;
    house.servers.push({ ...server, name: attempt, version: '2.0.0', errors: 100, fromMs });
    await house.pass(20_000);
    const [, , third] = await house.decisions();
    // A third time in an hour is for a person to look at.
    expect((await answers(house)).slice(-2)).toEqual(
      third === undefined
        ? ['roll-back obeyed', 'gate roll-back']
        : ['roll-back flapping', 'gate waiting'],
    );
    house.servers.length = 1;
    await house.say('ci', failed({ attempt }));
    await house.pass(1_000);
  }
  const [first, second] = await house.decisions();
  expect(second).toMatchObject({ carriedFrom: first?.analysis, attempt: 2 });
  expect(second?.windows).toBeLessThan(first?.windows ?? 0);
});
