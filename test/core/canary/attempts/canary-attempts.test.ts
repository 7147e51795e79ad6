import { describe, expect, test } from 'vitest';
import {
  analysisIdOf,
  canaryAttempts,
  copiesOf,
  decisionIsMoot,
  dueAnalysis,
  openingOf,
} from '../../../../services/core/canary/attempts/canary-attempts.ts';
import { beginningOf } from '../../../../services/core/canary/attempts/kept-evidence.ts';
import { presetEverywhere } from '../../../../services/core/canary/policy/placed-policy.ts';
import type { Decided } from '../../../../services/core/markers/marker.ts';
import { slotKey } from '../../../../services/core/markers/slot.ts';
import type { AnalysisOpened, Copy } from '../../../../services/core/samples/sample.ts';
import type { SlotState } from '../../../../services/core/slot-state.ts';
import { loadState } from '../../../../services/projector/project.ts';
import {
  by,
  findsCompromised,
  given,
  markerOf,
  openedAtMs,
  portsOf,
  tools,
  trusts,
} from '../../../support/given.ts';
import type { House, Step } from '../../../support/given.ts';
import {
  audience,
  decided,
  failed,
  logged,
  place,
  planned,
  run,
  shifted,
  started,
  succeeded,
} from '../../../support/markers.ts';
import { value } from '../../../support/records.ts';

const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
const nowMs = openedAtMs + 60_000;
const opening = { digest, audience };
const canary = { canaryShare: 0.1, attempt: 'a' };
const inRun = { attempt: 'a' };

const openings = async (
  house: House,
  atMs: number = nowMs,
): Promise<readonly (AnalysisOpened | undefined)[]> => {
  const deployment = await house.deployment();
  const slot = await house.row<SlotState>('slot', slotKey(place('production')));
  return canaryAttempts(deployment).map((attempt) => {
    const due = dueAnalysis(digest, atMs, deployment, attempt, slot);
    if (due === undefined) return undefined;
    const beginning = beginningOf(undefined, deployment.id, due.judgedBefore, atMs);
    const frozen = {
      policy: presetEverywhere,
      noise: [],
      noiseAgeMs: null,
      beginning,
      before: null,
    };
    return openingOf(opening, due, frozen, atMs);
  });
};

const opened = async (...steps: readonly Step[]): Promise<readonly unknown[]> =>
  (await openings(await given(...steps))).filter((one) => one !== undefined);

const standing = by('ci', logged('1.9.4'));

describe('an analysis opens', () => {
  test('when a canary runs where another version holds the slot, and names both', async () => {
    const [one] = await openings(
      await given(standing, by('ci', planned('2.0.0', canary)), by('ci', started(inRun))),
    );
    expect(one).toMatchObject({
      kind: 'analysis-opened',
      analysis: analysisIdOf(digest, run('7'), 1),
      deployment: run('7'),
      attempt: 1,
      attemptToken: 'a',
      environment: 'production',
      component: 'checkout',
      namespace: 'default',
      target: null,
      logPosition: 4,
      openedAt: nowMs,
      canary: { version: '2.0.0', digest: null, deployment: run('7') },
      canaryShare: 0.1,
      baseline: [{ version: '1.9.4', digest: null }],
    });
    expect(one?.policyDigest).toBe(digest(one?.policy ?? ''));
  });

  test('once for each attempt, each with an id of its own', async () => {
    const again = { canaryShare: 0.1, attempt: 'b' };
    const both = await openings(
      await given(
        standing,
        by('ci', planned('2.0.0', canary)),
        by('ci', started(inRun)),
        by('ci', failed(inRun)),
        by('ci', planned('2.0.0', again)),
        by('ci', started({ attempt: 'b' })),
      ),
    );
    expect(both.map((one) => one?.attempt)).toStrictEqual([undefined, 2]);
    expect(analysisIdOf(digest, run('7'), 1)).not.toBe(analysisIdOf(digest, run('7'), 2));
  });
});

describe('no analysis opens', () => {
  const plan = by('ci', planned('2.0.0', canary));
  const start = by('ci', started(inRun));

  test('before it runs, or after it has ended', async () => {
    expect(await opened(standing, plan)).toStrictEqual([]);
    expect(await opened(standing, plan, start, by('ci', succeeded(inRun)))).toStrictEqual([]);
  });

  test('where nothing holds the slot', async () => {
    expect(await opened(plan, start)).toStrictEqual([]);
  });

  test('against the same deployment, whose earlier attempt holds the slot', async () => {
    expect(
      await opened(
        plan,
        start,
        by('ci', succeeded(inRun)),
        by('ci', planned('2.0.0', { canaryShare: 0.1, attempt: 'b' })),
        by('ci', started({ attempt: 'b' })),
      ),
    ).toStrictEqual([]);
  });

  test('without a plan, and for a deployment that is no canary', async () => {
    expect(await opened(standing, start)).toStrictEqual([]);
    expect(await opened(standing, by('ci', planned('2.0.0', inRun)), start)).toStrictEqual([]);
  });

  test('for a canary that was started more than a day ago', async () => {
    const house = await given(standing, plan, start);
    const day = 86_400_000;
    expect(await openings(house, openedAtMs + day)).not.toStrictEqual([undefined]);
    expect(await openings(house, openedAtMs + day + 10_000)).toStrictEqual([undefined]);
  });

  test('when it has decided already', async () => {
    const decision = decided('promote', {
      ...inRun,
      analysis: analysisIdOf(digest, run('7'), 1),
    });
    const steps = [trusts('judge', { roles: ['analyser'] }), standing, plan, start];
    expect(await opened(...steps)).toHaveLength(1);
    expect(await opened(...steps, by('judge', decision))).toStrictEqual([]);
  });
});

