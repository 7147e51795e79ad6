import type { BacktestResult } from '../core/canary/backtest/result.ts';
import type { BacktestSetup } from '../core/canary/backtest/setup.ts';
import { timeAxis } from '../core/plot/axis.ts';
import { dotRowsSvg } from '../core/plot/dot-rows.ts';
import type { RowMark } from '../core/plot/dot-rows.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Line } from '../core/views.ts';
import type { Given } from './arguments.ts';
import type { Noise } from '../core/canary/judge/noise.ts';
import { judgeCapture, learnNoise } from './judge-capture.ts';
import type { NamedPolicy } from './backtest-policy.ts';
import { readNamedPolicy } from './backtest-policy.ts';
import { captureFailed } from './capture.ts';
import { table } from './display.ts';
import { printLines, printText } from './output.ts';
import type { CliPorts } from './ports.ts';
import type { CliProblem } from './problem.ts';
import { refuse } from './problem.ts';

// Many captures by several policies: what would have been otherwise.

const capturesMax = 1_000;
const policiesMax = 6;

type Compared = {
  readonly capture: string;
  readonly policy: string;
  readonly result: BacktestResult;
};

/** `plimsoll backtest --compare`: a line for each capture and policy, and a plot of them. */
export const runCompare = async (
  ports: CliPorts,
  given: Given,
  setup: BacktestSetup,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const policies = await policiesOf(ports, setup, given.value('compare') ?? '');
  if (!policies.ok) return policies;
  const captures = await capturesOf(ports, given.values('metrics'));
  if (!captures.ok) return captures;
  const readTelemetry = await ports.readTelemetry();
  const noises = new Map<string, Noise>();
  for (const policy of policies.value) {
    const noise = await learnNoise(ports, given.value('history'), setup, policy);
    if (!noise.ok) return noise;
    noises.set(policy.name, noise.value);
  }
  const compared: Compared[] = [];
  for (const capture of captures.value)
    for (const policy of policies.value) {
      const judged = await judgeCapture(ports, readTelemetry, {
        path: capture,
        setup,
        policy,
        noise: noises.get(policy.name) ?? [],
        mayPromote: !given.has('no-promote'),
        onChange: () => undefined,
      });
      if (!judged.ok) return judged;
      const one: Compared = { capture, policy: policy.name, result: judged.value.result() };
      compared.push(one);
      if (isJson) printLines(ports.terminal, [lineOf(one)]);
    }
  if (!isJson) printText(ports.terminal, tableOf(compared, ports.terminal.columns));
  const svg = given.value('svg');
  return svg === null
    ? ok(undefined)
    : ports.writeTextFile(svg, plotOf(compared, captures.value, policies.value));
};

const policiesOf = async (
  ports: CliPorts,
  setup: BacktestSetup,
  written: string,
): Promise<Result<readonly NamedPolicy[], CliProblem>> => {
  const names = [...new Set(written.split(',').map((name) => name.trim()))];
  if (names.length > policiesMax || names.includes(''))
    return refuse(
      'option-invalid',
      `--compare takes 1 to ${policiesMax} policies, with commas between them`,
      'write it such as --compare=standard,policy.yaml',
    );
  const policies: NamedPolicy[] = [];
  for (const name of names) {
    const policy = await readNamedPolicy(ports, name, setup);
    if (!policy.ok) return policy;
    policies.push(policy.value);
  }
  return ok(policies);
};

const capturesOf = async (
  ports: CliPorts,
  paths: readonly string[],
): Promise<Result<readonly string[], CliProblem>> => {
  const captures: string[] = [];
  for (const path of paths) {
    const files = await ports.captures.filesAt(path);
    if (!files.ok) return fail(captureFailed(files.problem));
    captures.push(...files.value);
  }
  if (captures.length > 0 && captures.length <= capturesMax) return ok(captures);
  return refuse(
    'file-invalid',
    captures.length === 0
      ? `${paths.join(', ')} holds no capture`
      : `there are ${captures.length} captures, ${capturesMax} are taken`,
    'captures of a folder end in .jsonl or .json',
  );
};

const lineOf = ({ capture, policy, result }: Compared): Line & BacktestResult => ({
  capture,
  policy,
  ...result,
});

const tableOf = (compared: readonly Compared[], columns: number | null): readonly string[] =>
  table(
    ['capture', 'policy', 'outcome', 'after', 'metric'],
    compared.map(({ capture, policy, result }) => [
      capture,
      policy,
      result.outcome,
      result.secondsAfterStart === null ? '' : `${result.secondsAfterStart} s`,
      result.metric ?? '',
    ]),
    columns,
  );

/** Room at the right for what was not decided. */
const undecidedShare = 1.25;

const plotOf = (
  compared: readonly Compared[],
  captures: readonly string[],
  policies: readonly NamedPolicy[],
): string => {
  const latest = Math.max(60, ...compared.map(({ result }) => result.secondsAfterStart ?? 0));
  const end = latest * undecidedShare;
  const axis = timeAxis(end);
  const markOf = (capture: string, policy: string): RowMark | null => {
    const found = compared.find((one) => one.capture === capture && one.policy === policy);
    if (found === undefined) return null;
    const { outcome, secondsAfterStart, metric } = found.result;
    const at = secondsAfterStart ?? end;
    const text =
      outcome === 'inconclusive' ? '' : `${outcome}${metric === null ? '' : ` (${metric})`}`;
    return { at, to: at, notch: null, isHollow: outcome !== 'roll-back', text };
  };
  return dotRowsSvg({
    title: 'What each policy says of each capture',
    about:
      'time after the start; dot: roll-back; ring: promote, and at the right end nothing decided',
    axis: { ...axis, to: end },
    line: null,
    names: policies.map(({ name }) => name),
    rows: captures.map((capture) => ({
      name: capture,
      marks: policies.map(({ name }) => markOf(capture, name)),
    })),
  });
};
