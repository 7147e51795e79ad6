import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import { isWeakPublicKey } from '../trust/weak-keys.ts';
import type { Shape } from './codec.ts';
import { isKind, kinds } from './kinds.ts';
import {
  countsMax,
  forgottenMax,
  labelsMax,
  listMax,
  metricsMax,
  nameMax,
  redrivenMax,
  retentionDaysMax,
  textMax,
  textMaxByField,
  timeMsMax,
  validForMsMax,
} from './limits.ts';
import type { Kind, Marker } from './marker.ts';
import type { Body } from './upcast.ts';

export type FieldProblem = {
  readonly code: 'kind-unknown' | 'kind-wrong-shape' | 'field-invalid' | 'key-weak';
  /** Where, for instance `slot.environment`. */
  readonly path: string;
  readonly message: string;
};

/**
 * The door: a body of the newest version of its shape becomes a marker, or is refused with the field's name.
 * Types are the schema's business and already right; here are lengths, ranges, words and formats. The same
 * function guards what a command is about to sign and what a record says.
 */
export const parseMarker = (shape: Shape, body: Body): Result<Marker, FieldProblem> => {
  const kind = body['kind'];
  if (typeof kind !== 'string' || !isKind(kind))
    return refuse(
      'kind-unknown',
      'kind',
      `the kind ${quote(kind)} is not in the register of kinds`,
    );
  if (kinds[kind].shape !== shape)
    return refuse(
      'kind-wrong-shape',
      'kind',
      `a ${kind} record has the shape ${kinds[kind].shape}, not ${shape}`,
    );
  const problem = textFault(body) ?? firstFieldProblem(kind, body);
  if (problem !== undefined) return fail(problem);
  return ok(body as unknown as Marker);
};

/** What is wrong with a value, as the end of a sentence, or undefined. */
export type Check = (value: unknown, body: Body) => string | undefined;

export const uuidPattern: RegExp =
  /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const isUuid: Check = (value) =>
  typeof value === 'string' && uuidPattern.test(value) ? undefined : 'must be a UUID in lower case';
const isNull: Check = (value) => (value === null ? undefined : 'must be null');
export const isTime: Check = (value) =>
  isWhole(value, 0, timeMsMax)
    ? undefined
    : 'must be milliseconds since 1970, before the year 10000';
const isCount: Check = (value) =>
  isWhole(value, 0, Number.MAX_SAFE_INTEGER) ? undefined : 'must be a whole number, not negative';
const isCountOrNull: Check = (value, body) => (value === null ? undefined : isCount(value, body));
const isNonEmpty: Check = (value) =>
  typeof value === 'string' && value.trim() !== '' ? undefined : 'must not be empty';
const isShort: Check = (value) =>
  typeof value === 'string' && value.length <= nameMax
    ? undefined
    : `is longer than ${nameMax} characters`;
const isOneLine: Check = (value) =>
  typeof value === 'string' && !/[\t\n]/.test(value) ? undefined : 'must be one line without tabs';
export const isName: Check = (value, body) =>
  isNonEmpty(value, body) ?? isShort(value, body) ?? isOneLine(value, body);
export const isNameOrNull: Check = (value, body) =>
  value === null ? undefined : isName(value, body);
const isDigest: Check = (value) =>
  value === null || (typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value))
    ? undefined
    : 'must be sha256: and 64 hex digits in lower case';
const isHexDigest: Check = (value) =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? undefined : 'must be 64 hex digits';
const isHexDigestOrNull: Check = (value, body) =>
  value === null ? undefined : isHexDigest(value, body);
const isKeyId: Check = (value) =>
  typeof value === 'string' && /^[0-9a-f]{16}$/.test(value) ? undefined : 'must be 16 hex digits';
const isShareAboveZero: Check = (value) =>
  value === null || (typeof value === 'number' && value > 0 && value <= 1)
    ? undefined
    : 'must be above 0 and at most 1';
const isShare: Check = (value) =>
  value === null || (typeof value === 'number' && value >= 0 && value <= 1)
    ? undefined
    : 'must be between 0 and 1';
