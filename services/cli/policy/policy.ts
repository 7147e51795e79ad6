import { openBoundsSeen } from '../../core/canary/policy/bounds-seen.ts';
import { openFiltersSeen } from '../../core/canary/policy/filters-seen.ts';
import { policiesOf } from '../../core/canary/policy/placed-policy.ts';
import type { PolicyFile, TextProblem } from '../../core/canary/policy/policy-file.ts';
import { coarseIn, filteredOutIn, unsentIn } from '../../core/canary/policy/policy-file.ts';
import { selectionOf } from '../../core/canary/policy/selection.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import type { Given } from '../terminal/arguments.ts';
import { readCapture } from '../backtest/capture.ts';
import { attributesSent } from '../backtest/metrics-sent.ts';
import type { PolicyCommand } from '../commands/policy.ts';
import { plainText } from '../terminal/display.ts';
import { runList } from '../reading/lists.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { printLines, printText } from '../terminal/output.ts';
import { explainPolicy } from './explain.ts';
import { faultText, policyFileAt } from './file.ts';
import { runPolicyPlan } from './plan.ts';
import { countText, setPolicy } from './set.ts';
import { showPolicy } from './show.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';

type Done = Promise<Result<void, CliProblem>>;

export const runPolicy = async (
  ports: CliPorts,
  name: PolicyCommand,
  given: Given,
  isJson: boolean,
): Done => {
  switch (name) {
    case 'policy check':
      return checkPolicy(ports, given.words[0] ?? '', given.value('against'), isJson);
    case 'policy explain':
      return explainPolicy(ports, given, isJson);
    case 'policy plan':
      return runPolicyPlan(ports, given, isJson);
    case 'policy set':
      return onlyAtHand(ports, name) ?? setPolicy(ports, given, isJson);
    case 'policy list':
      return runList(
        ports,
        {
          list: 'policies',
          text: 'policies',
          empty: 'no policy was set: the preset standard counts',
        },
        given,
        isJson,
      );
    case 'policy show':
      return showPolicy(ports, given.words[0] ?? null, isJson);
  }
};

/** Everything that is wrong or unwise goes to stdout: it is what was asked for. */
const checkPolicy = async (
  ports: CliPorts,
  path: string,
  capture: string | null,
  isJson: boolean,
): Done => {
  const { terminal } = ports;
  const read = await policyFileAt(ports, path);
  const tell = (severity: 'error' | 'warning', told: readonly TextProblem[]): void => {
    if (isJson)
      printLines(
        terminal,
        told.map((fault) => faultLine(path, severity, fault)),
      );
    else
      printText(
        terminal,
        told.map((fault) => `${faultText(path, fault)} [${severity}]`),
      );
  };
  if (!read.ok) {
    const { faults } = read.problem;
    if (faults.length === 0) return fail(read.problem.problem);
    tell('error', faults);
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
    return fail(problem('policy-invalid', `${path} has ${count}`, 'mend it and call again'));
  }
  const { document, warnings } = read.value;
  const against = capture === null ? ok([]) : await warningsAgainst(ports, read.value, capture);
  if (!against.ok) return against;
  tell('warning', [...warnings, ...against.value]);
  const policies = countText(document.policies.length);
  if (!isJson) printText(terminal, [plainText(`${path}: ${policies}, nothing wrong`)]);
  return ok(undefined);
};

/** Metrics of the file that the telemetry of a capture has none of, none that passes their filters, or too coarse buckets. */
const warningsAgainst = async (
  ports: CliPorts,
  file: PolicyFile,
  capture: string,
): Promise<Result<readonly TextProblem[], CliProblem>> => {
  const names = new Set<string>();
  const bounds = openBoundsSeen(file.document);
  const filters = openFiltersSeen(file.document);
  const selection = selectionOf(policiesOf(file.document));
  const readTelemetry = await ports.readTelemetry();
  const read = await readCapture(
    ports,
    (bytes) => readTelemetry(bytes, 'application/json', selection),
    capture,
    {
      add: (points) => {
        for (const point of points) {
          names.add(point.metric);
          bounds.add(point);
          filters.add(point);
        }
      },
      lose: () => undefined,
    },
  );
  if (!read.ok) return read;
  const filteredOut = filters.close();
  // The capture is read once more, so only where an attribute may be misspelt.
  const misspelt = filteredOut.filter(({ unsent }) => unsent.length > 0);
  const sent =
    misspelt.length === 0
      ? ok(new Set<string>())
      : await attributesSent(
          ports,
          capture,
          new Set(misspelt.flatMap(({ metric }) => metric.source.names)),
        );
  if (!sent.ok) return sent;
  return ok([
    ...unsentIn(file, names),
    ...filteredOutIn(file, filteredOut, sent.value),
    ...coarseIn(file, bounds.close()),
  ]);
};

const faultLine = (
  file: string,
  severity: 'error' | 'warning',
  { line, column, code, message }: TextProblem,
): Line => ({ file, line, column, severity, code, message });
