import type { Receipt } from '../../core/markers/http-wire.ts';
import type { Result } from '../../core/result.ts';
import { fail, ok } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { problem } from '../problem.ts';
import { openReader } from '../reading/open-reader.ts';
import { emit } from '../release/emit.ts';
import type { Given } from '../terminal/arguments.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { readAnswer } from '../terminal/gateway-answer.ts';
import type { Check } from './check.ts';
import { failedBy, passed, skipped, warned } from './check.ts';

// A deployment that is planned and canceled: it goes the whole way of a real one, and `current` never hears of it.

export const testEnvironment = 'plimsoll-doctor';
const withinMs = 10_000;

export type Tried = {
  readonly checks: readonly Check[];
  /** From sending until it could be read, milliseconds; null: it could not. */
  readonly visibleAfterMs: number | null;
  /** Whether the same said again was taken as that. */
  readonly isOnce: boolean;
};

export const tryMarker = async (ports: CliPorts, given: Given): Promise<Tried> => {
  const deployment = ports.ids.uuidV7();
  const environment = given.value('environment-name') ?? testEnvironment;
  const place = [`--environment-name=${environment}`, `--component-name=${testEnvironment}`];
  const key = given.value('key');
  const common = [
    ...[`--deployment=${deployment}`, '--timeout=10s'],
    ...(key === null ? [] : [`--key=${key}`]),
  ];
  const beganMs = ports.clock.nowMs();
  const planned = await say(ports, ['plan', ...place, '--target-version=doctor', ...common]);
  if (!planned.ok) return notTried(planned.problem, environment);
  const stored = passed(
    'test marker',
    `stored at position ${planned.value.position ?? '?'}, in ${environment}`,
  );
  const read = await readBack(ports, deployment, planned.value.position);
  const visibleAfterMs = ports.clock.nowMs() - beganMs;
  const shown = read.ok
    ? passed('read back', `projected and read ${visibleAfterMs} ms after it was sent`)
    : failedBy('read back', read.problem);
  const undone = await say(ports, ['update', '--status=CANCELED', ...common]);
  // A gateway knows what its projector has read.
  if (undone.ok) await readBack(ports, deployment, undone.value.position);
  const again = await say(ports, ['update', '--status=CANCELED', ...common]);
  const isOnce = again.ok && again.value.delivery === 'duplicate';
  return {
    checks: [
      stored,
      shown,
      undone.ok
        ? passed('undone', `canceled: nothing runs in ${environment} because of it`)
        : failedBy('undone', undone.problem),
      isOnce
        ? passed('said again', 'taken as the same, once')
        : warned('said again', 'it was not taken as the same', 'is the projector far behind?'),
    ],
    visibleAfterMs: read.ok ? visibleAfterMs : null,
    isOnce,
  };
};

/** A set-up may be right and say no to a test: the key's scope, closed names, required fields. */
const notHere: ReadonlySet<string> = new Set([
  ...['out-of-scope', 'kind-not-allowed', 'name-closed', 'fields-required', 'slot-frozen'],
]);

const notTried = (cause: CliProblem, environment: string): Tried => ({
  checks: [
    notHere.has(cause.code)
      ? skipped(
          'test marker',
          `${testEnvironment} may not be deployed to ${environment}: ${cause.message}`,
          '--environment-name=NAME tries it elsewhere; a key for all components is needed, and a policy that takes it',
        )
      : failedBy('test marker', cause),
  ],
  visibleAfterMs: null,
  isOnce: false,
});

/** One emitting command, as a pipeline would give it; what could not be delivered is not left in the spool. */
const say = async (
  ports: CliPorts,
  [verb = '', ...args]: readonly string[],
): Promise<Result<Receipt, CliProblem>> => {
  const request = parseArguments(['release', verb, ...args]);
  if (!request.ok) return request;
  if (request.value.ask !== 'run') return fail(problem('internal', 'no command', ''));
  const beganMs = ports.sinceStartMs();
  const quiet: CliPorts = {
    ...ports,
    // It is taken back: nobody's dashboards are to show it.
    env: { ...ports.env, OTEL_SDK_DISABLED: 'true' },
    note: () => undefined,
    sinceStartMs: () => ports.sinceStartMs() - beganMs,
  };
  const name = verb === 'plan' ? 'release plan' : 'release update';
  const { receipt, problem: cause } = await emit(quiet, name, request.value.given);
  if (receipt?.delivery === 'spooled') {
    await takeBack(ports, receipt.marker);
    return fail(
      problem(
        'unreachable',
        'the test marker could not be delivered in time',
        'a marker of a pipeline would wait in the spool',
      ),
    );
  }
  return receipt === undefined || cause !== undefined
    ? fail(cause ?? problem('internal', 'no receipt', ''))
    : ok(receipt);
};

const takeBack = async ({ spool }: CliPorts, marker: string): Promise<void> => {
  const waiting = await spool.waiting();
  if (!waiting.ok) return;
  for (const entry of waiting.value)
    if (entry.marker === marker) await spool.remove(entry, 'waiting');
};

/** Readers at hand fold what is new first; a gateway is asked to wait for its projector. */
const readBack = async (
  ports: CliPorts,
  deployment: string,
  position: number | null,
): Promise<Result<unknown, CliProblem>> => {
  const { gateway, tools } = ports;
  if (gateway === null || position === null) {
    const reader = await openReader(ports);
    return reader.ok ? reader.value.show(deployment) : reader;
  }
  const path = `/v1/deployments/${deployment}?at-least=${position}`;
  return readAnswer(tools.text, await gateway({ method: 'GET', path, headers: {} }, withinMs));
};
