import { createHttpClient } from '../adapters/http/client.ts';
import { shownUrl } from '../adapters/http/shown-url.ts';
import type { Stop } from '../ports/clock.ts';
import { isJsonFields, jsonFieldsIn } from '../core/json-text.ts';
import type { JsonFields } from '../core/json-text.ts';
import type { Decided } from '../core/markers/marker.ts';
import type { Fact } from './fact.ts';
import type { FollowOptions } from './follow.ts';
import { followMarkers } from './follow.ts';
import { assertAddress, fromGateway } from './gateway-source.ts';
import type { RecordSource } from './record-source.ts';
import { openPause } from './record-source.ts';

/** What is to be done, as `plimsoll decisions --exec` gives it to a program (schemas/cli/act.json). */
export type DecisionAct = {
  /** Of the decision: the same when it is asked for again. */
  readonly id: string;
  readonly act: Decided['kind'];
  readonly position: number;
  readonly deployment: string;
  readonly attempt: number;
  readonly namespace: string;
  readonly environment: string;
  readonly component: string;
  readonly target: string | null;
  /** Of an advance: the canary's new share. */
  readonly share: number | null;
  readonly fromVersion: string | null;
  readonly fromDigest: string | null;
  readonly toVersion: string | null;
  readonly toDigest: string | null;
};

/** A decision whose signature was checked here. It may be acted on only where `act` is not null. */
export type FollowedDecision = {
  readonly fact: Fact & { readonly marker: Decided };
  readonly act: DecisionAct | null;
  /** Why nobody may act on it: `decision-late`, `stopped`, … */
  readonly refused: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  } | null;
};

export type FollowDecisionsOptions = Omit<FollowOptions, 'source' | 'kinds'> & {
  /** Whom each decision is asked about: whether one may be obeyed depends on all that is on the log. As PLIMSOLL_URL. */
  readonly gateway: string;
  /** Where decisions come from; the same gateway unless told. */
  readonly source?: RecordSource;
  /** Milliseconds since 1970; the clock of this machine unless told. */
  readonly nowMs?: () => number;
};

const decisionKinds = ['promote', 'advance', 'hold', 'roll-back'] as const;
const answerWithinMs = 15_000;
/** A person may take longer than a decision is valid. That one has approved is the gateway's word, and not for ever. */
const approvalWithinMs = 3_600_000;
/** What two clocks may differ by. */
const clockSlackMs = 60_000;

/**
 * The decisions of the log, each once per position, with the answer whether it may be obeyed now: the same one that every
 * consumer gets (`GET /v1/decisions/{position}`). Two have to agree: the signature, which is checked here, and the gateway.
 * While the gateway is away a decision waits, until it is no longer valid.
 */
export async function* followDecisions(
  options: FollowDecisionsOptions,
): AsyncGenerator<FollowedDecision, void, undefined> {
  const { gateway, source = fromGateway(gateway), nowMs = Date.now, ...rest } = options;
  assertAddress(gateway);
  const signal = options.signal ?? new AbortController().signal;
  for await (const fact of followMarkers({ ...rest, source, kinds: decisionKinds })) {
    const { marker } = fact;
    if (!isDecision(marker)) continue;
    const decided = { ...fact, marker };
    const followed = await askUntilAnswered(gateway, decided, signal, nowMs, options.onNote);
    if (followed !== undefined) yield followed;
  }
}

const isDecision = (marker: Fact['marker']): marker is Decided =>
  decisionKinds.some((kind) => kind === marker.kind);

const askUntilAnswered = async (
  gateway: string,
  fact: FollowedDecision['fact'],
  signal: Stop,
  nowMs: () => number,
  onNote: FollowOptions['onNote'],
): Promise<FollowedDecision | undefined> => {
  const pause = openPause(signal);
  while (!signal.aborted) {
    if (fact.marker.mode === 'dry-run')
      return refusing(fact, 'dry-run', 'it only says what would have been decided', '');
    const answer = await ask(gateway, fact);
    if (answer !== undefined)
      return answer.act !== null && isOver(fact, nowMs()) ? late(fact) : answer;
    if (isOver(fact, nowMs())) return late(fact);
    const { position } = fact;
    onNote?.({
      code: 'unreachable',
      message: `${shownUrl(gateway)} does not say whether it may be obeyed`,
      position,
    });
    await pause.wait();
  }
  return undefined;
};

