import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decided } from '../../../../services/core/markers/marker.ts';
import { lowestOpening } from '../../../../services/core/canary/analysis/fold-samples.ts';
import type { PartitionState } from '../../../../services/core/canary/analysis/fold-samples.ts';
import { isRenewal } from '../../../../services/core/canary/analysis/renewal.ts';
import { noiseText } from '../../../../services/core/canary/judge/noise-text.ts';
import type { Sample } from '../../../../services/core/samples/sample.ts';
import type { AnalysisState } from '../../../../services/core/canary/analysis/analysis-state.ts';
import type { Temporality } from '../../../../services/core/telemetry/point.ts';
import {
  bytesOf,
  cut,
  exportsOf,
  fastPolicy,
  fullPolicy,
  opening,
  run,
  tick,
} from '../../../support/canary/sample-streams.ts';
import type { Pod, Sent } from '../../../support/canary/sample-streams.ts';

/** The lateness while the window is still the base. What is behind by less comes in time. */
const latenessMs = 2 * fastPolicy.windowMs;
const exportsMax = 80;

const trafficOf = (
  requests: readonly number[],
  errorShare: number,
): ((index: number) => readonly [number, number]) => {
  return (index) => {
    const count = requests[index % requests.length] ?? 0;
    return [count, Math.floor(count * errorShare)];
  };
};

/** What is judged, and how long there is something to judge. */
const anyTemper = {
  errorShare: fc.constantFrom(0, 0.01, 0.2),
  slow: fc.constantFrom(0, 0, 0.2),
  cpu: fc.constantFrom(0.4, 0.4, 0.8),
  lastExportMs: fc.integer({ min: 20_000, max: 40_000 }),
};
const calm: typeof anyTemper = {
  errorShare: fc.constant(0.01),
  slow: fc.constant(0),
  cpu: fc.constant(0.4),
  lastExportMs: fc.constantFrom(20_000, 40_000, 40_000),
};

const pod = (name: string, version: string, temper: typeof anyTemper): fc.Arbitrary<Pod> =>
  fc
    .record({
      ...temper,
      temporality: fc.constantFrom<Temporality>('cumulative', 'delta'),
      startMs: fc.integer({ min: -5_000, max: 1_499 }),
      already: fc.integer({ min: 0, max: 100_000 }),
      exportEveryMs: fc.constantFrom(500, 1_000, 1_500, 3_000),
      firstExportMs: fc.integer({ min: 1_500, max: 2_500 }),
      restartMs: fc.option(fc.integer({ min: 10_000, max: 30_000 }), { nil: undefined }),
      delaysMs: fc.array(fc.integer({ min: 0, max: latenessMs / 2 }), { minLength: 1 }),
      requests: fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 200, max: 800 }) },
          { weight: 1, arbitrary: fc.integer({ min: 0, max: 800 }) },
        ),
        { minLength: 1, maxLength: 20 },
      ),
      routes: fc.integer({ min: 1, max: 3 }),
      refusedEvery: fc.constantFrom(0, 0, 0, 0, 40),
      cpuNoise: fc.array(fc.double({ min: 0.95, max: 1.05, noNaN: true }), { minLength: 1 }),
    })
    // What begins with an export has counted nothing by then, or nobody knows when it began.
    .filter(
      ({ restartMs, firstExportMs, exportEveryMs }) =>
        restartMs === undefined || (restartMs - firstExportMs) % exportEveryMs !== 0,
    )
    .map(({ delaysMs, requests, errorShare, restartMs, startMs, already, ...rest }) => ({
      ...rest,
      slowness: () => [0, 0.3, 0.1 + rest.slow, 0.01 + rest.slow],
      cpu: (index: number) => rest.cpu * (rest.cpuNoise[index % rest.cpuNoise.length] ?? 1),
      name,
      version,
      startMs,
      already: startMs < 0 ? already : 0,
      ...(restartMs === undefined ? {} : { restartMs }),
      delayMs: (index: number) => delaysMs[index % delaysMs.length] ?? 0,
      traffic: trafficOf(requests, errorShare),
    }));

const fleetOf = (temper: typeof anyTemper): fc.Arbitrary<readonly Pod[]> =>
  fc.tuple(
    pod('baseline a', '1.9.4', temper),
    pod('baseline b', '1.9.4', temper),
    pod('canary a', '2.0.0', temper),
    pod('canary b', '2.0.0', temper),
  );
/** Where each server has a temper of its own nearly nothing is promoted, so in every second fleet they are alike. */
const fleet: fc.Arbitrary<readonly Pod[]> = fc.oneof(fleetOf(anyTemper), fleetOf(calm));

/** Long enough for what stands to be renewed twice. */
const end: readonly Sample[] = [tick(45_000), tick(90_000), tick(320_000), tick(600_000)];
/** Every kind of metric, and what is known of their noise: without it a level says nothing for minutes. */
const opened = opening(
  {
    canaryShare: 0.5,
    noise: noiseText([
      { id: 'errors', judged: 'errors', phi: 1, batches: 72, note: 'measured' },
      { id: 'cpu', judged: 'level', variance: 0.002, batches: 72, note: 'measured' },
    ]),
    noiseAgeMs: 3_600_000,
  },
  { ...fullPolicy, metrics: fullPolicy.metrics.filter(({ id }) => id !== 'memory') },
);
const folded = (sent: readonly Sent[], sizes: readonly number[]): ReturnType<typeof run> =>
  run([opened, ...cut(sent, sizes), ...end]);

/** What decides how a stream is disturbed; the lists are gone round. */
type Disturbance = {
  readonly displacedMs: readonly number[];
  readonly again: readonly boolean[];
  readonly againAfterMs: readonly number[];
};

