import { hash } from 'node:crypto';
import type { PointRejection } from '../../core/telemetry/point.ts';
import type { PointAttribute, Selection } from '../../core/telemetry/telemetry-point.ts';
import type { StatusName } from '../../core/telemetry/status-said.ts';
import { usualTargetSaid } from '../../core/telemetry/telemetry-point.ts';
import { isProbe, probeSaid } from '../../core/telemetry/probes.ts';
import { clientErrorSaid, overflowSaid, statusSaid } from '../../core/telemetry/status-said.ts';
import type { MetricsLimits } from './limits.ts';

const DIGEST_HEX_CHARS = 32;

/** What each attribute counts for beside its text, so that a flood of empty ones has an end too. */
const ATTRIBUTE_CHARS_MIN = 4;

/** SHA-256 of a text, cut to 128 bits, as hex. */
export const digestOf = (text: string): string =>
  hash('sha256', text, 'hex').slice(0, DIGEST_HEX_CHARS);

/** Texts one after the other so that no two different lists give the same text. */
export const lengthPrefixed = (texts: readonly string[]): string => {
  let joined = '';
  for (const text of texts) joined += `${text.length}:${text}`;
  return joined;
};

/**
 * Values of attributes as text, the same from protobuf and from JSON: a letter for the type, then
 * the value. An attribute without a value is the empty text.
 */
export const valueText = {
  string: (value: string): string => `s${value}`,
  /** `decimal` is an int64 in plain decimal digits. */
  int: (decimal: string): string => `i${decimal}`,
  double: (value: number): string => `d${value}`,
  bool: (value: boolean): string => (value ? 'b1' : 'b0'),
  bytes: (hex: string): string => `x${hex}`,
  array: (values: readonly string[]): string => `a${lengthPrefixed(values)}`,
  map: (pairs: readonly (readonly [string, string])[]): string =>
    `m${lengthPrefixed(pairs.map(lengthPrefixed).sort())}`,
};

/**
 * Attributes of one resource, scope or point, gathered up to a limit. A key given twice is against
 * the standard; its last value stands.
 */
export class AttributeList {
  readonly #keys: string[] = [];
  readonly #values: string[] = [];
  #charsLeft: number;

  constructor(limits: MetricsLimits) {
    this.#charsLeft = limits.attributesCharsMax;
  }

  get tooLarge(): boolean {
    return this.#charsLeft < 0;
  }

  add(key: string, value: string): void {
    if (this.tooLarge) return;
    this.#charsLeft -= key.length + value.length + ATTRIBUTE_CHARS_MIN;
    this.#keys.push(key);
    this.#values.push(value);
  }

  /** The text of a string or whole number; null where the attribute is absent, empty or of another type. */
  text(key: string): string | null {
    const value = this.#values[this.#keys.lastIndexOf(key)] ?? '';
    const readable = value.startsWith('s') || value.startsWith('i');
    return readable && value.length > 1 ? value.slice(1) : null;
  }

  /** The same; null where it was given twice and says different things. */
  agreed(key: string): string | null {
    const value = this.#values[this.#keys.lastIndexOf(key)];
    const isAgreed = this.#keys.every((one, index) => one !== key || this.#values[index] === value);
    return isAgreed ? this.text(key) : null;
  }

  /**
   * The value of a string, number or boolean as people and filters see it; undefined where the attribute is absent,
   * empty or of another type.
   */
  shown(key: string): string | undefined {
    const value = this.#values[this.#keys.lastIndexOf(key)] ?? '';
    switch (value.slice(0, 1)) {
      case 's':
      case 'i':
      case 'd':
        return value.slice(1);
      case 'b':
        return value === 'b1' ? 'true' : 'false';
      default:
        return undefined;
    }
  }

