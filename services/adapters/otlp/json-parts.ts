import type { Signal } from '../../ports/otlp.ts';
import type { JsonObject } from './json-fields.ts';
import { isObject, keyOf, listIn, objectIn, WrongShape } from './json-fields.ts';
import type { Message, Part } from './message-parts.ts';

/** The list of resources in a request. */
export const RESOURCE_LISTS: { readonly [Name in Signal]: string } = {
  metrics: 'resourceMetrics',
  traces: 'resourceSpans',
  logs: 'resourceLogs',
};
/** The lists that hold the parts, from the request inwards. */
const PART_LISTS: { readonly [Name in Signal]: readonly string[] } = {
  metrics: [RESOURCE_LISTS.metrics, 'scopeMetrics', 'metrics'],
  traces: [RESOURCE_LISTS.traces, 'scopeSpans', 'spans'],
  logs: [RESOURCE_LISTS.logs, 'scopeLogs', 'logRecords'],
};
const METRIC_TYPES = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

const COMMA = Buffer.from(',');

/** Splits an export request in JSON, parsed, into frame and parts. Throws WrongShape, here and in `open`. */
export const jsonMessage = (signal: Signal, request: unknown): Message =>
  messageOf(asObject(request), PART_LISTS[signal], signal === 'metrics' ? metricOf : () => null);

const messageOf = (
  object: JsonObject,
  [list = '', ...inner]: readonly string[],
  openLast: (part: unknown) => Message | null,
): Message => {
  const open = (part: unknown): Message | null =>
    inner.length === 0 ? openLast(part) : messageOf(asObject(part), inner, openLast);
  return framed(beginOf(object, list), ']}', listIn(object, list), open);
};

/** A metric has one type. One that has several is left whole: its points could not be told apart from its frame. */
const metricOf = (part: unknown): Message | null => {
  const metric = asObject(part);
  const [type, ...others] = METRIC_TYPES.filter((name) => objectIn(metric, name) !== undefined);
  if (type === undefined || others.length > 0) return null;
  const data = objectIn(metric, type) ?? {};
  const begin = `${without(metric, type)}${beginOf(data, 'dataPoints')}`;
  return framed(begin, ']}}', listIn(data, 'dataPoints'), () => null);
};

const framed = (
  begin: string,
  end: string,
  items: readonly unknown[],
  open: (item: unknown) => Message | null,
): Message => {
  const [before, after] = [Buffer.from(begin), Buffer.from(end)];
  return {
    frameBytes: before.length + after.length,
    separatorBytes: COMMA.length,
    parts: items.map((item): Part => ({ bytes: textOf(item), open: () => open(item) })),
    join: (taken) =>
      Buffer.concat([
        before,
        ...taken.flatMap((part, index) => (index === 0 ? [part] : [COMMA, part])),
        after,
      ]),
  };
};

/** The object up to the begin of its list, which is written last. */
const beginOf = (object: JsonObject, list: string): string => `${without(object, list)}[`;

/** The object up to the value of `name`, which is written last. */
const without = (object: JsonObject, name: string): string => {
  const key = keyOf(object, name);
  const rest = Object.fromEntries(Object.entries(object).filter(([other]) => other !== key));
  const begin = jsonOf(rest).slice(0, -1);
  return `${begin}${begin === '{' ? '' : ','}${JSON.stringify(key)}:`;
};

const textOf = (value: unknown): Uint8Array => Buffer.from(jsonOf(value));

/** A number beyond all doubles is infinite once it was read; as text it is still no count and no sum. */
const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner,
  );

const asObject = (value: unknown): JsonObject => {
  if (!isObject(value)) throw new WrongShape('not an object', '');
  return value;
};
