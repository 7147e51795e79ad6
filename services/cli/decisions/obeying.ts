import { decisionAnswerLine, gateLine } from '../../core/canary/obey/lines.ts';
import type { PlaceAsked } from '../../core/canary/obey/gate.ts';
import type { ObeySource, ReadAside } from '../../core/canary/obey/obeying.ts';
import {
  askDecision,
  askGate,
  askTokensTaken,
  judgingNow,
  policiesReadMax,
} from '../../core/canary/obey/obeying.ts';
import { lastGoodLine, readLastGood } from '../../core/last-good.ts';
import type { Slot } from '../../core/markers/marker.ts';
import { sameSlot, slotKey } from '../../core/markers/slot.ts';
import { nearestPlace } from '../../core/nearest.ts';
import { placeName } from '../../core/problems/problem.ts';
import type { SlotState } from '../../core/slot-state.ts';
import type { PolicyRow } from '../../core/policy-records.ts';
import { policyModel } from '../../core/policy-records.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import { presentOf } from '../../core/views.ts';
import type { Line } from '../../core/views.ts';
import type { HttpClient } from '../../ports/http.ts';
import type { Obeying } from '../../ports/obeying.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import type { AtHand, CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem, refuse } from '../problem.ts';
import { openProgress } from '../terminal/progress.ts';
import { rowTexts, scanRows } from '../reading/reading.ts';

type Ports = Pick<CliPorts, 'gateway' | 'atHand' | 'clock' | 'note' | 'tools' | 'settings'>;

/** Whoever answers now: the gateway that PLIMSOLL_URL names, else the log at hand, folded to its end. */
export const openObeying = async (
  ports: Ports,
): Promise<Result<Obeying<CliProblem>, CliProblem>> => {
  if (ports.gateway !== null) return ok(askThrough(ports.gateway, ports));
  const atHand = await ports.atHand(openProgress(ports, 'folding what is new'));
  return atHand.ok ? ok(askAtHand(atHand.value, ports)) : atHand;
};

const askAtHand = (atHand: AtHand, { clock, tools, settings }: Ports): Obeying<CliProblem> => {
  const { trust } = atHand.state;
  const nowMs = clock.nowMs();
  const present = presentOf(nowMs, [...trust.keys.values()]);
  const source: ObeySource<CliProblem> = {
    rows: (keys) => rowTexts(atHand, keys),
    policies: () =>
      scanRows<PolicyRow>(atHand, policyModel, {
        range: { newestFirst: true },
        wantedMax: policiesReadMax,
      }),
    keys: trust.keys,
    logId: trust.logId,
    pinnedLogId: settings.logId,
    digest: tools.crypto.sha256HexOfText,
    nowMs,
  };
  const aside: ReadAside = async (key) => {
    const read = await atHand.store.aside.read([key]);
    return read.ok ? read.value.get(key) : undefined;
  };
  return {
    logId: async () => ok(trust.logId),
    gate: async (deployment, place) => {
      const asked = await askGate(source, deployment, place);
      if (!asked.ok) return asked;
      switch (asked.value.found) {
        case 'answer':
          return ok(
            gateLine(
              asked.value.answer,
              deployment,
              present,
              await judgingNow(aside, source, deployment, asked.value.answer),
            ),
          );
        case 'nothing':
          return unplanned(deployment, asked.value.elsewhere);
        case 'several':
          return ambiguous(deployment, asked.value.slots);
      }
    },
    decision: async (position) => {
      // What was obeyed here is known here alone: it is asked for behind this answer.
      const answer = await askDecision(source, position, () => false);
      return answer.ok ? ok(decisionAnswerLine(answer.value, present)) : answer;
    },
    lastGood: async (slot) => {
      const taken = await askTokensTaken(source, slot);
      if (!taken.ok) return taken;
      const found = await readLastGood(source.rows, slot, present, taken.value);
      if (!found.ok) return found;
      if (found.value !== undefined) return ok(lastGoodLine(found.value));
      const known = await scanRows<SlotState>(atHand, 'slot', { wantedMax: slotsLookedAtMax });
      return noLastGood(slot, known.ok ? known.value : []);
    },
  };
};

/** Slots among which one that was spelt otherwise is looked for. */
const slotsLookedAtMax = 2_000;

const unplanned = (deployment: string, elsewhere: readonly Slot[]): Result<never, CliProblem> =>
  fail(
    elsewhere.length === 0
      ? problem(
          'deployment-unknown',
          `nobody has planned a deployment ${deployment}`,
          'plimsoll timeline lists deployments',
        )
      : problem(
          'deployment-unknown',
          `${deployment} was planned for ${elsewhere.map(slotKey).join(', ')}, and not there`,
          'see --environment-name, --component-name, --namespace and --target',
        ),
  );

