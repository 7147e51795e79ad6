import type { CanaryAttempt } from '../../core/canary/attempts/canary-attempts.ts';
import {
  canaryAttempts,
  decidedAttempts,
  everyRollout,
} from '../../core/canary/attempts/canary-attempts.ts';
import type { DecisionSummary, Deployment } from '../../core/deployment.ts';
import type { Position } from '../../core/log/record.ts';
import { slotKey } from '../../core/markers/slot.ts';
import { positionKey } from '../../core/position-key.ts';
import type { DecisionRow } from '../../core/read-models.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { AttemptLine } from '../../core/slot-state.ts';
import type { Given } from '../terminal/arguments.ts';
import { deploymentNamed } from '../release/deployment-of.ts';
import { readCount } from '../terminal/duration.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import { readRows, scanRows } from '../reading/reading.ts';

// What plimsoll explain is asked about.

const attemptsMax = 1_000;
const positionsMax = 1e15;

export type Asked = {
  readonly deployment: Deployment;
  readonly attempt: CanaryAttempt;
  readonly decision: DecisionSummary | undefined;
};

/** The deployment that is named, or the newest canary; its attempt, and which of its decisions. */
export const readAsked = async (
  ports: CliPorts,
  atHand: AtHand,
  given: Given,
): Promise<Result<Asked, CliProblem>> => {
  const number = readNumber(given, 'attempt', attemptsMax);
  if (!number.ok) return number;
  const position = readNumber(given, 'decision', positionsMax);
  if (!position.ok) return position;
  const found = await deploymentAsked(ports, atHand, given, position.value);
  if (!found.ok) return found;
  const deployment = found.value;
  const { id } = deployment;
  const decided = decidedAttempts(deployment);
  // Whether a policy asked for other rollouts to be judged too, the samples tell.
  const canaries =
    decided.length === 0 || number.value !== null ? attemptsJudged(deployment, decided) : decided;
  const attempt = canaries.findLast(
    (one) =>
      (number.value === null || one.number === number.value) &&
      (position.value === null || one.decisions.some((each) => each.position === position.value)),
  );
  if (attempt === undefined)
    return refuse(
      'not-found',
      canaries.length === 0
        ? `${id} is no rollout that is judged, and nobody decided about it: it brings back what ran before, or was never planned`
        : `${id} has no such attempt or decision`,
      `plimsoll show ${id} tells all there is`,
    );
  const slots = new Set(canaries.map(({ plan }) => slotKey(plan.slot)));
  // A key for staging may plan there what runs in production: the newest attempt may be another place's.
  if (slots.size > 1 && number.value === null && position.value === null)
    return refuse(
      'deployment-ambiguous',
      `${id} was planned for several places: ${[...slots].join(', ')}`,
      `say which attempt: --attempt=NUMBER, as plimsoll show ${id} has them`,
    );
  const decision = attempt.decisions.findLast(
    (each) => position.value === null || each.position === position.value,
  );
  return ok({ deployment, attempt, decision });
};

/** Those that somebody decided about, and those of a kind that is judged where the policy asks for it. */
const attemptsJudged = (
  deployment: Deployment,
  decided: readonly CanaryAttempt[],
): readonly CanaryAttempt[] => {
  const known = new Set([...decided, ...canaryAttempts(deployment, everyRollout)]);
  return deployment.attempts.filter((attempt): attempt is CanaryAttempt =>
    known.has(attempt as CanaryAttempt),
  );
};

/** How many others are named. */
const othersMax = 5;

const newestOf = async (
  { note }: Pick<CliPorts, 'note'>,
  atHand: AtHand,
): Promise<Result<Deployment, CliProblem>> => {
  const canaries = await newestCanaries(atHand);
  if (!canaries.ok) return canaries;
  const [newest, ...others] = canaries.value;
  if (newest === undefined)
    return refuse(
      'not-found',
      'no canary is known here',
      'plan one with --strategy=canary or --canary-share; plimsoll timeline lists all deployments',
    );
  if (others.length > 0)
    note({
      code: 'more',
      message: `this is the newest of ${canaries.value.length} canaries; before it: ${others
        .slice(0, othersMax)
        .map(({ id }) => id)
        .join(', ')}`,
      hint: 'name one: plimsoll explain DEPLOYMENT',
    });
  return ok(newest);
};

/** That of the word; else that of the decision; else the newest canary. */
const deploymentAsked = async (
  ports: CliPorts,
  atHand: AtHand,
  given: Given,
  decision: Position | null,
): Promise<Result<Deployment, CliProblem>> => {
  const [word] = given.words;
  if (word !== undefined) {
    const named = await deploymentNamed(ports, given, word);
    return named.ok ? deploymentOf(atHand, named.value.id) : named;
  }
  if (decision === null) return newestOf(ports, atHand);
  const key = positionKey(decision);
  const rows = await readRows(atHand, [{ model: 'decision', key }]);
  if (!rows.ok) return rows;
  const row = rows.value.get('decision', key) as DecisionRow | undefined;
  return row === undefined
    ? refuse(
        'not-found',
        `there is no decision at position ${decision}`,
        'plimsoll decisions lists them with their positions',
      )
    : deploymentOf(atHand, row.deployment);
};

const deploymentOf = async (
  atHand: AtHand,
  id: string,
): Promise<Result<Deployment, CliProblem>> => {
  const rows = await readRows(atHand, [{ model: 'deployment', key: id }]);
  if (!rows.ok) return rows;
  const deployment = rows.value.get('deployment', id) as Deployment | undefined;
  return deployment === undefined
    ? refuse('deployment-unknown', `no deployment ${id} is known`, 'plimsoll timeline lists them')
    : ok(deployment);
};

const readNumber = (
  given: Given,
  option: string,
  most: number,
): Result<number | null, CliProblem> => {
  const written = given.value(option);
  return written === null ? ok(null) : readCount(option, written, most);
};

/** How far back canaries are looked for. */
const lookedAtMax = 200;

/** Deployments of late that were canaries, or that somebody decided about, the newest first. */
const newestCanaries = async (
  atHand: AtHand,
): Promise<Result<readonly Deployment[], CliProblem>> => {
  const attempts = await scanRows<AttemptLine>(atHand, 'timeline', {
    range: { newestFirst: true },
    wantedMax: lookedAtMax,
  });
  if (!attempts.ok) return attempts;
  const ids = [...new Set(attempts.value.map(({ deployment }) => deployment))];
  const rows = await readRows(
    atHand,
    ids.map((key) => ({ model: 'deployment', key })),
  );
  if (!rows.ok) return rows;
  const deployments = ids.map((id) => rows.value.get('deployment', id) as Deployment | undefined);
  return ok(
    deployments.filter(
      (deployment) => deployment !== undefined && decidedAttempts(deployment).length > 0,
    ) as readonly Deployment[],
  );
};
