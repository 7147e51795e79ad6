import { isJsonFields } from '../json-text.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import { utcMsOf } from '../utc-time.ts';
import type { FillBody, Shape } from './codec.ts';
import type { KindEntry } from './kinds.ts';
import { isKind, kinds } from './kinds.ts';
import { textMax } from './limits.ts';
import type { Kind, Marker, Role } from './marker.ts';
import type { FieldProblem } from './parse-marker.ts';
import { parseMarker } from './parse-marker.ts';
import type { Body } from './upcast.ts';

// A marker as somebody tells it in JSON: the fields of its shape by their names (what is left out gets its default), the
// place in short beside them, and in place of a deployment's id the name of a run. What a gateway knows itself is not
// told.

/** What was told, as far as it can be read without the schema. */
export type ToldMarker = {
  readonly kind: Kind;
  readonly shape: Shape;
  readonly fields: Body;
  /** By the teller's clock, milliseconds since 1970; null: it was left out. */
  readonly occurredAt: number | null;
  /** Stands for a deployment; null: there is an id, or none is needed. */
  readonly run: string | null;
};

export type ToldProblem = {
  readonly code: FieldProblem['code'] | 'audience-wrong';
  readonly message: string;
  readonly hint?: string;
};

/** What whoever takes it adds. */
export type Added = {
  readonly marker: string;
  readonly audience: string;
  readonly source: string;
  readonly occurredAt: number;
  /** Of what has no id of its own and names a run, or begins without one. */
  readonly deployment: string;
};

const placeNames = ['namespace', 'environment', 'component', 'target'] as const;
/** Of the envelope, what the teller does not know. */
export const notTold: readonly string[] = ['marker', 'source', 'producer', 'sequence'];

/** Reads a JSON value of any kind; the kinds are those that emitters say, and others where such a role is named. */
export const readTold = (
  json: unknown,
  audience: string,
  roles: readonly Role[] = ['emitter'],
): Result<ToldMarker, ToldProblem> => {
  if (!isJsonFields(json))
    return refuse('field-invalid', 'the body must be one JSON object', `{"kind": "logged", …}`);
  const { kind, run, occurredAt, audience: named, ...rest } = json;
  if (typeof kind !== 'string' || !isKind(kind) || !isTellable(kinds[kind], roles))
    return refuse('kind-unknown', 'kind must be one that can be told', `one of ${tellable(roles)}`);
  if (named !== undefined && named !== audience)
    return refuse('audience-wrong', `it is meant for another audience than ${audience}`);
  const forbidden = notTold.find((name) => Object.hasOwn(rest, name));
  if (forbidden !== undefined)
    return refuse('field-invalid', `${forbidden} is written by the gateway, not told`);
  const at = timeOf(occurredAt);
  if (!at.ok) return at;
  if (run !== undefined && !isRun(run))
    return refuse('field-invalid', `run must be a text of 1 to ${textMax} characters`);
  if (run !== undefined && rest['deployment'] !== undefined)
    return refuse('field-invalid', 'deployment and run are two names for one thing: give one');
  const placed = withSlot(rest);
  if (!placed.ok) return placed;
  const { shape } = kinds[kind];
  return ok({ kind, shape, fields: placed.value, occurredAt: at.value, run: run ?? null });
};

/** The marker, through the same door as any other. */
export const markerTold = (
  { kind, shape, fields, run }: ToldMarker,
  { marker, audience, source, occurredAt, deployment }: Added,
  fill: FillBody,
  screen: (body: Body) => Body,
): Result<Marker, ToldProblem> => {
  const isOwn = isOneOfItsOwn(kind);
  if (isOwn && run !== null)
    return refuse('field-invalid', `run: ${kind} is a deployment of its own`, 'leave it out');
  const named = fields['deployment'] ?? (run === null && kind !== 'planned' ? null : deployment);
  if (shape === 'update' && named === null)
    return refuse(
      'field-invalid',
      'deployment is missing',
      'name it: {"deployment": UUID}, as the answer to its plan had it, or {"run": NAME} as in its plan',
    );
  const body = fill(shape, {
    ...defaultsOf(kind),
    ...fields,
    ...{ kind, marker, audience, source, occurredAt, producer: null, sequence: null },
    deployment: isOwn ? (fields['deployment'] ?? marker) : named,
  });
  if (!body.ok) return refuse(body.problem.code, body.problem.message, fieldsHint);
  const parsed = parseMarker(shape, screen(body.value));
  return parsed.ok ? parsed : refuse(parsed.problem.code, parsed.problem.message);
};

const fieldsHint = 'the fields of each kind: GET /v1/schemas, or the folder schemas';

/** What comes to a place or goes from it without a plan: its id is its marker's. */
export const isOneOfItsOwn = (kind: Kind): boolean =>
  kinds[kind].shape === 'place' && kind !== 'label' && kind !== 'freeze';

/** What commands say where nothing else is told, and no schema says. */
export const defaultsOf = (kind: Kind): Body => {
  if (kind === 'planned') return { name: 'default' };
  return kind === 'undeployed' || kind === 'label' || kind === 'freeze' ? { version: '' } : {};
};

/** What is said of deployments and places; what is done to the log itself has commands of its own. */
const shapesTold: readonly Shape[] = ['plan', 'update', 'place', 'change'];

const isTellable = ({ role, shape }: KindEntry, roles: readonly Role[]): boolean =>
  roles.includes(role) && shapesTold.includes(shape);

const tellable = (roles: readonly Role[]): string =>
  Object.entries(kinds)
    .flatMap(([name, entry]) => (isTellable(entry, roles) ? [name] : []))
    .join(', ');

const isRun = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= textMax && value.isWellFormed();

const timeOf = (written: unknown): Result<number | null, ToldProblem> => {
  if (written === undefined || written === null) return ok(null);
  const ms = typeof written === 'string' ? utcMsOf(written) : written;
  return typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0
    ? ok(ms)
    : refuse(
        'field-invalid',
        'occurredAt must be a UTC time such as 2026-11-21T10:00:00Z, or milliseconds since 1970',
      );
};

/** `{"environment": "production", "component": "checkout"}` beside the other fields is a slot. */
const withSlot = (rest: Body): Result<Body, ToldProblem> => {
  const short = placeNames.filter((name) => Object.hasOwn(rest, name));
  if (short.length === 0) {
    const { slot } = rest;
    return ok(isJsonFields(slot) ? { ...rest, slot: { namespace: 'default', ...slot } } : rest);
  }
  if (rest['slot'] !== undefined)
    return refuse('field-invalid', `slot and ${short.join(', ')} are the same: give one`);
  const {
    namespace = 'default',
    environment = 'default',
    component,
    target = null,
    ...others
  } = rest;
  const slot = {
    namespace,
    environment,
    target,
    ...(component === undefined ? {} : { component }),
  };
  return ok({ ...others, slot });
};

const refuse = (
  code: ToldProblem['code'],
  message: string,
  hint?: string,
): Result<never, ToldProblem> => fail({ code, message, ...(hint === undefined ? {} : { hint }) });
