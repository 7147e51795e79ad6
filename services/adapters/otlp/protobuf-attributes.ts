import { AttributeList, valueText } from './attributes.ts';
import type { MetricsLimits } from './limits.ts';
import type { ProtobufReader } from './protobuf-reader.ts';

/** The field numbers of opentelemetry/proto/common/v1/common.proto. */
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY_VALUE = {
  string: 1,
  bool: 2,
  int: 3,
  double: 4,
  array: 5,
  map: 6,
  bytes: 7,
} as const;
const LIST_VALUES = 1;

/** The fields of a resource's metrics, spans or log records, and of the resource itself; the three signals are alike. */
const RESOURCE_IN_PART = 1;
const RESOURCE_ATTRIBUTES = 1;

/** The attributes of the resource of the ResourceMetrics (or Spans, Logs) between `start` and `end`. */
export const resourceAttributesIn = (
  reader: ProtobufReader,
  start: number,
  end: number,
  limits: MetricsLimits,
): AttributeList => {
  const attributes = new AttributeList(limits);
  reader.each(start, end, RESOURCE_IN_PART, (resourceStart, resourceEnd) =>
    reader.each(resourceStart, resourceEnd, RESOURCE_ATTRIBUTES, (pairStart, pairEnd) =>
      readKeyValue(reader, pairStart, pairEnd, limits, attributes),
    ),
  );
  return attributes;
};

/** Reads the KeyValue between `start` and `end`. */
export const readKeyValue = (
  reader: ProtobufReader,
  start: number,
  end: number,
  limits: MetricsLimits,
  into: AttributeList,
): void => {
  reader.at = start;
  const { key, value } = keyValue(reader, end, limits.attributeDepthMax);
  into.add(key, value);
};

const keyValue = (
  reader: ProtobufReader,
  end: number,
  depthLeft: number,
): { readonly key: string; readonly value: string } => {
  let key = '';
  let value = '';
  while (reader.next(end)) {
    if (reader.field === KEY_VALUE.key) key = reader.string(end);
    else if (reader.field === KEY_VALUE.value)
      value = anyValue(reader, reader.lengthEnd(end), depthLeft);
    else reader.skip(end);
  }
  return { key, value };
};

/** An AnyValue as text (see `valueText`); of several values in one the last stands. */
const anyValue = (reader: ProtobufReader, end: number, depthLeft: number): string => {
  if (depthLeft === 0) reader.malformed('an attribute is nested too deep');
  let text = '';
  while (reader.next(end)) {
    switch (reader.field) {
      case ANY_VALUE.string:
        text = valueText.string(reader.string(end));
        break;
      case ANY_VALUE.bool:
        text = valueText.bool(reader.varint(end) !== 0);
        break;
      case ANY_VALUE.int:
        text = valueText.int(reader.int64Text(end));
        break;
      case ANY_VALUE.double:
        text = valueText.double(reader.double(end));
        break;
      case ANY_VALUE.array:
        text = valueText.array(
          list(reader, end, (itemEnd) => anyValue(reader, itemEnd, depthLeft - 1)),
        );
        break;
      case ANY_VALUE.map:
        text = valueText.map(
          list(reader, end, (itemEnd) => {
            const pair = keyValue(reader, itemEnd, depthLeft - 1);
            return [pair.key, pair.value];
          }),
        );
        break;
      case ANY_VALUE.bytes: {
        const bytesEnd = reader.lengthEnd(end);
        text = valueText.bytes(reader.bytes.toString('hex', reader.at, bytesEnd));
        reader.at = bytesEnd;
        break;
      }
      default:
        reader.skip(end);
    }
  }
  return text;
};

/** The items of an ArrayValue or KeyValueList. */
const list = <Item>(
  reader: ProtobufReader,
  parentEnd: number,
  item: (itemEnd: number) => Item,
): readonly Item[] => {
  const end = reader.lengthEnd(parentEnd);
  const items: Item[] = [];
  while (reader.next(end)) {
    if (reader.field === LIST_VALUES) items.push(item(reader.lengthEnd(end)));
    else reader.skip(end);
  }
  return items;
};
