import { isJsonFields } from '../../core/json-text.ts';
import { isCircumstance, isPlaceFact } from '../../core/markers/kinds.ts';
import { valueBytesMax } from '../../core/markers/limits.ts';
import type { Emittable, Marker } from '../../core/markers/marker.ts';
import { markerTold, readTold } from '../../core/markers/told-json.ts';
import type { Body } from '../../core/markers/upcast.ts';
import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import type { CliPorts } from '../ports.ts';
import type { CliProblem } from '../problem.ts';
import { refuse } from '../problem.ts';
import type { Draft } from '../release/draft.ts';
import type { Given } from '../terminal/arguments.ts';

// Any marker that an emitter may sign, told in JSON: the same form that a gateway takes with a token.

const hint = 'for instance: {"kind": "logged", "component": "shop", "version": "2.0.0"}';

/** What the command itself writes into a marker, unless the JSON tells it. */
const written = ['marker', 'kind', 'audience', 'source', 'occurredAt', 'producer', 'sequence'];

export const draftJson = async (
  ports: Pick<CliPorts, 'readPieces' | 'tools' | 'ids' | 'clock' | 'settings' | 'bodyFiller'>,
  given: Given,
): Promise<Result<Draft, CliProblem>> => {
  const json = await readJson(ports, given.value('from-json') ?? '-');
  if (!json.ok) return json;
  const kind = given.words[0] ?? given.value('kind');
  const { kind: told } = json.value;
  if (kind !== null && told !== undefined && told !== kind)
    return refuse(
      'field-invalid',
      `the JSON tells a ${JSON.stringify(told)}, and the command line a ${kind}`,
      'name the kind once',
    );
  const { audience } = ports.settings;
  const read = readTold(kind === null ? json.value : { ...json.value, kind }, audience);
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

const aboutOf = (marker: Marker, isNamed: boolean): Draft['about'] => {
  if (marker.kind === 'planned') return 'planned';
  if (isPlaceFact(marker)) return 'own';
  return isCircumstance(marker) && !isNamed ? 'none' : 'updated';
};

const without = (body: object, names: readonly string[]): Body =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

const readJson = async (
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
