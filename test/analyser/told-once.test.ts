import { expect, test } from 'vitest';
import type { AnalyserEvent } from '../../services/analyser/ports.ts';
import { openToldOnce } from '../../services/analyser/told-once.ts';
import type { AnalysisState } from '../../services/core/canary/analysis/analysis-state.ts';
import {
  baselinePod,
  canaryPod,
  cut,
  deployment,
  exportsOf,
  fullPolicy,
  opening,
  run,
} from '../support/canary/sample-streams.ts';

const status = { name: 'plimsoll.status', value: 'http.response.status_code' };

/** Until then it is judged: servers in the region eu, and those of the old version in us as well. */
const after = (lastExportMs: number, target: string | null = 'eu'): readonly AnalysisState[] => {
  const pods = [
    canaryPod({ lastExportMs, target: 'eu' }),
    baselinePod({ lastExportMs, target: 'eu' }),
    baselinePod({ name: 'other', lastExportMs, firstExportMs: 3_500, target: 'us' }),
  ];
  return Object.values(run([opening({ target }), ...cut(exportsOf(pods), [3])]).state.analyses);
};

test('regions that are judged as one are told of once, as soon as a second one is heard', () => {
  const events: AnalyserEvent[] = [];
  const tell = openToldOnce((event) => void events.push(event));
  tell(after(2_500));
  expect(events).toEqual([]);
  for (const atMs of [4_500, 5_500]) tell(after(atMs));
  expect(events).toMatchObject([
    { event: 'targets-together', deployment, target: 'eu', targets: ['eu', 'us'] },
  ]);
  tell([]);
  tell(after(5_500));
  expect(events).toHaveLength(2);
});

test('buckets by which nothing is promoted are told of once', () => {
  const blind = (lastExportMs: number): readonly AnalysisState[] => {
    const slowness = (): readonly number[] => [0, 1];
    const pods = [canaryPod({ lastExportMs, slowness }), baselinePod({ lastExportMs, slowness })];
    return Object.values(
      run([opening({}, fullPolicy), ...cut(exportsOf(pods), [3])]).state.analyses,
    );
  };
  const events: AnalyserEvent[] = [];
  const tell = openToldOnce((event) => {
    if (event.event === 'no-bound') events.push(event);
  });
  for (const atMs of [4_500, 14_500, 15_500]) tell(blind(atMs));
  expect(events).toMatchObject([{ deployment, metrics: [{ metric: 'latency' }] }]);
});

test('a canary that does not say what became of its requests is told of once', () => {
  const untold = (lastExportMs: number): readonly AnalysisState[] => {
    const samples = cut(
      exportsOf([canaryPod({ lastExportMs }), baselinePod({ lastExportMs })]),
      [3],
    );
    const said = samples.map((sample) =>
      sample.kind === 'points'
        ? {
            ...sample,
            origins: sample.origins.map((origin) =>
              origin.version === '1.9.4' ? { ...origin, attributes: [status] } : origin,
            ),
          }
        : sample,
    );
    return Object.values(run([opening(), ...said]).state.analyses);
  };
  const events: AnalyserEvent[] = [];
  const tell = openToldOnce((event) => {
    if (event.event === 'status-unsaid') events.push(event);
  });
  for (const atMs of [4_500, 14_500, 15_500]) tell(untold(atMs));
  expect(events).toMatchObject([
    {
      deployment,
      metrics: [{ metric: 'errors', cohort: 'canary', by: status.value, canary: 0, baseline: 1 }],
    },
  ]);
});

test('of what goes to no single region it is not told', () => {
  const events: AnalyserEvent[] = [];
  openToldOnce((event) => void events.push(event))(after(5_500, null));
  expect(events).toEqual([]);
});
