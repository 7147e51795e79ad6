/**
 * A generic Avro reader, written from the specification (Avro 1.12, "Binary encoding") and knowing nothing
 * of Plimsoll: it stands for the consumer in another house who has the bytes and a schema file. Whole
 * numbers are numbers where they fit, bigints beyond; maps are Maps; a union gives the value of its branch.
 */
export function readAvro(schemaText: string, bytes: Uint8Array): unknown {
  const names = new Map<string, Named>();
  const source: Source = {
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    at: 0,
  };
  const value = read(define(JSON.parse(schemaText) as unknown, '', names), source, names);
  if (source.at !== bytes.length)
    throw new Error(`${bytes.length - source.at} bytes are left over`);
  return value;
}

type Source = { readonly view: DataView; at: number };

type Named =
  | { readonly kind: 'record'; readonly fields: { readonly name: string; readonly type: Type }[] }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'fixed'; readonly size: number };

type Type =
  | { readonly kind: 'primitive'; readonly name: string }
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'union'; readonly branches: readonly Type[] }
  | { readonly kind: 'array' | 'map'; readonly of: Type };

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];

function define(schema: unknown, namespace: string, names: Map<string, Named>): Type {
  if (typeof schema === 'string')
    return primitives.includes(schema)
      ? { kind: 'primitive', name: schema }
      : { kind: 'named', name: qualify(schema, namespace) };
  if (Array.isArray(schema))
    return { kind: 'union', branches: schema.map((branch) => define(branch, namespace, names)) };
  const {
    type,
    name,
    namespace: own,
    items,
    values,
    fields,
    symbols,
    size,
  } = schema as {
    readonly type: unknown;
    readonly name: string;
    readonly namespace?: string;
    readonly items?: unknown;
    readonly values?: unknown;
    readonly fields: readonly { readonly name: string; readonly type: unknown }[];
    readonly symbols: readonly string[];
    readonly size: number;
  };
  if (type === 'array') return { kind: 'array', of: define(items, namespace, names) };
  if (type === 'map') return { kind: 'map', of: define(values, namespace, names) };
  if (type !== 'record' && type !== 'enum' && type !== 'fixed')
    return define(type, namespace, names);
  const full = qualify(name, own ?? namespace);
  if (type === 'enum') names.set(full, { kind: 'enum', symbols });
  if (type === 'fixed') names.set(full, { kind: 'fixed', size });
  if (type === 'record') {
    const inner = full.split('.').slice(0, -1).join('.');
    const record: Named = { kind: 'record', fields: [] };
    names.set(full, record);
    for (const field of fields)
      record.fields.push({ name: field.name, type: define(field.type, inner, names) });
  }
  return { kind: 'named', name: full };
}

const qualify = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

function read(type: Type, source: Source, names: Map<string, Named>): unknown {
  switch (type.kind) {
    case 'primitive':
      return readPrimitive(type.name, source);
    case 'union': {
      const branch = type.branches[Number(readLong(source))];
      if (branch === undefined) throw new Error('the union has no such branch');
      return read(branch, source, names);
    }
    case 'array':
      return readBlocks(source, () => read(type.of, source, names));
    case 'map':
      return new Map(
        readBlocks(source, () => [readString(source), read(type.of, source, names)] as const),
      );
    case 'named':
      return readNamed(names.get(type.name), source, names);
  }
}

function readNamed(named: Named | undefined, source: Source, names: Map<string, Named>): unknown {
  switch (named?.kind) {
    case 'record':
      return Object.fromEntries(
        named.fields.map((field) => [field.name, read(field.type, source, names)]),
      );
    case 'enum':
      return named.symbols[Number(readLong(source))];
    case 'fixed':
      return take(named.size, source);
    case undefined:
      throw new Error('a type is used that the schema does not define');
  }
}

function readPrimitive(name: string, source: Source): unknown {
  switch (name) {
    case 'null':
      return null;
    case 'boolean':
      return take(1, source)[0] === 1;
    case 'int':
    case 'long': {
      const value = readLong(source);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 'float':
      source.at += 4;
      return source.view.getFloat32(source.at - 4, true);
    case 'double':
      source.at += 8;
      return source.view.getFloat64(source.at - 8, true);
    case 'bytes':
      return take(Number(readLong(source)), source);
    case 'string':
      return readString(source);
    default:
      throw new Error(`${name} is no Avro type`);
  }
}

/** Blocks of items until one of none; a negative count is followed by the size of the block in bytes. */
function readBlocks<Item>(source: Source, readItem: () => Item): Item[] {
  const items: Item[] = [];
  for (;;) {
    const count = Number(readLong(source));
    if (count === 0) return items;
    if (count < 0) readLong(source);
    for (let index = 0; index < Math.abs(count); index++) items.push(readItem());
  }
}

const readString = (source: Source): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    take(Number(readLong(source)), source),
  );

/** Base 128, low bits first, then zigzag. */
function readLong(source: Source): bigint {
  let raw = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = source.view.getUint8(source.at++);
    raw |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return (raw >> 1n) ^ -(raw & 1n);
  }
}

function take(length: number, source: Source): Uint8Array {
  const { buffer, byteOffset, byteLength } = source.view;
  if (length < 0 || source.at + length > byteLength) throw new Error('the bytes end too early');
  const piece = new Uint8Array(
    buffer.slice(byteOffset + source.at, byteOffset + source.at + length),
  );
  source.at += length;
  return piece;
}