const isEvidence: Check = (value) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? undefined
    : 'must be a finite number, not negative';
const isEvidenceOrNull: Check = (value, body) =>
  value === null ? undefined : isEvidence(value, body);
const isAudience: Check = (value) =>
  typeof value === 'string' && audiencePattern.test(value)
    ? undefined
    : 'must be 1 to 63 of a-z, 0-9, dot, dash and underscore, and begin with a letter or digit';
const wordsOfCheck = new WeakMap<Check, readonly string[]>();
const oneOf = (...words: readonly string[]): Check => {
  const check: Check = (value) =>
    words.includes(value as string) ? undefined : `must be one of ${words.join(', ')}`;
  wordsOfCheck.set(check, words);
  return check;
};
const listOf =
  (countMax: number, check: Check): Check =>
  (value, body) =>
    Array.isArray(value) && value.length <= countMax
      ? firstItemProblem(value, check, body)
      : `holds at most ${countMax} items`;
const firstItemProblem = (
  items: readonly unknown[],
  check: Check,
  body: Body,
): string | undefined => {
  for (const item of items) {
    const problem = check(item, body);
    if (problem !== undefined) return problem;
  }
  return undefined;
};
const roles = oneOf('emitter', 'analyser', 'operator', 'gateway', 'trust-admin');
const isScopeName: Check = (value) =>
  typeof value === 'string' && /^[^*]{1,128}$|^[^*]{0,127}\*$/.test(value)
    ? undefined
    : 'must be an exact name or end in the only *';
const isPublicKey: Check = (value) =>
  value instanceof Uint8Array && value.length === 32 ? undefined : 'must be 32 bytes';

const isUuidOrNull: Check = (value, body) => (value === null ? undefined : isUuid(value, body));
const isFiniteOrNull: Check = (value) =>
  value === null || Number.isFinite(value) ? undefined : 'must be a finite number';
const isStage = oneOf(
  ...['warming', 'armed', 'advanced', 'promoted', 'hold', 'inconclusive', 'rolled-back'],
);
const silenceWords = oneOf('hold', 'page', 'roll-back');
const isSilenceWordOrNull: Check = (value, body) =>
  value === null ? undefined : silenceWords(value, body);

const metricChecks: readonly (readonly [name: string, check: Check])[] = [
  ['id', isName],
  ['judged', oneOf('errors', 'latency', 'level', 'traffic')],
  ['weight', (value, body) => (value === null ? 'is missing' : isShare(value, body))],
  ['canaryCount', isCount],
  ['canaryEvents', isCount],
  ['baselineCount', isCount],
  ['baselineEvents', isCount],
  ['canaryLevel', isFiniteOrNull],
  ['baselineLevel', isFiniteOrNull],
  ['ratio', isFiniteOrNull],
  ['ratioLow', isFiniteOrNull],
  ['ratioHigh', isFiniteOrNull],
  ['tolerated', isFiniteOrNull],
  ['evidence', isEvidence],
  ['promoteEvidence', isEvidence],
  ['dispersion', isEvidence],
  ['dispersionFrom', oneOf('measured', 'raised-for-traffic', 'unknown', 'none')],
  ['cappedBlocks', isCount],
  ['strongest', listOf(listMax, isCount)],
];
const isDecidedMetric: Check = (value) => {
  const metric = value as Body;
  for (const [name, check] of metricChecks) {
    const problem = check(metric[name], metric);
    if (problem !== undefined) return `has a metric whose ${name} ${problem}`;
  }
  return undefined;
};

