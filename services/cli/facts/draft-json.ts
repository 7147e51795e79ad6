import { isJsonFields } from '../../core/json-text.ts';
import { isCircumstance, isKind, isPlaceFact, kinds } from '../../core/markers/kinds.ts';
import { valueBytesMax } from '../../core/markers/limits.ts';
import type { Emittable, Kind, Marker } from '../../core/markers/marker.ts';
import { markerTold, readTold } from '../../core/markers/told-json.ts';
import type { FieldsOfShape } from '../../core/markers/shape-field.ts';
import type { Body } from '../../core/markers/upcast.ts';
import { nearest } from '../../core/nearest.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Draft } from '../release/draft.ts';
import type { Given } from '../terminal/arguments.ts';
import { hasFlags, tellableKinds, withFlags } from './emit-flags.ts';

// Any marker that an emitter may sign, told in JSON, the form that a gateway takes with a token, or by flags.

const hint = 'for instance: {"kind": "logged", "component": "shop", "version": "2.0.0"}';

/** What the command itself writes into a marker, unless the JSON tells it. */
const written = ['marker', 'kind', 'audience', 'source', 'occurredAt', 'producer', 'sequence'];

export const draftJson = async (
  ports: Pick<
    CliPorts,
    'readPieces' | 'tools' | 'ids' | 'clock' | 'settings' | 'bodyFiller' | 'shapeFields'
  >,
  given: Given,
): Promise<Result<Draft, CliProblem>> => {
  const fieldsOf = await ports.shapeFields();
  // Nobody need write JSON for a kind that is none.
  const asked = given.words[0] ?? given.value('kind');
  const unknown = asked === null ? undefined : kindFault(asked);
  if (unknown !== undefined) return unknown;
  const json = await readJson(ports, given, fieldsOf);
  if (!json.ok) return json;
  const told = withKind(json.value, given, fieldsOf);
  if (!told.ok) return told;
  const { audience } = ports.settings;
  const read = readTold(told.value, audience);
  if (!read.ok) return refuse(read.problem.code, read.problem.message, read.problem.hint ?? hint);
  const { fields, run, shape, occurredAt } = read.value;
  const named = typeof fields['deployment'] === 'string' ? fields['deployment'] : null;
  // Ids that are not final: whatever else is wrong is found before anything is opened.
  const marker = ports.ids.uuidV7();
  const isOfRun = shape === 'update' && named === null && run === null;
  const made = markerTold(
    isOfRun ? { ...read.value, fields: { ...fields, deployment: marker } } : read.value,
    {
      ...{ marker, audience, source: 'plimsoll', deployment: marker },
      occurredAt: occurredAt ?? ports.clock.nowMs(),
    },
    await ports.bodyFiller(),
    (body) => body,
  );
  if (!made.ok) return refuse(made.problem.code, made.problem.message, made.problem.hint ?? hint);
  const whole = made.value as Emittable;
  return ok({
    kind: whole.kind,
    about: aboutOf(whole, named !== null || run !== null),
    deployName: run ?? 'default',
    named,
    place: async () => ok(whole.slot),
    fields: {
      ...without(whole, ['deployment', 'attempt', 'slot', ...written]),
      ...(occurredAt === null ? {} : { occurredAt }),
      ...(fields['attempt'] === undefined ? {} : { attempt: fields['attempt'] }),
    },
  });
};

/** What was told, with the kind that the command line names and the fields that its flags say. */
const withKind = (json: Body, given: Given, fieldsOf: FieldsOfShape): Result<Body, CliProblem> => {
  const named = [given.words[0], given.value('kind'), json['kind']].filter(
    (one) => one !== undefined && one !== null,
  );
  const [kind] = named;
  const other = named.find((one) => one !== kind);
  if (other !== undefined)
    return refuse(
      'field-invalid',
      `two kinds are named: ${JSON.stringify(kind).slice(0, namedMax)} and ${JSON.stringify(other).slice(0, namedMax)}`,
      'name the kind once',
    );
  const fault = kindFault(kind);
  return fault ?? withFlags({ ...json, kind }, kind as Kind, given, fieldsOf);
};

/** Why nobody can tell a marker of that kind, or undefined. */
const kindFault = (kind: unknown): Result<never, CliProblem> | undefined => {
  if (typeof kind === 'string' && isKind(kind) && kinds[kind].role === 'emitter') return undefined;
  const near = typeof kind === 'string' ? nearest(kind, tellableKinds()) : undefined;
  return refuse(
    'kind-unknown',
    kind === undefined
      ? 'no kind is named'
      : `${JSON.stringify(kind).slice(0, namedMax)} is no kind that can be told`,
    near === undefined
      ? `plimsoll emit --kind=KIND; one of ${tellableKinds().join(', ')}`
      : `did you mean ${near}?`,
  );
};

const namedMax = 64;

const aboutOf = (marker: Marker, isNamed: boolean): Draft['about'] => {
  if (marker.kind === 'planned') return 'planned';
  if (isPlaceFact(marker)) return 'own';
  return isCircumstance(marker) && !isNamed ? 'none' : 'updated';
};

const without = (body: object, names: readonly string[]): Body =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

/** What the flags alone can tell needs no JSON, and nobody waits for a standard input that never ends. */
const readJson = async (
  ports: Pick<CliPorts, 'readPieces' | 'tools'>,
  given: Given,
  fieldsOf: FieldsOfShape,
): Promise<Result<Body, CliProblem>> => {
  const path = given.value('from-json') ?? (hasFlags(given, fieldsOf) ? null : '-');
  return path === null ? ok({}) : readJsonAt(ports, path);
};

const readJsonAt = async (
  { readPieces, tools }: Pick<CliPorts, 'readPieces' | 'tools'>,
  path: string,
): Promise<Result<Body, CliProblem>> => {
  let characters = '';
  try {
    for await (const piece of readPieces(path)) {
      characters += piece;
      if (characters.length > valueBytesMax)
        return refuse('file-invalid', `${path} is larger than ${valueBytesMax} bytes`, hint);
    }
  } catch {
    return refuse('file-invalid', `${path} cannot be read`, 'is it there, and readable?');
  }
  // Each byte came as one character.
  const text = tools.text.decodeUtf8(Uint8Array.from(characters, (one) => one.charCodeAt(0)));
  const json = text === undefined ? undefined : parsed(text);
  return isJsonFields(json)
    ? ok(json)
    : refuse('file-invalid', `${path} is not one JSON object in UTF-8`, hint);
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