const disturbance: fc.Arbitrary<Disturbance> = fc.record({
  displacedMs: fc.array(fc.integer({ min: 0, max: latenessMs / 2 }), { minLength: 1 }),
  again: fc.array(fc.boolean(), { minLength: 1 }),
  againAfterMs: fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1 }),
});

/** The same points: some twice, later by their receipt too, and all displaced by up to half the lateness. */
const disturbed = (
  sent: readonly Sent[],
  { displacedMs, again, againAfterMs }: Disturbance,
): readonly Sent[] => {
  const copies = sent.flatMap((one, index): readonly Sent[] => {
    if (again[index % again.length] !== true) return [one];
    const laterMs = againAfterMs[index % againAfterMs.length] ?? 0;
    const point = { ...one.point, receivedAt: one.point.receivedAt + laterMs };
    return [one, { origin: one.origin, point }];
  });
  return copies
    .map((one, index) => ({
      one,
      at: one.point.receivedAt + (displacedMs[index % displacedMs.length] ?? 0),
    }))
    .toSorted((left, right) => left.at - right.at)
    .map(({ one }) => one);
};

const sizes = fc.array(fc.integer({ min: 1, max: exportsMax }), { minLength: 1, maxLength: 8 });

/** What was not counted is told as it came: a late point that comes twice is late twice. */
const uncounted = (decision: Decided): Decided => ({
  ...decision,
  explanation: decision.explanation.replace(/\. Points that are no evidence: .*$/, ''),
});

test('points twice, shuffled within the lateness and cut in another way give the same decisions to the byte, but for how many came too late', () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(fleet, disturbance, sizes, (pods, how, cuts) => {
      const sent = exportsOf(pods);
      const straight = folded(sent, [1]).decisions;
      for (const one of straight) kinds.add(isRenewal(one) ? `${one.kind} again` : one.kind);
      const other = folded(disturbed(sent, how), cuts).decisions;
      expect(bytesOf(other.map(uncounted))).toStrictEqual(bytesOf(straight.map(uncounted)));
    }),
    { numRuns: 150 },
  );
  // Without this the law could hold because nothing was ever decided.
  expect([...kinds].toSorted()).toStrictEqual([
    'hold',
    'hold again',
    'promote',
    'promote again',
    'roll-back',
    'roll-back again',
  ]);
});

/** But for where in the partition the evidence of what stands ends. */
const unplaced = (state: PartitionState): unknown =>
  JSON.parse(JSON.stringify(state), (key, held: unknown) => (key === 'samplesTo' ? null : held));

test('how the points are cut into records moves nothing but positions, late ones included', () => {
  fc.assert(
    fc.property(fleet, sizes, (pods, cuts) => {
      const sent = exportsOf(
        pods.map((one) => ({ ...one, delayMs: (index: number) => (index % 7) * 700 })),
      );
      expect(unplaced(folded(sent, cuts).state)).toStrictEqual(unplaced(folded(sent, [1]).state));
    }),
    { numRuns: 50 },
  );
});

test('a restart from a snapshot, or from the lowest opening, goes on as if there had been none', () => {
  const before: readonly Sample[] = cut(
    exportsOf([
      {
        name: 'earlier',
        version: '1.9.4',
        temporality: 'cumulative',
        startMs: -9_000,
        exportEveryMs: 1_000,
        firstExportMs: -8_000,
        lastExportMs: -1_000,
        traffic: () => [10, 1],
      },
    ]),
    [3],
  );
  fc.assert(
    fc.property(fleet, sizes, fc.double({ min: 0, max: 1, noNaN: true }), (pods, cuts, share) => {
      const samples = [...before, opening(), ...cut(exportsOf(pods), cuts), ...end];
      const whole = run(samples);
      const at = Math.floor(share * samples.length);
      const first = run(samples.slice(0, at));
      const snapshot = JSON.parse(JSON.stringify(first.state)) as PartitionState;
      const rest = run(samples.slice(at), snapshot, at);
      expect([...first.decisions, ...rest.decisions]).toStrictEqual(whole.decisions);
      expect(rest.state).toStrictEqual(whole.state);

      const from = lowestOpening(first.state) ?? at;
      const again = run(samples.slice(from), undefined, from);
      expect(again).toStrictEqual(from === at ? rest : whole);
    }),
    { numRuns: 50 },
  );
});

test('cumulative and delta say the same, unless a server is busier at once than in all the life before its restart', () => {
  let asked = 0;
  fc.assert(
    fc.property(fleet, (pods) => {
      const analysesAs = (temporality: Temporality): readonly AnalysisState[] =>
        Object.values(
          folded(exportsOf(pods.map((one) => ({ ...one, temporality, refusedEvery: 0 }))), [11])
            .state.analyses,
        );
      const cumulative = analysesAs('cumulative');
      // That may be a start which is moved while its counter goes on.
      fc.pre(cumulative.every(({ excluded }) => excluded['start-missing'] === 0));
      asked += 1;
      const windowsOf = (analyses: readonly AnalysisState[]): unknown =>
        analyses.map(({ judge, evidenceDigest, windowMs }) => ({
          judge,
          evidenceDigest,
          windowMs,
        }));
      expect(windowsOf(analysesAs('delta'))).toStrictEqual(windowsOf(cumulative));
    }),
    { numRuns: 50 },
  );
  expect(asked).toBeGreaterThanOrEqual(50);
});

test('the state stays plain JSON, and its points go when their windows have closed', () => {
  fc.assert(
    fc.property(fleet, (pods) => {
      const { state } = folded(exportsOf(pods), [11]);
      expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      for (const analysis of Object.values(state.analyses))
        expect(analysis.pending).toHaveLength(0);
    }),
    { numRuns: 20 },
  );
});
