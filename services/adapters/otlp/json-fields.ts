/** JSON that is not an OTLP request. Stays inside this folder: the door turns it into a value. */
export class WrongShape extends Error {
  /** From the object in hand to the fault; whoever hands a child down puts its own step before it. */
  readonly path: string;

  constructor(message: string, path: string) {
    super(message);
    this.path = path;
  }
}

/** Runs `read`, and puts `step` before the path of a fault in it. */
export const within = <Value>(step: () => string, read: () => Value): Value => {
  try {
    return read();
  } catch (fault) {
    if (!(fault instanceof WrongShape)) throw fault;
    throw new WrongShape(fault.message, step() + fault.path);
  }
};

export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A field by its JSON name (`timeUnixNano`), or by its name in the .proto file (`time_unix_nano`).
 * Only own fields count, so `__proto__` or `constructor` in the input mean nothing. Null is absent.
 */
export const fieldOf = (object: JsonObject, name: string): unknown => {
  const key = keyOf(object, name);
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined;
};

/** Which of its two names a field has here. */
export const keyOf = (object: JsonObject, name: string): string =>
  Object.hasOwn(object, name) ? name : protoNameOf(name);

/** Only our own names come here, so this stays small. */
const protoNames = new Map<string, string>();

const protoNameOf = (name: string): string => {
  const known = protoNames.get(name);
  if (known !== undefined) return known;
  const protoName = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  protoNames.set(name, protoName);
  return protoName;
};

export const objectIn = (object: JsonObject, name: string): JsonObject | undefined => {
  const child = fieldOf(object, name);
  if (child === undefined) return undefined;
  if (!isObject(child)) throw new WrongShape('not an object', `.${name}`);
  return child;
};

export const listIn = (object: JsonObject, name: string): readonly unknown[] => {
  const list = fieldOf(object, name) ?? [];
  if (!Array.isArray(list)) throw new WrongShape('not a list', `.${name}`);
  return list;
};

export const textIn = (object: JsonObject, name: string): string => {
  const text = fieldOf(object, name) ?? '';
  if (typeof text !== 'string') throw new WrongShape('not a string', `.${name}`);
  // Protobuf has no half characters, and no record could hold one.
  return text.toWellFormed();
};

/** Calls `visit` for the object in field `name`, or for an empty one where there is none. */
export const inObject = <Value>(
  object: JsonObject,
  name: string,
  visit: (child: JsonObject) => Value,
): Value => {
  const child = objectIn(object, name) ?? {};
  return within(
    () => `.${name}`,
    () => visit(child),
  );
};

export const eachObject = (
  object: JsonObject,
  name: string,
  visit: (child: JsonObject) => void,
): void => {
  const list = listIn(object, name);
  let index = 0;
  within(
    () => `.${name}[${index}]`,
    () => {
      for (const child of list) {
        if (!isObject(child)) throw new WrongShape('not an object', '');
        visit(child);
        index++;
      }
    },
  );
};

/** A double, as number or as the text protobuf's JSON has for what JSON cannot say; NaN for anything else. */
export const toDouble = (value: unknown): number => {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?(?:\d|Infinity$)/.test(value) ? Number(value) : NaN;
};