export const audiencePattern: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export const envelopeChecks: FieldChecks = [
  ['marker', isUuid],
  ['audience', isAudience],
  ['source', isNonEmpty],
  ['occurredAt', isTime],
  ['producer', isNameOrNull],
  ['sequence', isCountOrNull],
  ['attempt', isNameOrNull],
];
export const slotChecks: FieldChecks = [
  ['slot.namespace', isName],
  ['slot.environment', isName],
  ['slot.component', isName],
  ['slot.target', isNameOrNull],
];
const detailChecks: FieldChecks = [
  ['details.labels', listOf(labelsMax, () => undefined)],
  ['details.tickets', listOf(listMax, isNonEmpty)],
  ['details.riskFlags', listOf(listMax, isNonEmpty)],
  ['details.resources', listOf(listMax, () => undefined)],
  ['details.links', listOf(listMax, () => undefined)],
  ['details.changes', listOf(listMax, () => undefined)],
];
export const artifactChecks: FieldChecks = [
  ['version', isName],
  ['digest', isDigest],
];

const checksByShape: {
  readonly [Name in 'plan' | 'update' | 'place' | 'change' | 'decision' | 'trust']: FieldChecks;
} = {
  plan: [
    ['deployment', isUuid],
    ...slotChecks,
    ['name', isName],
    ...artifactChecks,
    ['strategy', isNameOrNull],
    ['canaryShare', isShareAboveZero],
    ...detailChecks,
  ],
  update: [
    ['deployment', isUuid],
    ['canaryShare', isShare],
    ['colour', isNameOrNull],
    ...detailChecks,
  ],
  place: [...slotChecks, ...detailChecks],
  change: [
    ['deployment', isUuidOrNull],
    ...slotChecks,
    ['name', isName],
    ['fromVersion', isNameOrNull],
    ['toVersion', isNameOrNull],
    ...detailChecks,
  ],
  decision: [
    ['deployment', isUuid],
    ...slotChecks,
    ['analysis', isUuid],
    ['windowIndex', isCount],
    ['windowEndedAt', isTime],
    ['windows', isCount],
    ['windowMs', isCount],
    ['verdict', oneOf('pass', 'fail', 'inconclusive')],
    ['canary.requests', isCount],
    ['canary.errors', isCount],
    ['baseline.requests', isCount],
    ['baseline.errors', isCount],
    ['ratio', isEvidenceOrNull],
    ['ratioLow', isEvidenceOrNull],
    ['ratioHigh', isEvidenceOrNull],
    ['evidence', isEvidence],
    ['evidenceNeeded', isEvidence],
    ['toleranceRelative', isEvidence],
    ['toleranceAbsolute', isEvidence],
    ['share', isShare],
    [
      'validForMs',
      (value) =>
        isWhole(value, 1, validForMsMax) ? undefined : `must be 1 to ${validForMsMax} milliseconds`,
    ],
    ['policyDigest', isHexDigest],
    ['evidenceDigest', isHexDigest],
    ['samplesPartition', isCount],
    ['samplesFrom', isCount],
    ['samplesTo', isCount],
    ['fromVersion', isName],
    ['fromDigest', isDigest],
    ['toVersion', isNameOrNull],
    ['toDigest', isDigest],
    ['strongest', listOf(listMax, isCount)],
    ['metrics', listOf(metricsMax, isDecidedMetric)],
    ['stage', isStage],
    ['mode', oneOf('decide', 'dry-run', 'ask')],
    ['onSilence', isSilenceWordOrNull],
    ['noiseDigest', isHexDigestOrNull],
    ['carriedFrom', isUuidOrNull],
  ],
  trust: [
    ['deployment', isNull],
    ['log', isUuid],
  ],
};

const isOwnMarker: Check = (value, body) =>
  value === body['marker'] ? undefined : 'must equal the marker id';
const isEmptyText: Check = (value) => (value === '' ? undefined : 'must be empty');
const isNameOrEmpty: Check = (value, body) => (value === '' ? undefined : isName(value, body));
const isNone: FieldChecks = [
  ['version', isEmptyText],
  ['digest', isNull],
];
const isLabelled: Check = (value) =>
  Array.isArray(value) && value.length > 0 ? undefined : 'must name at least one';

const keyChecks: FieldChecks = [
  ['key.id', isKeyId],
  ['key.principal', isName],
  ['key.algorithm', oneOf('ed25519')],
  ['key.publicKey', isPublicKey],
  ['key.roles', listOf(8, roles)],
  ['key.environments', listOf(listMax, isScopeName)],
  ['key.components', listOf(listMax, isScopeName)],
  ['key.kinds', listOf(listMax, isScopeName)],
];

