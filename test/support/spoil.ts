import type { NewRecord } from '../../services/core/log/record.ts';

// What happens to a record on its way.

const utf8 = new TextEncoder();

export const headerText = (record: NewRecord, name: string): string => {
  const header = record.headers.find((other) => other.name === name);
  return header === undefined ? '' : new TextDecoder().decode(header.value);
};

export const withHeader =
  (name: string, content: string | Uint8Array) =>
  (record: NewRecord): NewRecord => {
    const value = typeof content === 'string' ? utf8.encode(content) : content;
    const headers = record.headers.some((header) => header.name === name)
      ? record.headers.map((header) => (header.name === name ? { name, value } : header))
      : [...record.headers, { name, value }];
    return { ...record, headers };
  };

export const withoutHeader =
  (name: string) =>
  (record: NewRecord): NewRecord => ({
    ...record,
    headers: record.headers.filter((header) => header.name !== name),
  });

export const withHeaderTwice =
  (name: string) =>
  (record: NewRecord): NewRecord => ({
    ...record,
    headers: record.headers.flatMap((header) =>
      header.name === name ? [header, header] : [header],
    ),
  });

export const withKey =
  (key: string) =>
  (record: NewRecord): NewRecord => ({ ...record, key: utf8.encode(key) });

export const withValue =
  (change: (value: Uint8Array) => Uint8Array) =>
  (record: NewRecord): NewRecord => ({ ...record, value: change(record.value) });

export const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};
