import { AttributeList, valueText } from './attributes.ts';
import {
  eachObject,
  fieldOf,
  inObject,
  type JsonObject,
  objectIn,
  textIn,
  toDouble,
  WrongShape,
} from './json-fields.ts';
import type { MetricsLimits } from './limits.ts';

/** The attributes of a resource, scope or point. */
export const attributesIn = (object: JsonObject, limits: MetricsLimits): AttributeList => {
  const attributes = new AttributeList(limits);
  eachPair(object, 'attributes', limits.attributeDepthMax, (key, value) =>
    attributes.add(key, value),
  );
  return attributes;
};

const eachPair = (
  object: JsonObject,
  name: string,
  depthLeft: number,
  visit: (key: string, value: string) => void,
): void =>
  eachObject(object, name, (pair) => {
    const key = textIn(pair, 'key');
    visit(
      key,
      inObject(pair, 'value', (value) => textOfValue(value, depthLeft)),
    );
  });

/** An AnyValue as text (see `valueText`). */
const textOfValue = (value: JsonObject, depthLeft: number): string => {
  if (depthLeft === 0) throw new WrongShape('nested too deep', '');
  const string = fieldOf(value, 'stringValue');
  if (typeof string === 'string') return valueText.string(string.toWellFormed());
  const bool = fieldOf(value, 'boolValue');
  if (typeof bool === 'boolean') return valueText.bool(bool);
  const int = fieldOf(value, 'intValue');
  if (int !== undefined) return valueText.int(int64Text(int));
  const double = fieldOf(value, 'doubleValue');
  if (double !== undefined) return valueText.double(toDouble(double));
  const array = objectIn(value, 'arrayValue');
  if (array !== undefined) {
    const items: string[] = [];
    eachObject(array, 'values', (item) => items.push(textOfValue(item, depthLeft - 1)));
    return valueText.array(items);
  }
  const map = objectIn(value, 'kvlistValue');
  if (map !== undefined) {
    const pairs: (readonly [string, string])[] = [];
    eachPair(map, 'values', depthLeft - 1, (key, text) => pairs.push([key, text]));
    return valueText.map(pairs);
  }
  const bytes = fieldOf(value, 'bytesValue');
  if (typeof bytes === 'string') {
    return valueText.bytes(Buffer.from(bytes, 'base64').toString('hex'));
  }
  if ((string ?? bool ?? bytes) !== undefined) throw new WrongShape('a value of another type', '');
  return '';
};

const int64Text = (value: unknown): string => {
  const whole = typeof value === 'number' && Number.isInteger(value);
  if (whole || (typeof value === 'string' && /^-?\d{1,19}$/.test(value))) {
    const exact = BigInt(value);
    if (BigInt.asIntN(64, exact) === exact) return exact.toString();
  }
  throw new WrongShape('not an int64', '.intValue');
};
