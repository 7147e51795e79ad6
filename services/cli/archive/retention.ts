import { isoTime } from '../../core/instant.ts';
import type { Position } from '../../core/log/record.ts';
import { forgottenMax, retentionDaysMax } from '../../core/markers/limits.ts';
import type { OperationRow } from '../../core/operations.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { KeyState } from '../../core/trust/trust.ts';
import type { Line } from '../../core/views.ts';
import type { EnvironmentPlan, Forgettable, RetentionPlan } from '../../ports/retention.ts';
import {
  appendOperation,
  draftOperation,
  mayOperate,
  readOperator,
} from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import type { RetentionCommand } from '../commands/retention.ts';
import { bytesText, plainText, shortTime, table } from '../terminal/display.ts';
import { readCount } from '../terminal/duration.ts';
import { runList } from '../reading/lists.ts';
import { onlyAtHand } from '../reading/open-reader.ts';
import { openFolded, operate, operationsAt } from '../operate/operate.ts';
import { printLines, printText } from '../terminal/output.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { foldFailed } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { takesName } from '../../core/name-pattern.ts';

type Done = Promise<Result<void, CliProblem>>;

export const runRetention = async (
  ports: CliPorts,
  name: RetentionCommand,
  given: Given,
  isJson: boolean,
): Done => {
  switch (name) {
    case 'retention list':
      return runList(ports, { list: 'retention', text: 'retention', empty: '' }, given, isJson);
    case 'retention set':
      return onlyAtHand(ports, name) ?? setRetention(ports, given, isJson);
    case 'retention plan':
      return onlyAtHand(ports, name) ?? planRetention(ports, given, isJson);
    case 'retention apply':
      return onlyAtHand(ports, name) ?? applyRetention(ports, given, isJson);
  }
};

const setRetention = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const days = readCount('days', given.value('days') ?? '', retentionDaysMax);
  if (!days.ok) return days;
  const draft = {
    kind: 'retention-set',
    reason: given.value('reason') ?? '',
    environment: given.value('environment') ?? '',
    days: days.value,
  } as const;
  const drafted = draftOperation(ports, draft);
  if (!drafted.ok) return drafted;
  const opened = await openFolded(ports);
  if (!opened.ok) return opened;
  const operated = await operate(
    ports,
    opened.value,
    draft,
    given,
    () => 'plimsoll retention list shows what counts; is the key for all of that environment?',
  );
  if (!operated.ok) return operated;
  const position = operated.value;
  const { environment } = draft;
  const line: Line = { operation: position, environment, days: days.value };
  if (isJson) printLines(ports.terminal, [line]);
  else
    printText(ports.terminal, [
      plainText(
        `deployments of ${environment} are kept for ${days.value} days after they were last heard of (position ${position})`,
      ),
      'plimsoll retention plan shows what that would let go',
    ]);
  return ok(undefined);
};

const planRetention = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const opened = await openFolded(ports);
  if (!opened.ok) return opened;
  const plan = await planOf(ports, opened.value, given);
  if (!plan.ok) return plan;
  const { environments } = plan.value;
  if (isJson) printLines(ports.terminal, environments.map(environmentLine));
  else if (environments.length === 0)
    ports.note({ code: 'empty', message: 'nothing is older than it is kept', hint: '' });
  else printText(ports.terminal, planText(ports, environments));
  return ok(undefined);
};

const applyRetention = async (ports: CliPorts, given: Given, isJson: boolean): Done => {
  const reason = given.value('reason') ?? '';
  const drafted = draftOperation(ports, {
    ...{ kind: 'deployments-forgotten', reason },
    deployments: [ports.ids.uuidV7()],
  });
  if (!drafted.ok) return drafted;
  const opened = await openFolded(ports);
  if (!opened.ok) return opened;
  const plan = await planOf(ports, opened.value, given);
  if (!plan.ok) return plan;
  const { deployments } = plan.value;
  if (deployments.length === 0) {
    ports.note({ code: 'empty', message: 'nothing is older than it is kept', hint: '' });
    return ok(undefined);
  }
  const sent = await forget(ports, opened.value, deployments, given);
  const became = await operationsAt(ports, sent.positions);
  if (!became.ok) return sent.problem === undefined ? became : fail(sent.problem);
  const lines = became.value.map(({ position, deployments: named, effect }): Line => ({
    operation: position,
    deployments: named.length,
    forgotten: effect?.done ?? 0,
    kept: (effect?.refused ?? []).map(({ code, count }) => ({ code, count })),
  }));
  if (isJson) printLines(ports.terminal, lines);
  else printText(ports.terminal, became.value.map(appliedSentence));
  return sent.problem === undefined ? ok(undefined) : fail(sent.problem);
};