const late = (fact: FollowedDecision['fact']): FollowedDecision =>
  refusing(fact, 'decision-late', 'it is no longer valid', 'where it still holds it is renewed');

/** By what the signed decision says, whatever the gateway thinks of it. */
const isOver = ({ marker }: FollowedDecision['fact'], nowMs: number): boolean =>
  nowMs >
  marker.occurredAt +
    marker.validForMs +
    clockSlackMs +
    (marker.mode === 'ask' ? approvalWithinMs : 0);

/** Undefined: nobody answered. */
const ask = async (
  gateway: string,
  fact: FollowedDecision['fact'],
): Promise<FollowedDecision | undefined> => {
  const answer = await createHttpClient(gateway.replace(/\/+$/, ''))(
    {
      method: 'GET',
      path: `/v1/decisions/${fact.position}`,
      headers: { accept: 'application/json' },
    },
    answerWithinMs,
  );
  if (!answer.ok || answer.value.status !== 200) return undefined;
  const item = jsonFieldsIn(Buffer.from(answer.value.body).toString('utf8'))?.['item'];
  if (!isJsonFields(item)) return undefined;
  const { act, refused } = item;
  if (isJsonFields(act)) {
    const read = readAct(act);
    return read !== undefined && isOf(read, fact)
      ? { fact, act: read, refused: null }
      : refusing(
          fact,
          'answer-differs',
          'the gateway answers of another decision',
          'see PLIMSOLL_URL',
        );
  }
  if (!isJsonFields(refused)) return undefined;
  const { code, message, hint } = refused;
  return refusing(fact, word(code), word(message), word(hint));
};

const word = (value: unknown): string => (typeof value === 'string' ? value : '');

const refusing = (
  fact: FollowedDecision['fact'],
  code: string,
  message: string,
  hint: string,
): FollowedDecision => ({ fact, act: null, refused: { code, message, hint } });

/** What the gateway tells to do must be what the signed record says. */
const isOf = (act: DecisionAct, { position, marker }: FollowedDecision['fact']): boolean =>
  act.position === position &&
  act.act === marker.kind &&
  act.deployment === marker.deployment &&
  act.environment === marker.slot.environment &&
  act.namespace === marker.slot.namespace &&
  act.component === marker.slot.component &&
  act.target === marker.slot.target &&
  act.fromVersion === marker.fromVersion &&
  act.fromDigest === marker.fromDigest &&
  act.toVersion === marker.toVersion &&
  act.toDigest === marker.toDigest &&
  (act.share === marker.share || (act.share === null && marker.kind !== 'advance'));

const readAct = (line: JsonFields): DecisionAct | undefined => {
  const { id, act, position, deployment, attempt, namespace, environment, component } = line;
  const kind = decisionKinds.find((known) => known === act);
  if (kind === undefined || !isText(id) || !isText(deployment)) return undefined;
  if (!isText(namespace) || !isText(environment) || !isText(component)) return undefined;
  if (typeof position !== 'number' || typeof attempt !== 'number') return undefined;
  const { target, share, fromVersion, fromDigest, toVersion, toDigest } = line;
  const textOrNull = (value: unknown): string | null => (isText(value) ? value : null);
  return {
    ...{ id, act: kind, position, deployment, attempt, namespace, environment, component },
    target: textOrNull(target),
    share: typeof share === 'number' ? share : null,
    fromVersion: textOrNull(fromVersion),
    fromDigest: textOrNull(fromDigest),
    toVersion: textOrNull(toVersion),
    toDigest: textOrNull(toDigest),
  };
};

const isText = (value: unknown): value is string => typeof value === 'string';
