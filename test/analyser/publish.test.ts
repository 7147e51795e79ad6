import { describe, expect, test } from 'vitest';
import { publish } from '../../services/analyser/publish.ts';
import type { Decided } from '../../services/core/markers/marker.ts';
import { buildAnalyserHouse } from '../support/analyser-house.ts';
import type { AnalyserHouse } from '../support/analyser-house.ts';
import { fastPolicy } from '../support/canary/sample-streams.ts';
import { keyOf, markerOf } from '../support/given.ts';
import { added, decided, failed, planned, started } from '../support/markers.ts';

const attempt = { attempt: 'run-1' };
const decisionOf = (kind: 'promote' | 'roll-back', name: string): Decided =>
  markerOf('analyser', decided(kind, attempt), name) as Decided;

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

  test('when a roll-back stands', async () => {
    const house = await runningHouse();
    await publishOn(house, decisionOf('roll-back', 'one'));
    expect(await publishOn(house, decisionOf('roll-back', 'two'))).toBeNull();
    expect(await house.decisions()).toHaveLength(1);
  });
});
