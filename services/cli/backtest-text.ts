import type { Backtest } from '../core/canary/backtest/run.ts';
import { decisiveMetric } from '../core/canary/backtest/result.ts';
import type { BacktestSetup } from '../core/canary/backtest/setup.ts';
import { grouped } from '../core/canary/reading/figures.ts';
import type { Reading } from '../core/canary/reading/reading.ts';
import { readingSentence } from '../core/canary/reading/sentence.ts';
import { isoTime } from '../core/instant.ts';
import type { Line } from '../core/views.ts';
import { plainText, shortTime } from './display.ts';

/** What a backtest says before it begins. */
export const headingText = (
  { component, environment, canary, baseline, sinceMs }: BacktestSetup,
  policy: string,
): readonly string[] => [
  plainText(
    `${component} in ${environment}: canary ${canary.version} against ${baseline.map(({ version }) => version).join(', ')}, from ${shortTime(isoTime(sinceMs))}, policy ${policy}`,
  ),
];

const secondsAfter = ({ sinceMs }: BacktestSetup, { endMs }: Reading): number =>
  (endMs - sinceMs) / 1000;

/** A window at which the verdict became another, for people. */
export const changeText = (setup: BacktestSetup, reading: Reading): string =>
  `${shortTime(isoTime(reading.endMs))}  ${`${secondsAfter(setup, reading)} s`.padStart(8)}  ${reading.stage.padEnd(12)}  ${reading.outcome}: ${plainText(reading.reason)}`;

/** The same for programs. */
export const changeLine = (setup: BacktestSetup, reading: Reading): Line => ({
  at: isoTime(reading.endMs),
  secondsAfterStart: secondsAfter(setup, reading),
  stage: reading.stage,
  verdict: reading.outcome,
  reason: reading.reason,
  evidence: reading.evidence,
});

/** What it came to, for people. */
export const resultText = (setup: BacktestSetup, backtest: Backtest): readonly string[] => {
  const settled = backtest.settled();
  const { outcome, excluded, windows } = backtest.result();
  const reading = settled?.reading ?? backtest.readings().at(-1);
  const metric = settled === null ? reading?.metrics[0] : decisiveMetric(settled);
  const when =
    settled === null
      ? `after ${windows} windows`
      : `after ${secondsAfter(setup, settled.reading)} s`;
  const sentence = reading === undefined ? 'nothing was judged' : readingSentence(reading, metric);
  const left = Object.entries(excluded).map(([reason, count]) => `${reason} ${grouped(count)}`);
  const twice = backtest.duplicates();
  return [
    '',
    `${outcome} ${when}: ${plainText(sentence)}`,
    ...(left.length === 0 ? [] : [`points that are no evidence: ${left.join(', ')}`]),
    ...(twice === 0 ? [] : [`points that came twice and count once: ${grouped(twice)}`]),
  ];
};