/** If we stop between two operations, the deployments of the later ones are as they were. */
const forget = async (
  ports: CliPorts,
  { log, state }: AtHand,
  deployments: readonly Forgettable[],
  given: Given,
): Promise<{
  readonly positions: readonly Position[];
  readonly problem: CliProblem | undefined;
}> => {
  const positions: Position[] = [];
  const onProgress = openProgress(ports, 'forgetting');
  for (let from = 0; from < deployments.length; from += forgottenMax) {
    onProgress({ next: from, end: deployments.length });
    const named = deployments.slice(from, from + forgottenMax).map(({ deployment }) => deployment);
    const appended = await appendOperation(
      ports,
      { log, trust: state.trust },
      {
        kind: 'deployments-forgotten',
        reason: given.value('reason') ?? '',
        deployments: named,
        environment: given.value('environment'),
        to: state.next,
      },
      given.value('key'),
    );
    if (!appended.ok) return { positions, problem: appended.problem };
    positions.push(appended.value.position);
  }
  return { positions, problem: undefined };
};

const planOf = async (
  ports: CliPorts,
  atHand: AtHand,
  given: Given,
): Promise<Result<RetentionPlan, CliProblem>> => {
  const signer = await signerOf(ports, atHand, given);
  if (!signer.ok) return signer;
  const pattern = given.value('environment');
  const planned = await ports.planRetention(atHand)({
    signer: signer.value,
    isWanted: (environment) =>
      pattern === null || (environment !== null && takesName(pattern, environment)),
    onProgress: openProgress(ports, 'looking at deployments'),
  });
  return planned.ok ? planned : fail(foldFailed(planned.problem));
};

/** The key that would sign, as the log knows it: what it may not act on is kept. */
const signerOf = async (
  ports: CliPorts,
  { state }: AtHand,
  given: Given,
): Promise<Result<KeyState, CliProblem>> => {
  const drafted = draftOperation(ports, {
    ...{ kind: 'deployments-forgotten', reason: 'a plan' },
    deployments: [ports.ids.uuidV7()],
  });
  if (!drafted.ok) return drafted;
  const signer = await readOperator(ports, given.value('key'));
  if (!signer.ok) return signer;
  return mayOperate(state.trust, signer.value, drafted.value);
};

const environmentLine = (plan: EnvironmentPlan): Line => ({
  environment: plan.environment,
  tier: plan.tier,
  days: plan.days,
  deployments: plan.deployments,
  rows: plan.rows,
  bytes: plan.bytes,
  kept: plan.kept.map(({ code, count }) => ({ code, count })),
  examples: plan.examples.map(({ deployment, component, version, heardAt }) => ({
    ...{ deployment, component, version },
    heardAt: isoTime(heardAt),
  })),
});

const planText = (
  { terminal }: CliPorts,
  environments: readonly EnvironmentPlan[],
): readonly string[] => {
  const rows = environments.map(({ environment, tier, days, deployments, bytes, kept }) => [
    environment ?? '(never planned)',
    `${days} days (${tier})`,
    String(deployments),
    bytesText(bytes),
    kept.map(({ code, count }) => `${count} ${code}`).join(', '),
  ]);
  const heading = ['ENVIRONMENT', 'KEPT FOR', 'WOULD GO', 'BYTES', 'STAY ALL THE SAME'];
  const examples = environments.flatMap(({ examples: some }) =>
    some.map(({ deployment, component, version, heardAt }) =>
      plainText(
        `  ${deployment}  ${component ?? '-'} ${version ?? '-'}, last heard of ${shortTime(isoTime(heardAt))}`,
      ),
    ),
  );
  return [
    ...table(heading, rows, terminal.columns),
    ...(examples.length === 0 ? [] : ['For example:', ...examples]),
  ];
};

const appliedSentence = ({ position, deployments, effect }: OperationRow): string => {
  const kept = (effect?.refused ?? []).map(({ code, count }) => `${count} ${code}`).join(', ');
  return `${effect?.done ?? 0} of ${deployments.length} deployments are forgotten (position ${position})${kept === '' ? '' : `; kept: ${kept}`}`;
};
