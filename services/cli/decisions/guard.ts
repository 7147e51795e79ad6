import type { DecisionRow } from '../../core/read-models.ts';
import { positionKey } from '../../core/read-models.ts';
import type { SlotGuardRow, StopsRow } from '../../core/guard.ts';
import { freezeOf, guardModel, slotGuardKey, stopsKey, withoutStop } from '../../core/guard.ts';
import { decisionRenewed } from '../../core/lifecycle.ts';
import type { Deployment } from '../../core/deployment.ts';
import type { Position } from '../../core/log/record.ts';
import type { OperationDraft } from '../../core/operations.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { Line } from '../../core/views.ts';
import { draftOperation } from '../operate/append-operation.ts';
import type { Given } from '../terminal/arguments.ts';
import { ciJob } from '../../sdk/ci/ci-job.ts';
import type { DecisionCommand } from '../commands/decisions.ts';
import { plainText } from '../terminal/display.ts';
import { lineIn, textIn } from '../reading/line-fields.ts';
import { openObeying } from './obeying.ts';
import { environmentUsedFirst } from '../release/announce.ts';
import { openFolded, operate } from '../operate/operate.ts';
import { printLines, printText } from '../terminal/output.ts';
import { readPlace } from '../release/place.ts';
import { slotText } from '../release/place-text.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { readRows, scanRows } from '../reading/reading.ts';

// What people say about decisions: stop, resume, approve, decline, lift. Each is a signed record, with its reason.

export type GuardCommand = Extract<DecisionCommand, `decisions ${string}`>;

type Drafted = { readonly draft: OperationDraft; readonly told: string };

export const runGuard = async (
  ports: CliPorts,
  name: GuardCommand,
  given: Given,
  isJson: boolean,
): Promise<Result<void, CliProblem>> => {
  const opened = await openFolded(ports);
  if (!opened.ok) return opened;
  const drafted = await draftOf(ports, opened.value, name, given);
  if (!drafted.ok) return drafted;
  const { draft, told } = drafted.value;
  const formed = draftOperation(ports, draft);
  if (!formed.ok) return formed;
  const operated = await operate(
    ports,
    opened.value,
    draft,
    given,
    (code) => hints[code] ?? 'plimsoll operations tells of it',
  );
  if (!operated.ok) return operated;
  const position = operated.value;
  const line: Line = {
    operation: position,
    kind: draft.kind,
    environment: draft.environment ?? null,
    decision: draft.positions?.[0] ?? null,
  };
  if (isJson) printLines(ports.terminal, [line]);
  else printText(ports.terminal, [plainText(`${told} (position ${position})`)]);
  // It stands, whatever the name: an environment may be stopped before anything runs in it.
  const { environment } = draft;
  if (draft.kind === 'decisions-stopped' && environment)
    (await environmentUsedFirst(opened.value, environment)).forEach(ports.note);
  const [decision] = draft.positions ?? [];
  if (draft.kind === 'decision-approved' && decision !== undefined) {
    const asked = await tellRefusal(ports, decision);
    // The approval stands, whatever came of the question behind it.
    if (!asked.ok) ports.note(asked.problem);
  }
  return ok(undefined);
};

/** What is approved may still not be obeyed: whoever approves should hear of it, and not only the gate. */
const tellRefusal = async (
  ports: CliPorts,
  decision: Position,
): Promise<Result<void, CliProblem>> => {
  const obeying = await openObeying(ports);
  if (!obeying.ok) return obeying;
  const asked = await obeying.value.decision(decision);
  if (!asked.ok) return asked;
  const refused = lineIn(asked.value, 'refused');
  if (refused !== null)
    ports.note({
      code: textIn(refused, 'code'),
      message: `it is still not obeyed: ${textIn(refused, 'message')}`,
      hint: textIn(refused, 'hint'),
    });
  return ok(undefined);
};

const hints: { readonly [code: string]: string } = {
  'out-of-scope': 'use a key that may act there: --key FILE',
  'not-stopped': 'name the same environment as the stop, or none for a stop of everything',
  'not-asked': 'only decisions whose policy says ask are approved',
  'decision-not-standing': 'approve the decision itself, not what contradicts it',
  'not-frozen': 'somebody has lifted it already',
};