  /** One text for the whole list, whatever order it came in. */
  canonical(): string {
    const order = this.#keys
      .map((_, index) => index)
      .sort((left, right) => this.#compare(left, right));
    const texts: string[] = [];
    for (const [place, index] of order.entries()) {
      const key = this.#keys[index] ?? '';
      const next = order[place + 1];
      if (next !== undefined && this.#keys[next] === key) continue;
      texts.push(key, this.#values[index] ?? '');
    }
    return lengthPrefixed(texts);
  }

  /** By key; the sort is stable, so of equal keys the last stays last. */
  #compare(left: number, right: number): number {
    const [leftKey = '', rightKey = ''] = [this.#keys[left], this.#keys[right]];
    return leftKey === rightKey ? 0 : leftKey < rightKey ? -1 : 1;
  }
}

/** Who sent the points of a resource, or why none of them can be taken. */
export type ResourceIdentity =
  | {
      readonly ok: true;
      readonly environment: string;
      readonly namespace: string;
      readonly component: string;
      readonly version: string | null;
      readonly deploymentId: string | null;
      readonly instance: string | null;
      /** Whether the instance is one sender; a pod or a host may hold several. */
      readonly isOneSender: boolean;
      readonly target: string | null;
      /** Those by which cohorts are told apart, and `usualTargetSaid`, sorted by name. */
      readonly kept: readonly PointAttribute[];
      readonly canonical: string;
    }
  | { readonly ok: false; readonly reason: PointRejection };

// The same defaults as a slot has.
const ENVIRONMENT_DEFAULT = 'default';
const NAMESPACE_DEFAULT = 'default';

export const serviceNameOf = (attributes: AttributeList): string | null =>
  attributes.text('service.name');

export const identifyResource = (
  attributes: AttributeList,
  {
    targetAttributes,
    usualTargetAttributes,
    cohortAttributes,
  }: Omit<Selection, 'metrics' | 'levels'>,
  limits: MetricsLimits,
): ResourceIdentity => {
  if (attributes.tooLarge) return { ok: false, reason: 'attributes-too-large' };
  const first = (...keys: readonly string[]): string | null =>
    keys.map((key) => attributes.text(key)).find((text) => text !== null) ?? null;

  const component = serviceNameOf(attributes);
  if (component === null) return { ok: false, reason: 'service-name-missing' };
  const environment =
    first('deployment.environment.name', 'deployment.environment') ?? ENVIRONMENT_DEFAULT;
  const namespace = first('service.namespace') ?? NAMESPACE_DEFAULT;
  const fits = (name: string): boolean => name.length <= limits.nameCharsMax;
  // Who says two is of neither for certain, nor who says what nobody can be named.
  const agreed = (key: string): string | null => {
    const name = attributes.agreed(key);
    return name !== null && fits(name) ? name : null;
  };
  const version = agreed('service.version');
  const deploymentId = agreed('deployment.id');
  // The narrowest first: several pods may share the name of their host.
  const named = first('service.instance.id', 'k8s.pod.uid', 'host.name');
  // It only tells one from another, and a pod with a long name that nobody hears would hide.
  const instance = named === null || fits(named) ? named : digestOf(named);
  const isOneSender = first('service.instance.id') !== null;

  const asked = first(...targetAttributes);
  // One that no policy asks for is as good as none where it is no name: nobody is told apart by it.
  const usualSaid = first(...usualTargetAttributes);
  const usual = usualSaid !== null && fits(usualSaid) ? usualSaid : null;
  // Where some policy names a target, that alone is one; the usual one travels beside it, for those that name none.
  const target = targetAttributes.length === 0 ? usual : asked;
  const isBeside = targetAttributes.length > 0 && usual !== null;

  const ofCohorts = cohortAttributes.flatMap((name) => {
    const value = attributes.shown(name);
    return value === undefined ? [] : { name, value };
  });
  const kept = isBeside
    ? [...ofCohorts, { name: usualTargetSaid, value: usual }].toSorted(byName)
    : ofCohorts;
  const names = [
    ...[environment, namespace, component, version, deploymentId, instance, target],
    ...kept.map(({ value }) => value),
  ];
  if (names.some((name) => name !== null && !fits(name))) {
    return { ok: false, reason: 'string-too-long' };
  }
  const canonical = attributes.canonical();
  return {
    ok: true,
    environment,
    namespace,
    component,
    version,
    deploymentId,
    instance,
    isOneSender,
    target,
    kept,
    canonical,
  };
};

export const byName = (left: PointAttribute, right: PointAttribute): number =>
  left.name < right.name ? -1 : 1;

const HTTP_STATUS_MIN = 100;
const HTTP_STATUS_END = 1_000;
const HTTP_CLIENT_ERROR_MIN = 400;
const HTTP_SERVER_ERROR_MIN = 500;

/** As some gateways and agents write it: `5xx`. */
const HTTP_CLASS = /^[1-9]xx$/i;

/** The gRPC codes: as numbers in `rpc.grpc.status_code`, as names in `rpc.response.status_code`. */
const GRPC_CODES: readonly string[] = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND'],
  ...['ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'],
  ...['ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'],
  'UNAUTHENTICATED',
];

/** Those that are the server's fault, by the semantic conventions of OpenTelemetry. */
const GRPC_SERVER_ERRORS: ReadonlySet<string> = new Set([
  ...['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'],
]);

/** Libraries spell the names their own way: Go's says `DeadlineExceeded` and `Canceled`. */
const bareName = (name: string): string =>
  name.toUpperCase().replaceAll('_', '').replace('CANCELED', 'CANCELLED');

/** Whether the requests of a point failed, and by which status that is known; null: none that can be read. */
type Ending = {
  readonly failed: boolean;
  readonly isClientError: boolean;
  readonly by: StatusName | null;
};

/**
 * A status may be a text or a number of either kind: some processors make doubles of whole numbers. One of HTTP can be
 * read as a number from 100 to below 1000 or as a class (`5xx`), one of RPC as a number or a name of gRPC. `error.type`
 * decides only where there is none that can be read. `http.status_code` is what the older `http.server.duration` has.
 */
const endingOf = (attributes: AttributeList): Ending => {
  for (const by of ['http.response.status_code', 'http.status_code'] as const) {
    const shown = attributes.shown(by) ?? '';
    const status = HTTP_CLASS.test(shown) ? Number(shown.charAt(0)) * 100 : Number(shown);
    if (status >= HTTP_STATUS_MIN && status < HTTP_STATUS_END)
      return {
        failed: status >= HTTP_SERVER_ERROR_MIN,
        isClientError: status >= HTTP_CLIENT_ERROR_MIN && status < HTTP_SERVER_ERROR_MIN,
        by,
      };
  }
  for (const by of ['rpc.grpc.status_code', 'rpc.response.status_code'] as const) {
    const shown = attributes.shown(by) ?? '';
    const spelt = bareName(shown);
    const code = GRPC_CODES.find(
      (name, number) => spelt === bareName(name) || shown === String(number),
    );
    if (code === undefined) continue;
    const failed = GRPC_SERVER_ERRORS.has(code);
    return { failed, isClientError: !failed && code !== 'OK', by };
  }
  return { failed: attributes.text('error.type') !== null, isClientError: false, by: null };
};

/** As SDKs say it, and as it comes by way of Prometheus, whose labels are texts. */
const OVERFLOW_NAMES = ['otel.metric.overflow', 'otel_metric_overflow'] as const;

const isOverflow = (attributes: AttributeList): boolean =>
  OVERFLOW_NAMES.some((name) => attributes.shown(name)?.toLowerCase() === 'true');

/** What the attributes of a point come down to, or why it cannot be taken. */
export type PointAttributes =
  | {
      readonly ok: true;
      readonly digest: string;
      readonly failed: boolean;
      /** Those that are asked for, sorted by name. */
      readonly kept: readonly PointAttribute[];
    }
  | {
      readonly ok: false;
      readonly reason: 'attributes-too-large' | 'string-too-long';
      /** Of as much as was read. */
      readonly digest: string;
    };

/** `wanted`: names of the attributes that travel on, sorted; of those that the door says what it says. */
export const readPointAttributes = (
  attributes: AttributeList,
  wanted: readonly string[],
  limits: MetricsLimits,
): PointAttributes => {
  const digest = digestOf(attributes.canonical());
  if (attributes.tooLarge) return { ok: false, reason: 'attributes-too-large', digest };
  const kept: PointAttribute[] = [];
  let chars = 0;
  const ending = endingOf(attributes);
  for (const name of wanted) {
    const value = keptValue(attributes, ending, name);
    if (value === undefined) continue;
    if (value.length > limits.nameCharsMax) return { ok: false, reason: 'string-too-long', digest };
    chars += name.length + value.length;
    kept.push({ name, value });
  }
  if (chars > limits.keptCharsMax || kept.length > limits.keptMax)
    return { ok: false, reason: 'attributes-too-large', digest };
  return { ok: true, digest, failed: ending.failed, kept };
};

const keptValue = (
  attributes: AttributeList,
  { by, isClientError }: Ending,
  name: string,
): string | undefined => {
  if (name === statusSaid) return by ?? undefined;
  if (name === clientErrorSaid) return isClientError ? '4xx' : undefined;
  if (name === overflowSaid) return isOverflow(attributes) ? 'yes' : undefined;
  if (name === probeSaid) return isProbe((one) => attributes.shown(one)) ? 'yes' : undefined;
  return attributes.shown(name);
};

const MEMO_ENTRIES_MAX = 10_000;
const MEMO_KEY_BYTES_MAX = 1024;

/**
 * Remembers what the attributes of a point came down to, by their bytes. A series sends the same
 * bytes with every export, so a reader that keeps its memo neither parses nor hashes them again.
 * It changes the cost of reading, never the outcome.
 */
export class AttributeMemo {
  readonly #known = new Map<string, PointAttributes>();
  readonly #entriesMax: number;

  constructor(entriesMax: number = MEMO_ENTRIES_MAX) {
    this.#entriesMax = entriesMax;
  }

  /** What `read` answers for the bytes from `start` to `end`, or answered for the same bytes before. */
  recall(bytes: Buffer, start: number, end: number, read: () => PointAttributes): PointAttributes {
    if (end - start > MEMO_KEY_BYTES_MAX) return read();
    const key = bytes.toString('latin1', start, end);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const attributes = read();
    if (this.#known.size >= this.#entriesMax) this.#known.clear();
    this.#known.set(key, attributes);
    return attributes;
  }
}
