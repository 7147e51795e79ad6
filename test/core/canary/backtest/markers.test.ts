import { describe, expect, test } from 'vitest';
import { comparisonTold } from '../../../../services/core/canary/backtest/course.ts';
import { toldRollouts } from '../../../../services/core/canary/backtest/markers.ts';
import type { TimedMarker } from '../../../../services/core/canary/backtest/markers.ts';
import { readMarkerLine } from '../../../../services/core/canary/backtest/marker-line.ts';
import { createText } from '../../../../services/adapters/ed25519/text.ts';
import { markerJson } from '../../../../services/core/markers/marker-json.ts';
import { tools } from '../../../support/canary/sample-streams.ts';
import { decision } from '../../../support/decisions.ts';
import { markerOf } from '../../../support/given.ts';

const text = createText();
const read = (marker: object) =>
  readMarkerLine({ text, digest: tools.digest }, 'local', JSON.stringify(marker), Date.parse);

const slot = { environment: 'production', component: 'checkout' };
const deployment = '6f1c1a52-0000-8000-8000-000000000001';

const timed = (...markers: readonly object[]): readonly TimedMarker[] =>
  markers.map((marker) => {
    const line = read(marker);
    if (!line.ok || line.value === undefined) throw new Error(JSON.stringify(line));
    return line.value;
  });

const canariesOf = (...markers: readonly object[]) => toldRollouts(timed(...markers)).canaries;

const at = (second: number): string =>
  new Date(Date.UTC(2026, 10, 20, 10, 0, second)).toISOString();
const logged = { kind: 'logged', slot, version: '1.9.4', occurredAt: at(0) };
const planned = {
  kind: 'planned',
  deployment,
  slot,
  version: '2.0.0',
  canaryShare: 0.01,
  occurredAt: at(10),
};
const started = { kind: 'started', deployment, occurredAt: at(20) };
const shifted = { kind: 'traffic-shifted', deployment, canaryShare: 0.5, occurredAt: at(30) };
const succeeded = { kind: 'succeeded', deployment, occurredAt: at(40) };

test.each([
  ['a slot', { ...logged, slot: undefined }, 'it has no slot: "slot": { "environment"'],
  ['a slot as a text', { ...planned, slot: 'production/checkout' }, 'its slot is no object'],
  ['a version', { ...planned, version: undefined }, 'it has no version'],
  ['quotes of a version', { ...planned, version: 2 }, 'its version must be a text'],
  ['a deployment', { ...started, deployment: undefined }, 'it has no deployment'],
  ['a time', { ...started, occurredAt: undefined }, 'it has no occurredAt: a time in UTC'],
  ['a time in UTC', { ...started, occurredAt: '10 o clock' }, 'its occurredAt is no such time'],
  ['a kind', { ...started, kind: undefined }, 'it has no kind; by hand it is one of planned'],
  ['a known kind', { ...started, kind: 'running' }, 'its kind is not in the register; by hand'],
])(
  'a marker that lacks %s is refused as whoever writes it by hand needs it',
  (_what, line, said) => {
    const refused = read(line);
    expect(refused).toMatchObject({ ok: false, problem: expect.stringContaining(said) });
  },
);

describe('markers', () => {
  test('tell of a canary, what ran before it, its shares and its end', () => {
    const [run, ...others] = canariesOf(logged, planned, started, shifted, succeeded);
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      deployment,
      component: 'checkout',
      environment: 'production',
      canary: { version: '2.0.0' },
      baseline: [{ version: '1.9.4' }],
      sinceMs: Date.parse(at(20)),
      shares: [
        { atMs: Date.parse(at(20)), share: 0.01 },
        { atMs: Date.parse(at(30)), share: 0.5 },
      ],
      ended: { fact: 'succeeded', atMs: Date.parse(at(40)) },
    });
  });

  test('of a deployment without a share are no canary, but what it leaves is a baseline', () => {
    const whole = { ...planned, canaryShare: null, version: '1.9.5' };
    const next = { ...planned, deployment: '6f1c1a52-0000-8000-8000-000000000003' };
    const { canaries, others } = toldRollouts(
      timed(whole, started, succeeded, next, { ...started, deployment: next.deployment }),
    );
    expect(canaries.map(({ canary, baseline }) => [canary.version, baseline[0]?.version])).toEqual([
      ['2.0.0', '1.9.5'],
    ]);
    expect(others.map(({ canary }) => canary.version)).toEqual(['1.9.5']);
  });

  test('that plan again after an end are the next attempt', () => {
    const again = { ...planned, version: '2.0.1' };
    const failed = { kind: 'failed', deployment, occurredAt: at(25) };
    const runs = canariesOf(logged, planned, started, failed, again, started);
    expect(runs.map(({ canary }) => canary.version)).toEqual(['2.0.0', '2.0.1']);
  });
});

