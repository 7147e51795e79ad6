import type { Backtest } from '../../core/canary/backtest/run.ts';
import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import { decisiveMetric } from '../../core/canary/backtest/result.ts';
import { ratioChart } from '../../core/canary/reading/ratio-chart.ts';
import { chartSvg } from '../../core/plot/chart-svg.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { Given } from '../terminal/arguments.ts';
import { tellMetricsSent } from './metrics-sent.ts';
import { tellTargetsTogether, tellWhatIsMissing } from './missing.ts';
import { namedCapture, readSetups } from './setup.ts';
import { changeLine, changeText, headingText, historyLacks, resultText } from './text.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { judgeCapture, learnNoise } from './judge-capture.ts';

/** `plimsoll backtest`: whatever the outcome is, it was answered. */
export const runBacktest = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const setupOf = await readSetups(ports, given);
  if (!setupOf.ok) return setupOf;
  const [first = '', ...others] = given.values('metrics');
  if (given.has('compare')) {
    const { runCompare } = await import('./compare.ts');
    return runCompare(ports, given, setupOf.value, isJson);
  }
  if (others.length > 0)
    return refuse(
      'option-invalid',
      'several --metrics are for --compare',
      'name one capture, or add --compare=standard',
    );
  const capture = namedCapture(first);
  const asked = await setupOf.value(capture, given.value('policy'));
  if (!asked.ok) return asked;
  const { path } = capture;
  const { setup, policy } = asked.value;
  const history = given.value('history');
  const noise = await learnNoise(ports, history, setup, policy);
  if (!noise.ok) return noise;
  if (!isJson) printText(ports.terminal, headingText(setup, policy.name, noise.value));
  else if (given.value('policy') === null && given.value('markers') !== null)
    ports.note({ code: 'policy', message: `judged by the policy ${policy.name}`, hint: '' });
  const lacks = historyLacks(setup, noise.value);
  if (lacks !== null) ports.note(lacks);
  const judged = await judgeCapture(ports, await ports.readTelemetry(), {
    path,
    history,
    setup,
    policy,
    noise: noise.value,
    mayPromote: !given.has('no-promote'),
    onChange: (reading) => {
      if (isJson) printLines(ports.terminal, [changeLine(setup, reading)]);
      else printText(ports.terminal, [changeText(setup, reading)]);
    },
  });
  if (!judged.ok) return judged;
  tellWhatIsMissing(ports, setup, judged.value);
  const sent = await tellMetricsSent(ports, path, setup, judged.value);
  if (!sent.ok) return sent;
  tellTargetsTogether(ports, setup, judged.value);
  const { weakness } = judged.value;
  if (weakness !== '') ports.note({ code: 'weaker', message: weakness, hint: '' });
  if (isJson) printLines(ports.terminal, [judged.value.result()]);
  else printText(ports.terminal, resultText(setup, judged.value));
  // What was found is told, whether or not there is room for its plot.
  const svg = given.value('svg');
  return svg === null ? ok(undefined) : ports.writeTextFile(svg, plotOf(setup, judged.value));
};

const plotOf = (setup: BacktestSetup, backtest: Backtest): string => {
  const readings = backtest.readings();
  const settled = backtest.settled();
  const metric = settled === null ? undefined : decisiveMetric(settled)?.id;
  return chartSvg(
    ratioChart(readings, {
      title: `${setup.component} ${setup.canary.version} in ${setup.environment}: ${backtest.result().outcome}`,
      about: `against ${setup.baseline.map(({ version }) => version).join(', ')}`,
      sinceMs: setup.sinceMs,
      metric: metric ?? readings.at(-1)?.metrics[0]?.id ?? '',
      hasScore: false,
    }),
  );
};
