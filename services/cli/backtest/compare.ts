import type { BacktestResult } from '../../core/canary/backtest/result.ts';
import type { BacktestSetup } from '../../core/canary/backtest/setup.ts';
import { timeAxis } from '../../core/plot/axis.ts';
import { dotRowsSvg } from '../../core/plot/dot-rows.ts';
import type { RowMark } from '../../core/plot/dot-rows.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import type { Noise } from '../../core/canary/judge/noise.ts';
import { judgeCapture, learnNoise } from './judge-capture.ts';
import type { NamedCapture, SetupOf } from './asked.ts';
import { namedCapture } from './setup.ts';
import { tellTargetsTogether, tellWhatIsMissing } from './missing.ts';
import { captureFailed } from './capture.ts';
import { table } from '../terminal/display.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';

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
  setupOf: SetupOf,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const names = policyNames(given.value('compare') ?? '');
  if (!names.ok) return names;
  const captures = await capturesOf(ports, given.values('metrics').map(namedCapture));
  if (!captures.ok) return captures;
  const readTelemetry = await ports.readTelemetry();
  const noises = new Map<string, Noise>();
  const compared: Compared[] = [];
  for (const capture of captures.value) {
    for (const name of names.value) {
      const asked = await setupOf(capture, name);
      if (!asked.ok) return asked;
      const { setup, policy } = asked.value;
      const cohorts = `${name} ${cohortsOf(setup)}`;
      const known = noises.get(cohorts);
      const noise =
        known === undefined
          ? await learnNoise(ports, given.value('history'), setup, policy)
          : ok(known);
      if (!noise.ok) return noise;
      noises.set(cohorts, noise.value);
      const judged = await judgeCapture(ports, readTelemetry, {
        path: capture.path,
        history: given.value('history'),
        setup,
        policy,
        noise: noise.value,
        mayPromote: !given.has('no-promote'),
        onChange: () => undefined,
      });
      if (!judged.ok) return judged;
      const one: Compared = { capture: capture.path, policy: name, result: judged.value.result() };
      compared.push(one);
      tellWhatIsMissing(ports, setup, judged.value, `${capture.path}: `);
      tellTargetsTogether(ports, setup, judged.value, `${capture.path}, ${name}: `);
      if (isJson) printLines(ports.terminal, [lineOf(one)]);
    }
  }
  if (!isJson) printText(ports.terminal, tableOf(compared, ports.terminal.columns));
  const svg = given.value('svg');
  return svg === null
    ? ok(undefined)
    : ports.writeTextFile(svg, plotOf(compared, captures.value, names.value));
};

/** Whose scatter a history shows. */
const cohortsOf = ({ environment, component, canary, baseline }: BacktestSetup): string =>
  JSON.stringify([environment, component, canary.version, ...baseline.map((one) => one.version)]);

const policyNames = (written: string): Result<readonly string[], CliProblem> => {
  const names = [...new Set(written.split(',').map((name) => name.trim()))];
  return names.length > policiesMax || names.includes('')
    ? refuse(
        'option-invalid',
        `--compare takes 1 to ${policiesMax} policies, with commas between them`,
        'write it such as --compare=standard,policy.yaml',
      )
    : ok(names);
};

const capturesOf = async (
  ports: CliPorts,
  named: readonly NamedCapture[],
): Promise<Result<readonly NamedCapture[], CliProblem>> => {
  const captures: NamedCapture[] = [];
  for (const { path, since } of named) {
    const files = await ports.captures.filesAt(path);
    if (!files.ok) return fail(captureFailed(files.problem));
    captures.push(...files.value.map((file) => ({ path: file, since })));
  }
  if (captures.length > 0 && captures.length <= capturesMax) return ok(captures);
  return refuse(
    'file-invalid',
    captures.length === 0
      ? `${named.map(({ path }) => path).join(', ')} holds no capture`
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
  captures: readonly NamedCapture[],
  policies: readonly string[],
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
    names: policies,
    rows: captures.map(({ path }) => ({
      name: path,
      marks: policies.map((name) => markOf(path, name)),
    })),
  });
};
