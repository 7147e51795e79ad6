import { decisionAnswerLine, gateLine } from '../core/canary/obey/lines.ts';
import type { PlaceAsked } from '../core/canary/obey/gate.ts';
import type { ObeySource } from '../core/canary/obey/obeying.ts';
import {
  askDecision,
  askGate,
  askTokensTaken,
  deploymentAt,
  judgingNow,
  policiesReadMax,
} from '../core/canary/obey/obeying.ts';
import { lastGoodLine, readLastGood } from '../core/last-good.ts';
import type { Slot } from '../core/markers/marker.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { PolicyRow } from '../core/policy-records.ts';
import { policyModel } from '../core/policy-records.ts';
import type { Result } from '../core/result.ts';
import { ok } from '../core/result.ts';
import { readRow } from '../core/row-text.ts';
import type { AttemptLine } from '../core/slot-state.ts';
import type { Line, Present } from '../core/views.ts';
import { presentOf } from '../core/views.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import type { GatewayPorts } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import type { ReadSide } from './read-side.ts';

// What whoever acts on decisions asks a gateway: whether one may be obeyed, and how a gate stands.

export type ObeyPorts = Pick<GatewayPorts, 'tools' | 'clock' | 'log'> & {
  readonly reads: ReadSide;
};

type Source = { readonly source: ObeySource<Problem>; readonly present: Present };

/** How long an answer waits for read models that are behind. */
const projectedWithinMs = 5_000;

/** Of read models as far as the log: a stop, a roll-back or an end that nobody has projected yet must be known. */
const openSource = async ({
  tools,
  clock,
  log,
  reads,
}: ObeyPorts): Promise<Result<Source, Problem>> => {
  const range = await log.range(0);
  if (!range.ok)
    return refuse(
      'log-unreachable',
      range.problem.message,
      'nobody can say what was decided or stopped last; ask again',
    );
  const reached = await reads.waitFor(range.value.end - 1, projectedWithinMs);
  if (!reached.ok) return reached;
  const known = await reads.trust();
  if (!known.ok) return known;
  const { keys, logId } = known.value.trust;
  const nowMs = clock.nowMs();
  return ok({
    present: presentOf(nowMs, [...keys.values()]),
    source: {
      rows: async (asked) => {
        const read = await reads.rows(asked);
        return read.ok ? ok(read.value.rows) : read;
      },
      policies: async () => {
        const page = await reads.page(policyModel, {
          newestFirst: true,
          rowsMax: policiesReadMax,
        });
        return page.ok
          ? ok(page.value.rows.map(({ value }) => readRow<PolicyRow>(policyModel, value)))
          : page;
      },
      keys,
      logId,
      // The gateway's own log is pinned where it is opened.
      pinnedLogId: null,
      digest: tools.crypto.sha256HexOfText,
      nowMs,
    },
  });
};

/** GET /v1/decisions/{position}: whether it may be obeyed now, and why not. */
export const getDecision = async (
  ports: ObeyPorts,
  position: string,
): Promise<Result<HttpResponse, Problem>> => {
  const opened = await openSource(ports);
  if (!opened.ok) return opened;
  const { source, present } = opened.value;
  const answer = await askDecision(source, Number(position), () => false);
  return answer.ok ? ok(itemResponse(decisionAnswerLine(answer.value, present))) : answer;
};

/** Names that `/v1/last-good` takes. */
export const lastGoodQuery: readonly string[] = ['namespace', 'environment', 'component', 'target'];

/** GET /v1/last-good: the version to go back to in a slot. */
export const getLastGood = async (
  ports: ObeyPorts,
  { query }: HttpRequest,
): Promise<Result<HttpResponse, Problem>> => {
  const component = query.get('component');
  if (component === undefined) return refuse('query-invalid', 'component must be named');
  const slot: Slot = {
    namespace: query.get('namespace') ?? 'default',
    environment: query.get('environment') ?? 'default',
    component,
    target: query.get('target') ?? null,
  };
  const opened = await openSource(ports);
  if (!opened.ok) return opened;
  const { source, present } = opened.value;
  const taken = await askTokensTaken(source, slot);
  if (!taken.ok) return taken;
  const found = await readLastGood(source.rows, slot, present, taken.value);
  if (!found.ok) return found;
  return found.value === undefined
    ? refuse(
        'not-found',
        'no version succeeded in this slot before the one that holds it',
        'plimsoll timeline lists what was deployed there; is the slot spelt right?',
      )
    : ok(itemResponse(lastGoodLine(found.value)));
};

/** Which deployment somebody means: by its id, or by the place that it goes to. */
export type Meant =
  | { readonly deployment: string; readonly place: PlaceAsked }
  | { readonly slot: Slot; readonly version: string | null };

/** The gate of a deployment as it stands; undefined: nobody has planned it. */
export const gateNow = async (
  ports: ObeyPorts,
  meant: Meant,
): Promise<Result<Line | undefined, Problem>> => {
  const opened = await openSource(ports);
  if (!opened.ok) return opened;
  const { source, present } = opened.value;
  const found =
    'deployment' in meant
      ? ok(meant.deployment)
      : await deploymentAt(source, meant.slot, meant.version);
  if (!found.ok) return found;
  if (found.value === undefined) return ok(undefined);
  const place = 'deployment' in meant ? meant.place : meant.slot;
  const asked = await askGate(source, found.value, place);
  if (!asked.ok) return asked;
  switch (asked.value.found) {
    case 'answer':
      return ok(
        gateLine(
          asked.value.answer,
          found.value,
          present,
          await judgingNow(ports.reads.aside, source, found.value, asked.value.answer),
        ),
      );
    case 'nothing':
      return asked.value.elsewhere.length === 0
        ? ok(undefined)
        : refuse(
            'deployment-unknown',
            `${found.value} was planned for ${asked.value.elsewhere.map(slotKey).join(', ')}, and not there`,
            'see the environment, the component and what else names the place',
          );
    case 'several':
      return refuse(
        'deployment-ambiguous',
        `${found.value} was planned for several places: ${asked.value.slots.map(slotKey).join(', ')}`,
        'name the environment and the component, too',
      );
  }
};

/** Attempts that are looked at, newest first, and what is told of them at most. */
const attemptsReadMax = 200;
const openShownMax = 5;

/** `checkout 2.0.0 in production`: what a gate could be asked about, the newest first; empty where that cannot be read. */
export const openDeployments = async ({
  reads,
}: Pick<ObeyPorts, 'reads'>): Promise<readonly string[]> => {
  const page = await reads.page('timeline', { newestFirst: true, rowsMax: attemptsReadMax });
  if (!page.ok) return [];
  const open = page.value.rows
    .map(({ value }) => readRow<AttemptLine>('timeline', value))
    .filter(({ status, plan }) => plan !== null && (status === 'planned' || status === 'running'))
    .map(
      ({ component, version, environment }) =>
        `${component ?? ''} ${version ?? ''} in ${environment ?? ''}`,
    );
  return [...new Set(open)].slice(0, openShownMax);
};

const itemResponse = (item: Line): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ item }),
});