const ambiguous = (deployment: string, slots: readonly Slot[]): Result<never, CliProblem> =>
  refuse(
    'deployment-ambiguous',
    `${deployment} was planned for several places: ${slots.map(slotKey).join(', ')}`,
    'say which one: --environment-name=NAME --component-name=NAME',
  );

const noLastGood = (slot: Slot, known: readonly SlotState[]): Result<never, CliProblem> => {
  if (known.length === 0 || known.some((state) => sameSlot(state.slot, slot)))
    return refuse(
      'not-found',
      'no version succeeded in this slot before the one that holds it',
      'plimsoll timeline lists what was deployed there; is the slot spelt right?',
    );
  const targets = known.flatMap((state) =>
    state.slot.target !== null && sameSlot({ ...state.slot, target: slot.target }, slot)
      ? [state.slot.target]
      : [],
  );
  if (targets.length > 0)
    return refuse(
      'not-found',
      `nothing was ever deployed to ${placeName(slot)}, but to its targets ${targets.toSorted().join(', ')}`,
      `say which: --target=${targets.toSorted()[0] ?? ''}`,
    );
  const near = nearestPlace(
    placeName(slot),
    known.map((state) => placeName(state.slot)),
  );
  return refuse(
    'not-found',
    `nothing was ever deployed to ${placeName(slot)}`,
    `${near === undefined ? '' : `is it perhaps ${near}? `}plimsoll environments and plimsoll components list what there is`,
  );
};

const withinMs = 15_000;

const askThrough = (gateway: HttpClient, { tools, settings }: Ports): Obeying<CliProblem> => {
  const logId = async (): Promise<Result<string, CliProblem>> => {
    const headers = { accept: 'application/json' };
    const answer = await gateway({ method: 'GET', path: '/readyz', headers }, withinMs);
    const read = readAnswer(tools.text, answer);
    if (!read.ok) return read;
    const { checkpoint } = read.value;
    const id = isLine(checkpoint) ? checkpoint['logId'] : undefined;
    return typeof id === 'string' ? ok(id) : strange();
  };
  /** What a gateway of another log than the pinned one says is nothing to act on. */
  const pinned = async (
    ask: () => Promise<Result<Line, CliProblem>>,
  ): Promise<Result<Line, CliProblem>> => {
    if (settings.logId === null) return ask();
    const id = await logId();
    if (!id.ok) return id;
    return id.value === settings.logId
      ? ask()
      : refuse(
          'foreign-log',
          `the gateway answers of the log ${id.value}, and PLIMSOLL_LOG_ID names ${settings.logId}`,
          'see PLIMSOLL_URL and PLIMSOLL_LOG_ID',
        );
  };
  const get = async (path: string): Promise<Result<Line, CliProblem>> => {
    const headers = { accept: 'application/json' };
    const answer = await gateway({ method: 'GET', path, headers }, withinMs);
    const read = readAnswer(tools.text, answer);
    if (!read.ok) return read;
    const { item } = read.value;
    return isLine(item) ? ok(item) : strange();
  };
  const gate = async (deployment: string, place: PlaceAsked): Promise<Result<Line, CliProblem>> => {
    const named = Object.entries(place).filter(([, part]) => part !== null);
    const answer = await gateway(
      {
        method: 'POST',
        path: '/v1/gate',
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: tools.text.encodeUtf8(JSON.stringify({ deployment, ...Object.fromEntries(named) })),
      },
      withinMs,
    );
    const read = readAnswer(tools.text, answer);
    if (!read.ok) return read;
    return isLine(read.value) && typeof read.value['outcome'] === 'string'
      ? ok(read.value)
      : strange();
  };
  return {
    logId,
    gate: (deployment, place) => pinned(() => gate(deployment, place)),
    decision: (position) => pinned(() => get(`/v1/decisions/${position}`)),
    lastGood: ({ namespace, environment, component, target }) =>
      pinned(() =>
        get(
          `/v1/last-good?${[
            ['namespace', namespace],
            ['environment', environment],
            ['component', component],
            ...(target === null ? [] : [['target', target]]),
          ]
            .map(([name = '', content = '']) => `${name}=${encodeURIComponent(content)}`)
            .join('&')}`,
        ),
      ),
  };
};

const isLine = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const strange = (): Result<never, CliProblem> =>
  fail(problem('unreachable', 'the answer is not that of a gateway', 'see PLIMSOLL_URL'));
