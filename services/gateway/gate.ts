import type { GateOutcome, PlaceAsked } from '../core/canary/obey/gate.ts';
import type { ObeyCode } from '../core/canary/obey/refusal.ts';
import type { JsonFields } from '../core/json-text.ts';
import { isJsonFields, jsonFieldsIn } from '../core/json-text.ts';
import { nameMax } from '../core/markers/limits.ts';
import { uuidPattern } from '../core/markers/parse-marker.ts';
import type { Text } from '../core/markers/crypto.ts';
import type { Result } from '../core/result.ts';
import { fail, ok } from '../core/result.ts';
import type { Line } from '../core/views.ts';
import type { HttpRequest, HttpResponse } from '../ports/http.ts';
import { bodyOf } from './body.ts';
import type { Meant, ObeyPorts } from './obeying.ts';
import { gateNow, openDeployments } from './obeying.ts';
import type { Problem } from './problems.ts';
import { refuse } from './problems.ts';

// POST /v1/gate, for controllers that ask by HTTP: the web provider of an AnalysisTemplate of Argo Rollouts reads
// fields of the answer, a webhook of Flagger its status.

/** The largest body; what either controller sends is some hundred bytes. */
export const gateBytesMax: number = 16 * 1024;

/**
 * What a webhook of Flagger is asked for, as the type of the hook names it. Flagger does not send that, so
 * `metadata.hook` must.
 */
export type Hook =
  | 'confirm-rollout'
  | 'pre-rollout'
  | 'rollout'
  | 'confirm-traffic-increase'
  | 'confirm-promotion'
  | 'post-rollout'
  | 'rollback'
  | 'event';

type Asked = { readonly meant: Meant; readonly hook: Hook | null };

export const postGate = async (
  ports: ObeyPorts,
  request: HttpRequest,
): Promise<Result<HttpResponse, Problem>> => {
  const body = await bodyOf(request, gateBytesMax, 'body-too-large');
  if (!body.ok) return body;
  const asked = readAsked(ports.tools.text, body.value);
  if (!asked.ok) return asked;
  const { meant, hook } = asked.value;
  const gate = await gateNow(ports, meant);
  if (!gate.ok && hook !== null && gate.problem.code === 'deployment-unknown')
    return answerHook(hook, undefined);
  if (!gate.ok)
    return hook !== null && alwaysOpen.has(hook) && gate.problem.code === 'deployment-ambiguous'
      ? answerHook(hook, undefined)
      : gate;
  if (hook !== null) return answerHook(hook, gate.value);
  return gate.value === undefined ? unplanned(ports) : ok(respond(gate.value));
};

/** Whoever mistyped a name should see those that would be answered. */
const unplanned = async (ports: ObeyPorts): Promise<Result<never, Problem>> => {
  const open = await openDeployments(ports);
  return refuse(
    'deployment-unknown',
    'nobody has planned such a deployment',
    open.length === 0
      ? 'nothing is planned or running; plimsoll release plan says what is to be deployed'
      : `planned or running are ${open.join(', ')}; plimsoll release plan says what is to be deployed`,
  );
};

/** They ask nothing, so it is all the same which place is meant. */
const alwaysOpen: ReadonlySet<Hook> = new Set(['post-rollout', 'event']);

const respond = (line: Line): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(line),
});

/** Whether a hook lets Flagger go on; what it asks decides what an open gate is. */
const opens = (
  hook: Hook,
  outcome: GateOutcome | 'unknown',
  act: unknown,
  isRollBackWithheld: boolean,
): boolean => {
  switch (hook) {
    // Nothing is decided before a canary runs.
    case 'confirm-rollout':
    case 'pre-rollout':
      return outcome !== 'roll-back';
    case 'rollout':
      return (outcome === 'waiting' && !isRollBackWithheld) || outcome === 'promote';
    case 'confirm-traffic-increase':
      return outcome === 'promote' || act === 'advance';
    case 'confirm-promotion':
      return outcome === 'promote';
    case 'rollback':
      return outcome === 'roll-back';
    case 'post-rollout':
    case 'event':
      return true;
  }
};

/** A true roll-back that people or a guard keep from being carried out: whoever is asked gives the canary no more traffic. */
const isRollBackWithheld = (line: Line | undefined): boolean => {
  const refused = line?.['refused'] as Line | null | undefined;
  const code = refused?.['code'];
  return refused?.['decision'] === 'roll-back' && typeof code === 'string' && withheld.has(code);
};

