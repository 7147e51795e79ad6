import { openBeforeLearner } from '../../core/canary/backtest/learn-before.ts';
import { openNoiseLearner } from '../../core/canary/backtest/learn-noise.ts';
import { openBacktest } from '../../core/canary/backtest/run.ts';
import type { Backtest } from '../../core/canary/backtest/run.ts';
import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import type { Noise } from '../../core/canary/judge/noise.ts';
import type { Before } from '../../core/canary/rollouts/before.ts';
import type { Policy } from '../../core/canary/policy/policy.ts';
import { selectionOf } from '../../core/canary/policy/selection.ts';
import type { Reading } from '../../core/canary/reading/reading.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { ReadTelemetry } from '../../ports/otlp.ts';
import type { NamedPolicy } from './named-policy.ts';
import { captureEndMs, readCapture } from './capture.ts';
import type { ReadSelected } from './capture.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';

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
    lose: () => undefined,
  });
  return read.ok ? ok(learner.noise()) : read;
};

/** What ran before, from the capture, and what the day before did, from the history where that has it. */
const learnBefore = async (
  ports: CliPorts,
  readTelemetry: ReadTelemetry,
  { path, history, setup, policy: { placed } }: JudgeRequest,
): Promise<Result<Before | null, CliProblem>> => {
  if (setup.comparison === 'concurrent') return ok(null);
  const learner = openBeforeLearner(placed.policy, setup);
  const readLine = lineReader(readTelemetry, placed.policy);
  for (const capture of history === null ? [path] : [history, path]) {
    const { add, close } = learner.openCapture();
    const read = await readCapture(ports, readLine, capture, { add, lose: () => undefined });
    if (!read.ok) return read;
    close();
  }
  return ok(learner.before());
};

const lineReader = (readTelemetry: ReadTelemetry, policy: Policy): ReadSelected => {
  const selection = selectionOf([policy]);
  return (bytes) => readTelemetry(bytes, 'application/json', selection);
};

export type JudgeRequest = {
  readonly path: string;
  /** A capture of before, or null. */
  readonly history: string | null;
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
  request: JudgeRequest,
): Promise<Result<Backtest, CliProblem>> => {
  const { path, setup, noise, mayPromote, onChange } = request;
  const { placed } = request.policy;
  const before = await learnBefore(ports, readTelemetry, request);
  if (!before.ok) return before;
  const endMs = mayPromote ? ok(null) : await captureEndMs(ports, path);
  if (!endMs.ok) return endMs;
  const { tools } = ports;
  const digest = (text: string): string => tools.crypto.sha256Hex(tools.text.encodeUtf8(text));
  const backtest = openBacktest({ digest, partition: 0 }, setup, {
    placed,
    noise,
    before: before.value,
    mayPromote,
    endMs: endMs.value,
  });
  const readLine = lineReader(readTelemetry, placed.policy);
  const read = await readCapture(ports, readLine, path, {
    add: (points, line) => backtest.add(points, line).forEach(onChange),
    lose: backtest.lose,
  });
  if (!read.ok) return read;
  backtest.finish().forEach(onChange);
  return ok(backtest);
};
