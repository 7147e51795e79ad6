import { describe, expect, test } from 'vitest';
import { publish } from '../../services/analyser/publish.ts';
import type { Decided } from '../../services/core/markers/marker.ts';
import { buildAnalyserHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { keyOf, markerOf } from '../support/given.ts';
import { added, decided, failed, id, planned, started } from '../support/markers.ts';

const attempt = { attempt: 'run-1' };
const decisionOf = (kind: 'promote' | 'roll-back', name: string, window = 3): Decided =>
  markerOf('analyser', decided(kind, { ...attempt, windowIndex: window }), name) as Decided;

const runningHouse = async (): Promise<AnalyserHouse> => {
  const house = await buildAnalyserHouse(fastPolicy);
  await house.say('admin', added(keyOf('analyser'), { roles: ['analyser'] }));
  await house.say('ci', planned('2.0.0', { ...attempt, canaryShare: 0.5 }));
  await house.say('ci', started(attempt));
  return house;
};

const publishOn = async (house: AnalyserHouse, decision: Decided): Promise<number | null> => {
  const published = publish(house.ports, new AbortController().signal, decision, 1);
  await house.pass(100);
  return published;
};

describe('a decision is appended', () => {
  test('and answers with its position', async () => {
    const house = await runningHouse();
    expect(await publishOn(house, decisionOf('promote', 'one'))).toBe(5);
    expect(await house.decisions()).toMatchObject([{ kind: 'promote', position: 5 }]);
  });

  test('also after another one that does not stand in its way', async () => {
    const house = await runningHouse();
    await publishOn(house, decisionOf('promote', 'one'));
    expect(await publishOn(house, decisionOf('roll-back', 'two'))).toBe(6);
  });

  test.each(['promote', 'roll-back'] as const)('as a renewal of a %s that stands', async (kind) => {
    const house = await runningHouse();
    await publishOn(house, decisionOf(kind, 'one'));
    expect(await publishOn(house, decisionOf(kind, 'two', 50))).toBe(6);
    expect((await house.decisions()).map(({ note }) => note)).toStrictEqual(['applied', 'repeat']);
  });
});

describe('a decision is not appended', () => {
  test('when it is there already', async () => {
    const house = await runningHouse();
    await publishOn(house, decisionOf('promote', 'one'));
    expect(await publishOn(house, decisionOf('promote', 'one'))).toBeNull();
  });

  test('when the attempt is over', async () => {
    const house = await runningHouse();
    await house.say('ci', failed(attempt));
    expect(await publishOn(house, decisionOf('roll-back', 'one'))).toBeNull();
  });

  test.each([
    ['a promotion', 'promote', 3],
    ['the renewal of one', 'promote', 50],
    ["another analysis's roll-back", 'roll-back', 50],
  ] as const)('when a roll-back stands: %s', async (_name, kind, window) => {
    const house = await runningHouse();
    await publishOn(house, decisionOf('promote', 'one'));
    await house.say('analyser', decided('roll-back', { ...attempt, analysis: id('other', 8) }));
    expect(await publishOn(house, decisionOf(kind, 'two', window))).toBeNull();
    expect(await house.decisions()).toHaveLength(2);
  });

  test('when it renews what is renewed as late already', async () => {
    const house = await runningHouse();
    await publishOn(house, decisionOf('roll-back', 'one'));
    await publishOn(house, decisionOf('roll-back', 'three', 90));
    expect(await publishOn(house, decisionOf('roll-back', 'two', 50))).toBeNull();
  });

  test('when what it renews does not stand', async () => {
    const house = await runningHouse();
    expect(await publishOn(house, decisionOf('promote', 'two', 50))).toBeNull();
  });

  test('when it renews on an attempt that is over', async () => {
    const house = await runningHouse();
    await publishOn(house, decisionOf('roll-back', 'one'));
    await house.say('ci', failed(attempt));
    expect(await publishOn(house, decisionOf('roll-back', 'two', 50))).toBeNull();
  });

  test('when a later attempt runs there, but not because one is planned', async () => {
    const house = await runningHouse();
    const next = { attempt: 'run-2' };
    await house.say('ci', planned('2.0.1', { ...next, canaryShare: 0.5 }));
    expect(await publishOn(house, decisionOf('roll-back', 'one'))).toBe(6);
    await house.say('ci', started(next));
    expect(await publishOn(house, decisionOf('roll-back', 'two', 50))).toBeNull();
  });
});
