import { openNoiseLearner } from '../core/canary/backtest/learn-noise.ts';
import { openBacktest } from '../core/canary/backtest/run.ts';
import type { Backtest } from '../core/canary/backtest/run.ts';
import type { BacktestSetup } from '../core/canary/backtest/setup.ts';
import { decisiveMetric } from '../core/canary/backtest/result.ts';
import { ratioChart } from '../core/canary/reading/ratio-chart.ts';
import type { Noise } from '../core/canary/judge/noise.ts';
import type { Policy } from '../core/canary/policy/policy.ts';
import { selectionOf } from '../core/canary/policy/selection.ts';
import type { Reading } from '../core/canary/reading/reading.ts';
import { chartSvg } from '../core/plot/chart-svg.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import type { ReadTelemetry } from '../ports/otlp.ts';
import type { Given } from './arguments.ts';
import type { NamedPolicy } from './backtest-policy.ts';
import { readNamedPolicy } from './backtest-policy.ts';
import { readSetup } from './backtest-setup.ts';
import { changeLine, changeText, headingText, resultText } from './backtest-text.ts';
import { captureEndMs, readCapture } from './capture.ts';
import type { ReadSelected } from './capture.ts';
import { printLines, printText } from './output.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

/** `plimsoll backtest`: whatever the outcome is, it was answered. */
export const runBacktest = async (
  ports: CliPorts,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const setup = await readSetup(ports, given);
  if (!setup.ok) return setup;
  if (given.has('compare')) {
    const { runCompare } = await import('./compare.ts');
    return runCompare(ports, given, setup.value, isJson);
  }
  const [path = '', ...others] = given.values('metrics');
  if (others.length > 0)
    return refuse(
      'option-invalid',
      'several --metrics are for --compare',
      'name one capture, or add --compare=standard',
    );
  const policy = await readNamedPolicy(ports, given.value('policy'), setup.value);
  if (!policy.ok) return policy;
  const noise = await learnNoise(ports, given.value('history'), setup.value, policy.value);
  if (!noise.ok) return noise;
  if (!isJson) printText(ports.terminal, headingText(setup.value, policy.value.name, noise.value));
  const judged = await judgeCapture(ports, await ports.readTelemetry(), {
    path,
    setup: setup.value,
    policy: policy.value,
    noise: noise.value,
    mayPromote: !given.has('no-promote'),
    onChange: (reading) => {
      if (isJson) printLines(ports.terminal, [changeLine(setup.value, reading)]);
      else printText(ports.terminal, [changeText(setup.value, reading)]);
    },
  });
  if (!judged.ok) return judged;
  const svg = given.value('svg');
  if (svg !== null) {
    const written = await ports.writeTextFile(svg, plotOf(setup.value, judged.value));
    if (!written.ok) return written;
  }
  tellWhatIsMissing(ports, setup.value, judged.value);
  if (isJson) printLines(ports.terminal, [judged.value.result()]);
  else printText(ports.terminal, resultText(setup.value, judged.value));
  return ok(undefined);
};

/** What a capture of the same cohorts shows of their noise; without one the fallback counts. */
export const learnNoise = async (
  ports: CliPorts,
  path: string | null,
  setup: BacktestSetup,
  { placed: { policy } }: NamedPolicy,
): Promise<Result<Noise, CliProblem>> => {
  if (path === null) return ok([]);
  const learner = openNoiseLearner(policy.metrics, setup);
  const readLine = lineReader(await ports.readTelemetry(), policy);
  const read = await readCapture(ports, readLine, path, {
    add: learner.add,
    reject: () => undefined,
  });
  return read.ok ? ok(learner.noise()) : read;
};

const lineReader = (readTelemetry: ReadTelemetry, policy: Policy): ReadSelected => {
  const selection = selectionOf([policy]);
  return (bytes) => readTelemetry(bytes, 'application/json', selection);
};

export type JudgeRequest = {
  readonly path: string;
  readonly setup: BacktestSetup;
  readonly policy: NamedPolicy;
  readonly noise: Noise;
  readonly mayPromote: boolean;
  readonly onChange: (reading: Reading) => void;
};

/** Judges one capture by one policy. It is read to its end, so that it is refused for any line of it. */
export const judgeCapture = async (
  ports: CliPorts,
  readTelemetry: ReadTelemetry,
  { path, setup, policy: { placed }, noise, mayPromote, onChange }: JudgeRequest,
): Promise<Result<Backtest, CliProblem>> => {
  const endMs = mayPromote ? ok(null) : await captureEndMs(ports, path);
  if (!endMs.ok) return endMs;
  const { tools } = ports;
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  const backtest = openBacktest({ digest, partition: 0 }, setup, {
    placed,
    noise,
    mayPromote,
    endMs: endMs.value,
  });
  const readLine = lineReader(readTelemetry, placed.policy);
  const read = await readCapture(ports, readLine, path, {
    add: (points, line) => backtest.add(points, line).forEach(onChange),
    reject: backtest.reject,
  });
  if (!read.ok) return read;
  backtest.finish().forEach(onChange);
  return ok(backtest);
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

/** Where nothing could be judged, what the capture has instead tells why. */
const tellWhatIsMissing = (
  { note }: Pick<CliPorts, 'note'>,
  { environment, component, canary, baseline }: BacktestSetup,
  backtest: Backtest,
): void => {
  if (backtest.settled() !== null) return;
  const { places, versions } = backtest.heard();
  const place = `${environment}/${component}`;
  if (!places.has(place)) {
    const others = [...places].join(', ');
    note({
      code: 'nothing-heard',
      message: `the capture has no point of ${place}${others === '' ? ' that is judged' : `; it has ${others}`}`,
      hint:
        others === ''
          ? 'requests are judged by http.server.request.duration and rpc.server.call.duration'
          : '',
    });
    return;
  }
  for (const version of [canary.version, ...baseline.map((each) => each.version)])
    if (!versions.has(version))
      note({
        code: 'nothing-heard',
        message: `the capture has no point of ${component} ${version}; it has ${[...versions].join(', ')}`,
        hint: '',
      });
};
