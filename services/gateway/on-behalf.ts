import { jsonIn } from '../core/json-text.ts';
import { valueBytesMax } from '../core/markers/limits.ts';
import type { Marker } from '../core/markers/marker.ts';
import { slotKey } from '../core/markers/slot.ts';
import type { ToldMarker } from '../core/markers/told-json.ts';
import { markerTold, readTold } from '../core/markers/told-json.ts';
import { signMarker, traceParentOf } from '../core/markers/wire.ts';
import { maskBody } from '../core/secrets/screen-body.ts';
import { bearerToken, isTokenLong } from '../core/telemetry/sources.ts';
import type { CallerToken } from '../core/trust/caller-tokens.ts';
import { isExpiredToken } from '../core/trust/caller-tokens.ts';
import { onBehalfSource, speaksForOthers } from '../core/trust/on-behalf.ts';
import type { KeyState } from '../core/trust/trust.ts';
import { coversEverywhere, coversKind, coversSlot } from '../core/trust/trust.ts';
import { uuidOfParts } from '../core/uuid-v8.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { CallerTokens } from '../ports/caller-tokens.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import { bodyOf } from './body.ts';
import type { MarkerPorts } from './markers.ts';
import { storeRecord } from './markers.ts';
import type { OnBehalf } from './ports.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';
import { markersPerSecondMax, openTokenRates } from './token-rates.ts';

export type OnBehalfDoor = {
  /** POST /v1/markers with JSON: the marker that it tells, signed here. Nothing is believed beyond the token's scope. */
  readonly post: (request: HttpRequest) => Promise<Result<HttpResponse, Problem>>;
};

export const openOnBehalfDoor = (ports: MarkerPorts, onBehalf: OnBehalf): OnBehalfDoor => {
  const { tools, audience, clock } = ports;
  const { tokens, signer, fill, ids } = onBehalf;
  const isTooMany = openTokenRates(clock);
  const idOf = (...parts: readonly string[]): string =>
    uuidOfParts(tools.crypto.sha256HexOfText, parts);

  /** The marker of this very request, whoever takes it and how often. */
  const markerOf = (
    told: ToldMarker,
    { name }: CallerToken,
    key: string | null,
  ): Result<Marker, Problem> => {
    const marker = key === null ? ids.uuidV7() : idOf('marker on behalf', name, key);
    return markerTold(
      told,
      {
        marker,
        audience,
        source: onBehalfSource(name),
        // Another gateway may take the same request at once, with another time: the fold looks past it.
        occurredAt: told.occurredAt ?? clock.nowMs(),
        deployment:
          told.run === null
            ? idOf('deployment on behalf', marker)
            : idOf('deployment of a run on behalf', audience, name, told.run),
      },
      fill,
      // Secrets are refused at the log's door; addresses of people are cut short here, as emitters do.
      (body) => maskBody(body, () => false),
    );
  };

  return {
    post: async (request) => {
      const caller = await callerOf(tokens, clock.nowMs(), request);
      if (!caller.ok) return caller;
      const token = caller.value;
      if (isTooMany(token.name))
        return refuse(
          'too-many',
          `the token ${token.name} sends more than ${markersPerSecondMax} markers a second`,
          'nothing was written; send the same again',
        );
      const key = idempotencyKeyOf(request);
      if (!key.ok) return key;
      const told = await readBody(ports, request);
      if (!told.ok) return told;
      if (!coversKind(token, told.value.kind))
        return refuse(
          'kind-not-allowed',
          `the token ${token.name} may not say ${told.value.kind}`,
          `it may say ${token.kinds.join(', ')}`,
        );
      const made = markerOf(told.value, token, key.value);
      if (!made.ok) return made;
      const scope = scopeFault(token, made.value);
      if (scope !== undefined) return fail(scope);
      const { codec, text } = tools;
      const parent = traceParentOf(request.header('traceparent'));
      const record = await signMarker(codec, text, made.value, signer, parent);
      const stored = await storeRecord(ports, record, notOnBehalf);
      return stored.ok ? stored : fail(inCallersWords(stored.problem, signer.principal));
    },
  };
};

