import { describe, expect, test } from 'vitest';
import {
  artifactsOf,
  beginningOf,
  evidenceLeft,
  keptText,
  readKept,
  withKept,
} from '../../../../services/core/canary/attempts/kept-evidence.ts';
import type { KeptEvidence } from '../../../../services/core/canary/attempts/kept-evidence.ts';
import {
  baselinePod,
  canaryPod,
  cut,
  deployment,
  exportsOf,
  openedAt,
  opening,
  run,
  tick,
} from '../../../support/canary/sample-streams.ts';

const sha = (name: string): string => `sha256:${name.repeat(64).slice(0, 64)}`;
const kept = (change: Partial<KeptEvidence> = {}): KeptEvidence => ({
  artifacts: 'a b',
  analysis: 'one',
  deployment,
  attempt: 1,
  independentAttempts: 1,
  untilMs: openedAt,
  carried: '{}',
  ...change,
});

describe('what is compared with what', () => {
  test('is told by artifacts alone, in whichever order the baseline stands', () => {
    const [a, b, c] = [sha('a'), sha('b'), sha('c')];
    expect(artifactsOf({ digest: a }, [{ digest: b }, { digest: c }])).toBe(
      artifactsOf({ digest: a }, [{ digest: c }, { digest: b }]),
    );
    expect(artifactsOf({ digest: a }, [{ digest: b }])).not.toBe(
      artifactsOf({ digest: b }, [{ digest: a }]),
    );
  });

  test('is not told by the names of versions', () => {
    expect(artifactsOf({ digest: null }, [{ digest: sha('b') }])).toBeNull();
    expect(artifactsOf({ digest: sha('a') }, [{ digest: sha('b') }, { digest: null }])).toBeNull();
  });
});

describe('an analysis leaves', () => {
  const digests = {
    canary: { version: '2.0.0', digest: sha('a'), deployment },
    baseline: [{ version: '1.9.4', digest: sha('b'), deployment }],
  };
  const leftBy = (
    change: object,
    lastExportMs: number = 50_500,
    before: readonly KeptEvidence[] = [],
  ): KeptEvidence | undefined => {
    const pods = [baselinePod({ lastExportMs }), canaryPod({ lastExportMs })];
    const samples = [opening(change), ...cut(exportsOf(pods), [50]), tick(60_000)];
    const [state] = Object.values(run(samples).state.analyses);
    return state && evidenceLeft(state, before);
  };

  test('its evidence, by the artifacts that it compared', () => {
    expect(leftBy(digests)).toMatchObject({
      artifacts: `${sha('a')} ${sha('b')}`,
      attempt: 1,
      independentAttempts: 1,
      // Windows after it show nothing.
      untilMs: openedAt + 51_000,
      carried: expect.stringContaining('"attempts":1') as string,
    });
  });

  describe('where it was over before its warm-up was,', () => {
    const day = 86_400_000;
    const ageOf = (carriedFrom: string | null, before: readonly KeptEvidence[]) =>
      leftBy({ ...digests, carriedFrom, attempt: 2 }, 1_500, before)?.untilMs;
    const before = kept({ analysis: 'the one before', untilMs: openedAt - 80 * day });

    test('nothing younger than what it went on from', () => {
      expect(ageOf('the one before', [kept(), before])).toBe(before.untilMs);
    });

    test('the same again where it is kept twice', () => {
      const own = kept({ analysis: opening().analysis, untilMs: before.untilMs });
      expect(ageOf('the one before', [kept(), own])).toBe(before.untilMs);
    });

    test('no old age where it went on from nothing', () => {
      expect(ageOf(null, [before])).toBe(openedAt);
    });
  });

  test('nothing where nobody knows the artifacts, or nothing was judged', () => {
    expect(leftBy({})).toBeUndefined();
    expect(leftBy({ ...digests, judge: 99 })).toBeUndefined();
  });
});

test('the newest of each pair is remembered, and eight pairs', () => {
  const many = Array.from({ length: 12 }, (_, index) => kept({ artifacts: `a ${index}` }));
  const all = many.reduce<readonly KeptEvidence[]>(withKept, []);
  expect(all.map(({ artifacts }) => artifacts)).toStrictEqual(
    many.slice(4).map(({ artifacts }) => artifacts),
  );
  const newer = withKept(all, kept({ artifacts: 'a 7', analysis: 'newer' }));
  expect(newer).toHaveLength(8);
  expect(newer.at(-1)?.analysis).toBe('newer');
  expect(readKept(keptText(newer), openedAt)).toStrictEqual(newer);
});

test('evidence that does not say how old it is, as of releases before, is as old as its reading', () => {
  const { untilMs, ...undated } = kept();
  const text = JSON.stringify([undated, { ...undated, untilMs: 'long ago' }, kept()]);
  expect(readKept(text, untilMs + 1)).toStrictEqual([{ ...undated, untilMs: untilMs + 1 }, kept()]);
});

test.each(['', '{', '{}', 'null', '[1, null, {}, {"artifacts":1}]'])(
  'a text that is none of ours has nothing: %s',
  (text) => expect(readKept(text, openedAt)).toStrictEqual([]),
);

describe('an attempt begins', () => {
  test('from nothing, as the first or one more that was judged from nothing', () => {
    expect(beginningOf(undefined, deployment, [], openedAt)).toStrictEqual({
      carried: null,
      carriedFrom: null,
      independentAttempts: 1,
    });
    expect(beginningOf(undefined, deployment, [1, 2], openedAt).independentAttempts).toBe(3);
    const many = Array.from({ length: 90 }, (_, index) => index);
    expect(beginningOf(undefined, deployment, many, openedAt).independentAttempts).toBe(20);
  });

  test('from what was kept, and counts only those that are not in it', () => {
    const second = kept({ attempt: 2, independentAttempts: 1 });
    expect(beginningOf(second, deployment, [1, 2], openedAt)).toStrictEqual({
      carried: '{}',
      carriedFrom: 'one',
      independentAttempts: 1,
    });
    expect(beginningOf(second, deployment, [1, 2, 3], openedAt).independentAttempts).toBe(2);
    expect(beginningOf(second, 'another deployment', [1], openedAt).independentAttempts).toBe(2);
  });

  test('not from evidence that is older than ninety days, and with half the budget', () => {
    const old = kept({ independentAttempts: 2 });
    const at = (days: number) => beginningOf(old, deployment, [1], openedAt + days * 86_400_000);
    expect(at(90)).toMatchObject({ carriedFrom: 'one', independentAttempts: 2 });
    expect(at(90.01)).toStrictEqual({
      carried: null,
      carriedFrom: null,
      independentAttempts: 3,
    });
  });
});