const isUsed: Check = (value) => (value === null ? 'is missing' : undefined);
const isEmptyList: Check = (value) =>
  Array.isArray(value) && value.length === 0 ? undefined : 'must be empty';
const isGeneration: Check = (value) =>
  typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,62}$/.test(value)
    ? undefined
    : 'must be 1 to 63 of a-z, 0-9, dot and dash';
const isEnd: Check = (value, body) => {
  const { from } = body;
  return typeof from === 'number' && typeof value === 'number' && value < from
    ? 'must not be below from'
    : isCountOrNull(value, body);
};
/** Ascending, each once: the same letters are named in one way only. */
const positionsOf =
  (countMax: number): Check =>
  (value, body) => {
    const problem = listOf(countMax, isCount)(value, body);
    if (problem !== undefined) return problem;
    const positions = value as readonly number[];
    if (positions.length === 0) return 'must name at least one';
    return positions.every((at, index) => index === 0 || at > (positions[index - 1] ?? at))
      ? undefined
      : 'must be ascending, each position once';
  };
const deploymentsNamed: Check = (value, body) => {
  const problem = listOf(forgottenMax, isUuid)(value, body);
  if (problem !== undefined) return problem;
  const ids = value as readonly string[];
  if (ids.length === 0) return 'must name at least one';
  return new Set(ids).size === ids.length ? undefined : 'must name each deployment once';
};
const isPlacePattern: Check = (value, body) => isScopeName(value, body) ?? isName(value, body);
const isPlacePatternOrNull: Check = (value, body) =>
  value === null ? undefined : isPlacePattern(value, body);

const isNamedCount: Check = (value, body) => {
  const { name, value: count } = value as Body;
  return isName(name, body) ?? isCount(count, body);
};

/** An operation has all fields of its shape; which of them its kind uses is named, the others say nothing. */
const operationChecks = (used: { readonly [field: string]: Check }): FieldChecks => [
  ['deployment', isNull],
  ['reason', isNonEmpty],
  ['generation', used['generation'] ?? isNull],
  ['from', used['from'] ?? isNull],
  ['to', used['to'] ?? isNull],
  ['positions', used['positions'] ?? isEmptyList],
  ['deployments', used['deployments'] ?? isEmptyList],
  ['environment', used['environment'] ?? isNull],
  ['days', used['days'] ?? isNull],
  ['digest', used['digest'] ?? isNull],
  ['counts', listOf(countsMax, isNamedCount)],
];
const generationChecks: FieldChecks = operationChecks({
  generation: isGeneration,
  from: isCountOrNull,
  to: isEnd,
  digest: isHexDigestOrNull,
});

/** What the document says is read by whoever judges by it: a newer release may know more settings. */
const policyChecks: FieldChecks = [
  ['deployment', isNull],
  ['reason', isNonEmpty],
  ['document', isNonEmpty],
  ['digest', isHexDigest],
];

const firstFieldProblem = (kind: Kind, body: Body): FieldProblem | undefined => {
  const { shape } = kinds[kind];
  const problem =
    fieldFault(body, envelopeChecks) ??
    fieldFault(body, checksOf(kind)) ??
    (shape === 'update' && body['slot'] !== null ? fieldFault(body, slotChecks) : undefined);
  if (problem !== undefined) return problem;
  const publicKey = shape === 'trust' ? valueAt(body, ['key', 'publicKey']) : undefined;
  if (publicKey instanceof Uint8Array && isWeakPublicKey(publicKey))
    return {
      code: 'key-weak',
      path: 'key.publicKey',
      message: 'key.publicKey is a point of low order or not canonical: anyone could sign with it',
    };
  return undefined;
};

export type FieldChecks = readonly (readonly [path: string, check: Check])[];

/** What is wrong with a body by these checks and with its texts, for a shape that has a door of its own. */
export const firstFault = (body: Body, checks: FieldChecks): FieldProblem | undefined =>
  textFault(body) ?? fieldFault(body, checks);