const withheld: ReadonlySet<string> = new Set<ObeyCode>([
  ...(['stopped', 'slot-frozen', 'flapping', 'component-cap', 'hour-cap'] as const),
  ...(['approval-missing', 'approval-lapsed', 'approval-suspect', 'approver-is-planner'] as const),
]);

const answerHook = (hook: Hook, line: Line | undefined): Result<HttpResponse, Problem> => {
  const outcome = (line?.['outcome'] ?? 'unknown') as GateOutcome | 'unknown';
  const act = (line?.['act'] as Line | null | undefined)?.['act'];
  if (opens(hook, outcome, act, isRollBackWithheld(line))) return ok(respond(line ?? { outcome }));
  const explanation = (line?.['decision'] as Line | null | undefined)?.['explanation'];
  const refused = (line?.['refused'] as Line | null | undefined)?.['message'];
  const why = [explanation, refused].find((text): text is string => typeof text === 'string');
  const said =
    outcome === 'unknown' ? 'nobody has planned such a deployment' : `the gate says ${outcome}`;
  return fail({
    code: 'gate-closed',
    message: why === undefined ? said : `${said}: ${why}`,
    more: { outcome },
  });
};

const readAsked = (text: Text, bytes: Uint8Array): Result<Asked, Problem> => {
  const json = jsonFieldsIn(text.decodeUtf8(bytes) ?? '');
  if (json === undefined)
    return refuse('body-malformed', 'the body must be one JSON object', formHint);
  const { metadata } = json;
  if (metadata === undefined && json['phase'] === undefined) {
    const unknown = Object.keys(json).find((name) => !names.includes(name));
    if (unknown !== undefined)
      return refuse(
        'field-invalid',
        `${JSON.stringify(unknown.slice(0, 64))} is not asked for here`,
        formHint,
      );
    const meant = readMeant(json, null);
    return meant.ok ? ok({ meant: meant.value, hook: null }) : meant;
  }
  const more = isJsonFields(metadata) ? metadata : {};
  const hook = hooks.find((name) => name === more['hook']);
  if (hook === undefined)
    return refuse(
      'field-invalid',
      `metadata.hook must be one of ${hooks.join(', ')}`,
      'Flagger does not send the type of a webhook: say it in its metadata',
    );
  const { name } = json;
  const meant = readMeant(more, typeof name === 'string' ? name : null);
  return meant.ok ? ok({ meant: meant.value, hook }) : meant;
};

const hooks: readonly Hook[] = [
  ...(['confirm-rollout', 'pre-rollout', 'rollout', 'confirm-traffic-increase'] as const),
  ...(['confirm-promotion', 'post-rollout', 'rollback', 'event'] as const),
];

const names: readonly string[] = [
  ...['deployment', 'namespace', 'environment', 'component', 'target', 'version'],
];

const formHint = `ask for {"deployment": UUID}, or for {"environment", "component"} and what else is known of ${names.slice(1).join(', ')}`;

const readMeant = (json: JsonFields, nameOfCanary: string | null): Result<Meant, Problem> => {
  const wrong = names.find((name) => json[name] !== undefined && !isName(json[name]));
  if (wrong !== undefined)
    return refuse('field-invalid', `${wrong} must be a text of 1 to ${nameMax} characters`);
  const of = (name: string): string | null => (json[name] as string | undefined) ?? null;
  const deployment = of('deployment');
  if (deployment !== null)
    return uuidPattern.test(deployment)
      ? ok({ deployment, place: placeIn(json) })
      : refuse('field-invalid', 'deployment must be a UUID in lower case');
  const component = of('component') ?? nameOfCanary;
  if (component === null || !isName(component))
    return refuse('field-invalid', 'deployment or component must be named', formHint);
  return ok({
    slot: {
      namespace: of('namespace') ?? 'default',
      environment: of('environment') ?? 'default',
      component,
      target: of('target'),
    },
    version: of('version'),
  });
};

/** As far as it is named beside a deployment. */
const placeIn = (json: { readonly [name: string]: unknown }): PlaceAsked =>
  Object.fromEntries(
    (['namespace', 'environment', 'component', 'target'] as const).flatMap((part) =>
      json[part] === undefined ? [] : [[part, json[part]]],
    ),
  );

const isName = (value: unknown): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= nameMax && value.isWellFormed();
