import type { Backtest } from '../../core/canary/backtest/run.ts';
import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import type { MetricNoise, Noise } from '../../core/canary/judge/noise.ts';
import { dispersionBatchesMin, unknownPhi } from '../../core/canary/noise/dispersion.ts';
import { verdictSentences } from '../../core/canary/judge/sentence.ts';
import { grouped } from '../../core/canary/reading/figures.ts';
import { reasonOf } from '../../core/canary/reading/reading.ts';
import type { Reading } from '../../core/canary/reading/reading.ts';
import { isoTime } from '../../core/instant.ts';
import { countOf } from '../../core/problems/problem.ts';
import type { Line } from '../../core/views.ts';
import { plainText, shortTime } from '../terminal/display.ts';
import type { Note } from '../terminal/note.ts';

/** What a backtest says before it begins. */
export const headingText = (
  { component, environment, target, canary, baseline, sinceMs, comparison }: BacktestSetup,
  policy: string,
  noise: Noise,
): readonly string[] => [
  plainText(
    `${component} in ${environment}${target === null ? '' : ` (${target})`}: ${standing[comparison](canary.version, baseline.map(({ version }) => version).join(', '))}, from ${shortTime(isoTime(sinceMs))}, policy ${policy}`,
  ),
  ...scatterText(comparison, noise),
];

/** A history of a whole rollout is of the day before, and no A/A. */
const scatterText = (comparison: BacktestSetup['comparison'], noise: Noise): readonly string[] => {
  if (noise.length > 0) return [`scatter, from history: ${noise.map(noiseText).join(', ')}`];
  return comparison === 'before-after'
    ? []
    : [`scatter: taken for ${unknownPhi} times chance, for no --history says`];
};

const standing: {
  readonly [Kind in BacktestSetup['comparison']]: (version: string, old: string) => string;
} = {
  concurrent: (version, old) => `canary ${version} against ${old}`,
  'before-after': (version, old) => `${version} against the half-hour of ${old} before it`,
  colours: (version, old) =>
    `${version} against ${old} beside it, and against the half-hour before it`,
};

/** What was learned of one metric. */
const noiseText = (metric: MetricNoise): string => {
  if (metric.note === 'unknown')
    return `${plainText(metric.id)} not known (${metric.batches} batches)`;
  const rounded = (phi: number): number => Number(phi.toPrecision(3));
  const times = (phi: number): string => `${rounded(phi)} times chance`;
  switch (metric.judged) {
    case 'errors':
    case 'traffic':
      return `${plainText(metric.id)} ${times(metric.phi)}`;
    case 'latency': {
      // What has no boundary has no test, and nobody measured it.
      const all = [...metric.phi.tails, metric.phi.meanLog];
      const measured = all.filter((phi) => phi !== unknownPhi);
      const [least, most] = [Math.min(...measured), Math.max(...measured)];
      if (measured.length === 0) return `${plainText(metric.id)} ${times(unknownPhi)}`;
      return rounded(least) === rounded(most)
        ? `${plainText(metric.id)} ${times(most)}`
        : `${plainText(metric.id)} ${rounded(least)} to ${times(most)}`;
    }
    case 'level':
      return `${plainText(metric.id)} learned`;
  }
};

/** What to tell of a history that does not say how much counts scatter, however results are told; null: it does. */
export const historyLacks = ({ comparison }: BacktestSetup, noise: Noise): Note | null => {
  const unknown = noise.filter(
    ({ judged, note }) => note === 'unknown' && (judged === 'errors' || judged === 'latency'),
  );
  if (unknown.length === 0 || comparison === 'before-after') return null;
  const names = unknown.map(({ id }) => plainText(id)).join(', ');
  const batches = Math.max(...unknown.map((metric) => metric.batches));
  return {
    code: 'history-lacks',
    message: `--history does not say how much ${names} scatter (it has ${batches} of ${dispersionBatchesMin} batches of five minutes): taken for ${unknownPhi} times chance`,
    hint: 'it is a capture of the same service, environment and versions while both ran the same code, half an hour long or more',
  };
};

const secondsAfter = ({ sinceMs }: BacktestSetup, endMs: number): number =>
  (endMs - sinceMs) / 1000;

/** A window at which the verdict became another, for people. */
export const changeText = (setup: BacktestSetup, { endMs, stage, verdict }: Reading): string =>
  `${shortTime(isoTime(endMs))}  ${`${secondsAfter(setup, endMs)} s`.padStart(8)}  ${stage.padEnd(12)}  ${verdict.outcome}: ${plainText(reasonOf(verdict))}`;

/** The same for programs. */
export const changeLine = (
  setup: BacktestSetup,
  { endMs, stage, verdict, explanation }: Reading,
): Line => ({
  at: isoTime(endMs),
  secondsAfterStart: secondsAfter(setup, endMs),
  stage,
  verdict: verdict.outcome,
  reason: reasonOf(verdict),
  evidence: explanation.evidence,
});

/** What it came to, for people. */
export const resultText = (setup: BacktestSetup, backtest: Backtest): readonly string[] => {
  const settled = backtest.settled();
  const { outcome, excluded, windows } = backtest.result();
  const reading = backtest.readings().at(-1);
  const when =
    settled === null
      ? `after ${countOf(windows, 'window')}`
      : `after ${secondsAfter(setup, settled.windowEndedAt)} s`;
  const sentences =
    reading === undefined
      ? ['nothing was judged']
      : verdictSentences(reading.verdict, reading.explanation);
  const left = Object.entries(excluded).map(([reason, count]) => `${reason} ${grouped(count)}`);
  const twice = backtest.duplicates();
  return [
    '',
    `${outcome} ${when}`,
    ...sentences.map((sentence) => `  ${plainText(sentence)}`),
    ...(left.length === 0 ? [] : [`points that are no evidence: ${left.join(', ')}`]),
    ...(twice === 0 ? [] : [`points that came twice and count once: ${grouped(twice)}`]),
  ];
};