const textFault = (body: Body): FieldProblem | undefined => {
  const text = firstTextProblem(body);
  if (text === undefined) return undefined;
  const path = text.path.slice(1);
  return { code: 'field-invalid', path, message: `${path} ${text.message}` };
};

const fieldFault = (body: Body, checks: FieldChecks): FieldProblem | undefined => {
  for (const { path, names, check } of namedChecksOf(checks)) {
    const message = check(valueAt(body, names), body);
    if (message !== undefined)
      return { code: 'field-invalid', path, message: `${path} ${message}` };
  }
  return undefined;
};

/** Each kind's list, built once. */
const checksByKind = new Map<Kind, FieldChecks>();

const checksOf = (kind: Kind): FieldChecks => {
  let checks = checksByKind.get(kind);
  if (checks === undefined) checksByKind.set(kind, (checks = buildChecks(kind)));
  return checks;
};

const buildChecks = (kind: Kind): FieldChecks => {
  switch (kind) {
    case 'planned':
      return checksByShape.plan;
    case 'started':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'traffic-shifted':
      return [...checksByShape.update, ['phase', isNull]];
    case 'phase-advanced':
      return [...checksByShape.update, ['phase', isName]];
    case 'logged':
    case 'recorded':
      return [['deployment', isOwnMarker], ...checksByShape.place, ...artifactChecks];
    case 'undeployed':
      return [
        ['deployment', isOwnMarker],
        ...checksByShape.place,
        ['version', isNameOrEmpty],
        ['digest', isDigest],
      ];
    case 'released':
    case 'support-ended':
      // Releases stand beside each other in one place: none of them is at a target.
      return [
        ['deployment', isOwnMarker],
        ...checksByShape.place,
        ['slot.target', isNull],
        ...artifactChecks,
      ];
    case 'label':
      return [
        ['deployment', isUuidOrNull],
        ...checksByShape.place,
        ...isNone,
        ['details.labels', isLabelled],
      ];
    case 'freeze':
      return [
        ['deployment', isNull],
        ...checksByShape.place,
        ['slot.namespace', isPlacePattern],
        ['slot.environment', isPlacePattern],
        ['slot.component', isPlacePattern],
        ['slot.target', isPlacePatternOrNull],
        ...isNone,
        ['reason', isNonEmpty],
      ];
    case 'flag-changed':
    case 'config-changed':
    case 'secret-changed':
    case 'migration-started':
    case 'incident-opened':
    case 'incident-resolved':
      return [...checksByShape.change, ['outcome', isNull]];
    case 'migration-finished':
      return [...checksByShape.change, ['outcome', oneOf('succeeded', 'failed')]];
    case 'promote':
    case 'advance':
    case 'hold':
    case 'roll-back':
      return checksByShape.decision;
    case 'log-opened':
    case 'key-added':
      return [...checksByShape.trust, ...keyChecks, ['keyId', isNull], ['since', isNull]];
    case 'key-retired':
      return [...checksByShape.trust, ['key', isNull], ['keyId', isKeyId], ['since', isNull]];
    case 'key-compromised':
      return [...checksByShape.trust, ['key', isNull], ['keyId', isKeyId], ['since', isCount]];
    case 'generation-begun':
    case 'generation-paused':
    case 'generation-built':
    case 'generation-switched':
    case 'generation-dropped':
      return generationChecks;
    case 'letters-redriven':
      return operationChecks({ positions: positionsOf(redrivenMax) });
    case 'letters-discarded':
      return operationChecks({ positions: positionsOf(listMax) });
    case 'retention-set':
      return operationChecks({
        environment: isPlacePattern,
        days: (value) =>
          isWhole(value, 1, retentionDaysMax) ? undefined : `must be 1 to ${retentionDaysMax}`,
      });
    case 'deployments-forgotten':
      return operationChecks({
        deployments: deploymentsNamed,
        environment: isPlacePatternOrNull,
        to: isCountOrNull,
      });
    case 'log-archived':
      return operationChecks({
        from: isCount,
        to: (value, body) => isUsed(value, body) ?? isEnd(value, body),
        digest: isHexDigest,
      });
    case 'log-sealed':
    case 'log-continued':
      // `to` is the record's own position: one that lies elsewhere, as on a copy of the log, is told by it.
      return operationChecks({ to: isCount, digest: isHexDigest });
    case 'decisions-stopped':
    case 'decisions-resumed':
      return operationChecks({ environment: isPlacePatternOrNull });
    case 'freeze-lifted':
    case 'decision-approved':
    case 'decision-declined':
      return operationChecks({ positions: positionsOf(1) });
    case 'policy-set':
      return policyChecks;
  }
};

