import { jsonFieldsIn } from '../json-text.ts';
import type { Text } from '../markers/crypto.ts';
import type { Header, LogRecord } from './record.ts';

// A record as a server-sent event (WHATWG HTML, 9.2): the bytes that were signed, for whoever checks them. Fields of the
// data: position, appendedAtMs; key, value and each header's value in base64.

/** Where a gateway streams records. */
export const streamPath = '/v1/stream';

/** Names of events. `trust`: it lies before what was asked for, and says who may sign. */
export type RecordEventName = 'record' | 'trust';

/** Longer ones nobody sends: 64 KiB of value and as much of headers, in base64 and JSON. */
export const eventLineBytesMax: number = 256 * 1024;

/** `record` moves the reader's last event id on, `trust` does not. */
export const recordEvent = (text: Text, name: RecordEventName, record: LogRecord): string => {
  const data = JSON.stringify({
    position: record.position,
    appendedAtMs: record.appendedAtMs,
    key: text.encodeBase64(record.key),
    headers: record.headers.map((header) => [header.name, text.encodeBase64(header.value)]),
    value: text.encodeBase64(record.value),
  });
  return `${name === 'record' ? `id: ${record.position}\n` : ''}event: ${name}\ndata: ${data}\n\n`;
};

/** The record of an event's data, or undefined: it is none. Nothing of it is believed yet. */
export const readRecordEvent = (text: Text, data: string): LogRecord | undefined => {
  const fields = jsonFieldsIn(data);
  if (fields === undefined) return undefined;
  const { position, appendedAtMs } = fields;
  const key = bytesOf(text, fields['key']);
  const value = bytesOf(text, fields['value']);
  const headers = headersOf(text, fields['headers']);
  if (!isWhole(position) || !isWhole(appendedAtMs)) return undefined;
  if (key === undefined || value === undefined || headers === undefined) return undefined;
  return { position, appendedAtMs, key, headers, value };
};

const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const bytesOf = (text: Text, value: unknown): Uint8Array | undefined =>
  typeof value === 'string' ? text.decodeBase64(value) : undefined;

const headersOf = (text: Text, value: unknown): readonly Header[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const headers: Header[] = [];
  for (const pair of value as readonly unknown[]) {
    const [name, content] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    const bytes = bytesOf(text, content);
    if (typeof name !== 'string' || bytes === undefined) return undefined;
    headers.push({ name, value: bytes });
  }
  return headers;
};