const draftOf = async (
  ports: CliPorts,
  atHand: AtHand,
  name: GuardCommand,
  given: Given,
): Promise<Result<Drafted, CliProblem>> => {
  const reason = given.value('reason') ?? '';
  const environment = given.value('environment');
  const where = environment === null ? 'everywhere' : `in ${environment}`;
  switch (name) {
    case 'decisions stop':
      return ok({
        draft: { kind: 'decisions-stopped', reason, environment },
        told: `decisions are stopped ${where}; plimsoll decisions resume lets them count again`,
      });
    case 'decisions resume': {
      const rows = await readRows(atHand, [{ model: guardModel, key: stopsKey }]);
      if (!rows.ok) return rows;
      const stops = rows.value.get(guardModel, stopsKey) as StopsRow | undefined;
      if (withoutStop(stops, environment) === undefined)
        return refuse(
          'not-stopped',
          `decisions are not stopped ${where}`,
          hints['not-stopped'] ?? '',
        );
      return ok({
        draft: { kind: 'decisions-resumed', reason, environment },
        told: `decisions count again ${where}`,
      });
    }
    case 'decisions approve':
    case 'decisions decline': {
      const decision = await decisionNamed(atHand, given.words[0] ?? '');
      if (!decision.ok) return decision;
      const { position, kind, fromVersion, slot, mode, note: standing } = decision.value;
      if (standing !== 'applied' || mode !== 'ask')
        return refuse(
          'not-asked',
          `the decision at position ${position} asks nobody: its mode is ${mode}${standing === 'applied' ? '' : `, and it does not stand (${standing})`}`,
          hints['not-asked'] ?? '',
        );
      const isApproved = name === 'decisions approve';
      const note = `${kind} of ${slotText(slot, fromVersion)}`;
      return ok({
        draft: {
          kind: isApproved ? 'decision-approved' : 'decision-declined',
          reason,
          positions: [position],
          note,
        },
        told: `${note}: ${isApproved ? 'approved' : 'declined'}`,
      });
    }
    case 'decisions lift':
      return draftLift(ports, atHand, given, reason);
  }
};

const draftLift = async (
  ports: CliPorts,
  atHand: AtHand,
  given: Given,
  reason: string,
): Promise<Result<Drafted, CliProblem>> => {
  const slot = await readPlace(given, ciJob(ports.env), ports.repositoryAddress);
  if (!slot.ok) return slot;
  const key = slotGuardKey(slot.value);
  const rows = await readRows(atHand, [{ model: guardModel, key }]);
  if (!rows.ok) return rows;
  const freeze = freezeOf(rows.value.get(guardModel, key) as SlotGuardRow | undefined, null);
  return freeze === undefined
    ? refuse(
        'not-frozen',
        `no roll-back froze ${slotText(slot.value)}, or it was lifted`,
        'is the slot spelt right? plimsoll decisions lists roll-backs',
      )
    : ok({
        draft: {
          kind: 'freeze-lifted',
          reason,
          positions: [freeze.position],
          note: slotText(slot.value),
        },
        told: `${slotText(slot.value)} may be decided about again`,
      });
};

/** A decision by its position or its id; a renewal stands for what it renews. */
const decisionNamed = async (
  atHand: AtHand,
  word: string,
): Promise<Result<DecisionRow, CliProblem>> => {
  const found = /^(?:0|[1-9][0-9]{0,11})$/.test(word)
    ? await decisionAt(atHand, Number(word))
    : await scanRows<DecisionRow>(atHand, 'decision', {
        range: { newestFirst: true },
        isWanted: ({ marker }) => marker === word.toLowerCase(),
        wantedMax: 1,
      });
  if (!found.ok) return found;
  const [decision] = found.value;
  if (decision === undefined)
    return fail(
      problem(
        'decision-unknown',
        `there is no decision ${JSON.stringify(word.slice(0, 64))}`,
        'plimsoll decisions lists them with their positions',
      ),
    );
  return decision.note === 'repeat' ? standingOf(atHand, decision) : ok(decision);
};

const decisionAt = async (
  atHand: AtHand,
  position: Position,
): Promise<Result<readonly DecisionRow[], CliProblem>> => {
  const key = positionKey(position);
  const rows = await readRows(atHand, [{ model: 'decision', key }]);
  if (!rows.ok) return rows;
  const row = rows.value.get('decision', key) as DecisionRow | undefined;
  return ok(row === undefined ? [] : [row]);
};

const standingOf = async (
  atHand: AtHand,
  renewal: DecisionRow,
): Promise<Result<DecisionRow, CliProblem>> => {
  const key = renewal.deployment;
  const rows = await readRows(atHand, [{ model: 'deployment', key }]);
  if (!rows.ok) return rows;
  const deployment = rows.value.get('deployment', key) as Deployment | undefined;
  const attempt = deployment?.attempts.find(({ number }) => number === renewal.attempt);
  const standing = attempt && decisionRenewed(attempt.decisions, renewal);
  return ok(standing === undefined ? renewal : { ...renewal, ...standing });
};