test('an attempt whose successor runs is not opened again', async () => {
  const again = { canaryShare: 0.1, attempt: 'b' };
  const both = [by('ci', planned('2.0.0', canary)), by('ci', started(inRun))];
  const next = [by('ci', planned('2.0.0', again)), by('ci', started({ attempt: 'b' }))];
  const numbers = async (...steps: readonly Step[]): Promise<readonly (number | undefined)[]> =>
    (await openings(await given(standing, ...both, ...steps))).map((one) => one?.attempt);
  expect(await numbers(...next.slice(0, 1))).toStrictEqual([1, undefined]);
  expect(await numbers(...next)).toStrictEqual([undefined, 2]);
});

test('a promotion is renewed while it stands, and once more to learn that a conflict holds it', async () => {
  const promotion = (windowIndex: number): Step =>
    by('judge', decided('promote', { ...inRun, windowIndex }));
  const steps = [
    trusts('judge', { roles: ['analyser'] }),
    by('ci', planned('2.0.0', canary)),
    by('ci', started(inRun), { marker: 'one' }),
    promotion(3),
    by('ci', started({ ...inRun, statusReported: 'other' }), { marker: 'one' }),
  ];
  const next = markerOf('judge', decided('promote', { windowIndex: 99 }), 'next') as Decided;
  const isMoot = async (...more: readonly Step[]): Promise<boolean> =>
    decisionIsMoot(await (await given(...steps, ...more)).deployment(), 1, next, new Map());
  expect(await isMoot()).toBe(false);
  expect(await isMoot(promotion(50))).toBe(true);
});

test('what a thief has said of a later window keeps the true decision from the log until the theft is known', async () => {
  const steps = [
    trusts('thief', { roles: ['analyser'] }),
    standing,
    by('ci', planned('2.0.0', canary)),
    by('ci', started(inRun)),
    by('thief', decided('roll-back', { ...inRun, windowIndex: 99 })),
    by('thief', decided('roll-back', { ...inRun, windowIndex: 99, analysis: run('9') })),
  ];
  const next = markerOf('judge', decided('roll-back', { windowIndex: 9 }), 'next') as Decided;
  const house = await given(...steps, findsCompromised('thief', 0));
  const { trust } = value(await loadState(portsOf(house.store), 'g')) ?? { trust: undefined };
  const deployment = await house.deployment();
  expect(decisionIsMoot(deployment, 1, next, new Map())).toBe(true);
  expect(decisionIsMoot(deployment, 1, next, trust?.keys ?? new Map())).toBe(false);
});

describe('copies', () => {
  const copiesIn = async (house: House): Promise<readonly Copy[]> => {
    const deployment = await house.deployment();
    const records = house.records.map(({ position, appendedAtMs, value: bytes }) => ({
      position,
      appendedAtMs,
      digest: tools.crypto.sha256Hex(bytes),
    }));
    return canaryAttempts(deployment).flatMap((attempt) =>
      copiesOf(opening, deployment, attempt, records),
    );
  };
  const story: readonly Step[] = [
    trusts('judge', { roles: ['analyser'] }),
    standing,
    by('ci', planned('2.0.0', canary)),
    by('ci', started(inRun)),
    by('ci', shifted({ ...inRun, canaryShare: 0.5 })),
    by('judge', decided('roll-back', inRun)),
    by('judge', decided('promote', inRun)),
    by('ci', failed(inRun)),
    by('ci', succeeded(inRun)),
  ];

  test('are made of shifts, decisions and ends that count, and of nothing else', async () => {
    const copies = await copiesIn(await given(...story));
    expect(copies.map(({ fact, logPosition }) => [fact, logPosition])).toStrictEqual([
      ['traffic-shifted', 6],
      ['roll-back', 7],
      ['failed', 9],
    ]);
  });

  test('name their record by position, digest and marker', async () => {
    const house = await given(...story);
    const [shift] = await copiesIn(house);
    const record = house.records[6];
    expect(shift).toMatchObject({
      analysis: analysisIdOf(digest, run('7'), 1),
      logDigest: tools.crypto.sha256Hex(record?.value ?? new Uint8Array()),
      appendedAt: record?.appendedAtMs,
      canaryShare: 0.5,
    });
  });
});