const callerOf = async (
  tokens: CallerTokens,
  nowMs: number,
  { header }: Pick<HttpRequest, 'header'>,
): Promise<Result<CallerToken, Problem>> => {
  const written = bearerToken(header('authorization'));
  if (written === undefined)
    return refuse(
      'token-missing',
      'JSON needs the header Authorization: Bearer TOKEN',
      'plimsoll tokens new makes one; who has a key sends signed Avro',
    );
  const token = isTokenLong(written) ? await tokens.lookUp(written) : undefined;
  if (token === undefined) return refuse('token-unknown', 'this token may send no markers here');
  return isExpiredToken(token, nowMs)
    ? refuse('token-expired', `the token ${token.name} has expired`)
    : ok(token);
};

const idempotencyKeyPattern = /^[\x21-\x7e]{1,255}$/;

/** As draft-ietf-httpapi-idempotency-key-header has it: the same key is the same marker. Null: each is one of its own. */
const idempotencyKeyOf = ({
  header,
}: Pick<HttpRequest, 'header'>): Result<string | null, Problem> => {
  const written = header('idempotency-key');
  if (written === undefined) return ok(null);
  return idempotencyKeyPattern.test(written)
    ? ok(written)
    : refuse('header-malformed', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
};

const readBody = async (
  { tools, audience }: Pick<MarkerPorts, 'tools' | 'audience'>,
  request: HttpRequest,
): Promise<Result<ToldMarker, Problem>> => {
  if (request.header('content-encoding') !== undefined)
    return refuse(
      'content-encoding-unsupported',
      'a marker is sent as it is, without Content-Encoding',
    );
  const body = await bodyOf(request, valueBytesMax, 'body-too-large');
  if (!body.ok) return body;
  const json = jsonIn(tools.text.decodeUtf8(body.value) ?? '');
  return json === undefined
    ? refuse('body-malformed', 'the body must be JSON in UTF-8')
    : readTold(json, audience);
};

const scopeFault = (token: CallerToken, marker: Marker): Problem | undefined => {
  const slot = 'slot' in marker ? marker.slot : null;
  if (slot === null)
    return coversEverywhere(token)
      ? undefined
      : {
          code: 'out-of-scope',
          message: `the token ${token.name} is for some places only, and the marker names none`,
          hint: 'name the place: {"environment": …, "component": …}',
        };
  return coversSlot(token, slot)
    ? undefined
    : {
        code: 'out-of-scope',
        message: `the token ${token.name} may not act on ${slotKey(slot)}`,
        hint: `it may act on environments ${token.environments.join(', ')} and components ${token.components.join(', ')}`,
      };
};

/** With a key that speaks for itself every caller's word would be that key's own, and move gates. */
const notOnBehalf = (signer: KeyState): Problem | undefined =>
  speaksForOthers(signer)
    ? undefined
    : {
        code: 'role-missing',
        message: `the key ${signer.id} of ${signer.principal} has not the role gateway`,
      };

/** What is wrong with the gateway's own key is not the caller's fault, and of marker ids he knows nothing. */
const inCallersWords = (problem: Problem, principal: string): Problem => {
  if (ofTheKey.has(problem.code))
    return {
      code: 'signer-untrusted',
      message: `this gateway cannot sign for you: ${problem.message}`,
      hint: `its operator lets the log trust its key: plimsoll keys trust FILE --role=gateway (${principal})`,
    };
  if (problem.code !== 'conflict') return problem;
  return {
    ...problem,
    message: `this Idempotency-Key was used for something else: ${problem.message}`,
    hint: 'a key is for one request: use another one for what is new',
  };
};

const ofTheKey: ReadonlySet<Problem['code']> = new Set([
  ...(['key-unknown', 'key-retired', 'key-compromised', 'role-missing'] as const),
]);