describe('how a rollout is judged', () => {
  const all = { beforeAfter: true, blueGreen: true };
  const none = { beforeAfter: false, blueGreen: false };
  const whole = { ...planned, canaryShare: null, strategy: 'rolling' };
  const blueGreen = { ...whole, strategy: 'blue-green' };
  const switched = { ...shifted, canaryShare: 1, colour: 'green' };
  const back = { ...whole, version: '1.9.3', occurredAt: at(12) };
  const toldUnder = (
    rollouts: typeof all,
    ...markers: readonly object[]
  ): readonly [string, number] | undefined => {
    const { canaries, others } = toldRollouts(timed(logged, ...markers));
    const run = [...canaries, ...others].at(-1);
    const told = run && comparisonTold(run.course, rollouts);
    return told && [told.comparison, told.sinceMs];
  };

  test.each([
    ['a canary', all, [planned, started], ['concurrent', 20]],
    [
      'a canary by its strategy',
      none,
      [{ ...whole, strategy: 'canary' }, started],
      ['concurrent', 20],
    ],
    ['a share that comes later', none, [whole, started, shifted], ['concurrent', 30]],
    ['all at once', all, [whole, started], ['before-after', 20]],
    ['a switch of colours', all, [blueGreen, started, switched], ['colours', 30]],
    [
      'a colour with a part',
      all,
      [blueGreen, started, { ...switched, canaryShare: 0.5 }],
      ['concurrent', 30],
    ],
  ] as const)(
    '%s, from the moment on at which it can be',
    (_what, rollouts, markers, [how, second]) => {
      expect(toldUnder(rollouts, ...markers)).toEqual([how, Date.parse(at(second))]);
    },
  );

  test.each([
    ['all at once, unasked', none, [whole, started]],
    ['a colour that got no traffic', all, [blueGreen, started]],
    ['a rollback', all, [{ ...whole, rollback: true }, started]],
    [
      'a version that ran there before',
      all,
      [{ ...logged, version: '1.9.3' }, logged, back, started],
    ],
  ] as const)('%s is not', (_what, rollouts, markers) => {
    expect(toldUnder(rollouts, ...markers)).toBe(undefined);
  });

  test('a decision tells when, and so by what had been told until then', () => {
    const decided = exportedDecision({ windowEndedAt: Date.parse(at(25)) + 50_000 });
    expect(toldUnder(all, whole, started, shifted, decided)).toEqual([
      'before-after',
      Date.parse(at(25)),
    ]);
  });
});

/** As `plimsoll export` prints it. */
const exportedDecision = (over: object): object => {
  const says = decision('roll-back', { deployment, windowIndex: 9, windowMs: 5_000, ...over });
  const body = markerJson(text, markerOf('analyser', says, 'a roll-back'));
  return { position: 9, appendedAt: at(59), check: 'accepted', waitedMs: 0, body };
};

describe('decisions on the log', () => {
  test('tell when the first window began, so that a backtest has the same ones', () => {
    const decided = exportedDecision({ windowEndedAt: Date.parse(at(21)) + 50_000 });
    const [run] = canariesOf(logged, planned, started, decided);
    expect(run?.sinceMs).toBe(Date.parse(at(21)));
  });

  test('that rest on no window tell nothing', () => {
    const decided = exportedDecision({ windowMs: 0, windowIndex: 0 });
    const [run] = canariesOf(logged, planned, started, decided);
    expect(run?.sinceMs).toBe(Date.parse(at(20)));
  });
});

describe('a line of markers', () => {
  const exported = { position: 3, appendedAt: at(50), check: 'accepted', waitedMs: 5_000 };

  test('of an export counts from its append, less its time in a spool', () => {
    const [marker] = timed({ ...exported, body: started });
    expect(marker?.atMs).toBe(Date.parse(at(45)));
  });

  test('that was not accepted, or says nothing of what runs, is stepped over', () => {
    expect(read({ ...exported, check: 'signature-bad', body: null })).toEqual({
      ok: true,
      value: undefined,
    });
    expect(read({ kind: 'promote' })).toEqual({ ok: true, value: undefined });
  });

  test.each([
    ['no kind', { deployment }],
    ['an unknown kind', { kind: 'started-up', deployment }],
    ['no deployment', { kind: 'started', occurredAt: at(1) }],
    ['no time', { kind: 'started', deployment }],
    ['a share above 1', { ...planned, canaryShare: 2 }],
    ['a time that is none', { ...exported, appendedAt: 'yesterday', body: started }],
    ['a list', [started]],
  ])('with %s is refused', (_, marker) => {
    expect(read(marker).ok).toBe(false);
  });
});