/** What a kind asks of one field of its shape, for whoever asks people for it. */
export type FieldAsked = {
  /** The kind says nothing in it. */
  readonly isUnsaid: boolean;
  /** The only words that it takes; none: any. */
  readonly words: readonly string[];
  /** Whether the value that stands where nobody says anything is refused. */
  readonly isRefused: (byDefault: unknown) => boolean;
};

export const fieldAsked = (kind: Kind, path: string): FieldAsked => {
  const checks = checksOf(kind).flatMap(([of, check]) => (of === path ? [check] : []));
  return {
    isUnsaid: checks.some((check) => check === isNull || check === isEmptyText),
    words: checks.flatMap((check) => wordsOfCheck.get(check) ?? []),
    isRefused: (byDefault) => checks.some((check) => check(byDefault, {}) !== undefined),
  };
};

type NamedCheck = {
  readonly path: string;
  readonly names: readonly string[];
  readonly check: Check;
};

/** Lists of checks with their paths taken apart, which is done once. */
const namedChecks = new WeakMap<FieldChecks, readonly NamedCheck[]>();

const namedChecksOf = (checks: FieldChecks): readonly NamedCheck[] => {
  let named = namedChecks.get(checks);
  if (named === undefined) {
    named = checks.map(([path, check]) => ({ path, names: path.split('.'), check }));
    namedChecks.set(checks, named);
  }
  return named;
};

const valueAt = (body: Body, names: readonly string[]): unknown => {
  let value: unknown = body;
  for (const name of names) {
    if (value === null || value === undefined || typeof value !== 'object') return undefined;
    value = (value as Body)[name];
  }
  return value;
};

/** Texts at any depth: well formed, without control characters, not longer than their field allows. */
const firstTextProblem = (value: unknown, field = ''): Omit<FieldProblem, 'code'> | undefined => {
  if (typeof value === 'string') {
    const message = textProblem(value, textMaxByField[field] ?? textMax);
    return message === undefined ? undefined : { path: '', message };
  }
  if (value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const problem = firstTextProblem(value[index], field);
      if (problem !== undefined) return { ...problem, path: `[${index}]${problem.path}` };
    }
    return undefined;
  }
  if (value instanceof Uint8Array) return undefined;
  for (const name in value) {
    const problem = firstTextProblem((value as Body)[name], name);
    if (problem !== undefined) return { ...problem, path: `.${name}${problem.path}` };
  }
  return undefined;
};

/** Nearly every text: nothing more need be asked. */
const plainText = /^[ -~]*$/;

const textProblem = (text: string, lengthMax: number): string | undefined => {
  if (text.length > lengthMax)
    return `is ${text.length} characters long; at most ${lengthMax} are taken`;
  if (plainText.test(text)) return undefined;
  if (!text.isWellFormed()) return 'is not well-formed Unicode';
  if (controlCharacter.test(text)) return 'holds a control character';
  return undefined;
};

/** Line feed and tab are let through: failure reasons have them. */
export const controlCharacter: RegExp =
  // oxlint-disable-next-line eslint/no-control-regex -- finding them is its task
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

const isWhole = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;

const refuse = (
  code: FieldProblem['code'],
  path: string,
  message: string,
): Result<never, FieldProblem> => fail({ code, path, message });

const quote = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : String(value);
