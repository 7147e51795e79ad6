import type { Header, NewRecord } from '../log/record.ts';
import type { JsonFields } from '../json-text.ts';
import { isJsonFields, jsonFieldsIn } from '../json-text.ts';
import type { Crypto, Text } from '../markers/crypto.ts';
import {
  headerBytesMax,
  headersMax,
  keyBytesMax,
  valueBytesMax,
  waitedMsMax,
} from '../markers/limits.ts';
import { headerNames } from '../markers/wire.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';

// A signed marker that could not be delivered, as it lies in a spool or stands in the log of a CI job: one line of JSON
// (all but the value), a line feed, and the value's bytes.

/** Which stream it goes to. */
export type SpooledTo = 'log';

/** A reading of the machine's clocks. */
export type SpoolTime = {
  /** Milliseconds since 1970 by the wall clock, which may be set. */
  readonly wallMs: number;
  /** The run of the machine since its last start, and milliseconds since then, which nobody sets; null: not known. */
  readonly boot: { readonly id: string; readonly ms: number } | null;
};

/** Why somebody would not take it. */
export type SpoolRefusal = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
};

/** What a spool keeps. The record's bytes and signature are those of the first try, and stay so. */
export type SpooledMarker = {
  readonly to: SpooledTo;
  /** The log that it was kept for, as people are told. */
  readonly destination: string;
  /** When it was laid down. */
  readonly at: SpoolTime;
  /** Null for what is about no deployment. */
  readonly deployment: string | null;
  readonly record: NewRecord;
  readonly refusal: SpoolRefusal | null;
};

/** Of the line of JSON: key and headers at their largest, each character escaped, and room for the rest. */
const headBytesMax = 6 * (keyBytesMax + headersMax * headerBytesMax) + 32 * 1024;
/** The largest that is read. */
export const spooledBytesMax: number = headBytesMax + 1 + valueBytesMax;

const version = 1;
const lineFeed = 0x0a;

export type SpoolTools = { readonly text: Text; readonly crypto: Pick<Crypto, 'sha256Hex'> };

/** The bytes of a file of a spool. */
export const encodeSpooled = ({ text, crypto }: SpoolTools, spooled: SpooledMarker): Uint8Array => {
  const { to, destination, at, deployment, record, refusal } = spooled;
  const read = (bytes: Uint8Array): string => {
    const content = text.decodeUtf8(bytes);
    if (content === undefined) throw new TypeError('a record of ours has UTF-8 headers');
    return content;
  };
  const head = text.encodeUtf8(
    `${JSON.stringify({
      v: version,
      to,
      for: destination,
      at,
      deployment,
      key: read(record.key),
      headers: record.headers.map(({ name, value }) => [name, read(value)]),
      bytes: record.value.length,
      digest: crypto.sha256Hex(record.value),
      ...(refusal === null ? {} : { refusal }),
    })}\n`,
  );
  const bytes = new Uint8Array(head.length + record.value.length);
  bytes.set(head);
  bytes.set(record.value, head.length);
  return bytes;
};

export type SpoolDamage = { readonly code: 'spool-damaged'; readonly message: string };

/**
 * What such bytes hold. Nothing in them is believed but their form: whoever takes the record checks its signature.
 * Bytes that were cut off or changed are `spool-damaged`.
 */
export const decodeSpooled = (
  { text, crypto }: SpoolTools,
  bytes: Uint8Array,
): Result<SpooledMarker, SpoolDamage> => {
  if (bytes.length > spooledBytesMax) return damaged('it is too large');
  const end = bytes.indexOf(lineFeed);
  if (end < 0) return damaged('it has no line of JSON');
  const head = jsonFieldsIn(text.decodeUtf8(bytes.subarray(0, end)) ?? '');
  if (head === undefined) return damaged('its first line is no JSON object');
  if (head['v'] !== version)
    return damaged(`its version is not ${version}: a newer release may read it`);
  const value = bytes.slice(end + 1);
  if (head['bytes'] !== value.length || head['digest'] !== crypto.sha256Hex(value))
    return damaged('it was cut off or changed');
  const at = readTime(head['at']);
  const record = readRecord(text, head, value);
  const { to, deployment, for: destination } = head;
  const refusal = head['refusal'] === undefined ? null : readRefusal(head['refusal']);
  return at === undefined ||
    record === undefined ||
    refusal === undefined ||
    to !== 'log' ||
    typeof destination !== 'string' ||
    !(deployment === null || typeof deployment === 'string')
    ? damaged('a field of it is missing or of another kind')
    : ok({ to, destination, at, deployment, record, refusal });
};

const readTime = (given: unknown): SpoolTime | undefined => {
  if (!isJsonFields(given) || !isTime(given['wallMs'])) return undefined;
  const { wallMs, boot } = given;
  if (boot === null) return { wallMs, boot: null };
  return isJsonFields(boot) && typeof boot['id'] === 'string' && isTime(boot['ms'])
    ? { wallMs, boot: { id: boot['id'], ms: boot['ms'] } }
    : undefined;
};

const isTime = (given: unknown): given is number =>
  typeof given === 'number' && Number.isFinite(given) && given >= 0;

const readRecord = (text: Text, head: JsonFields, value: Uint8Array): NewRecord | undefined => {
  const { key, headers: given } = head;
  if (typeof key !== 'string' || !Array.isArray(given) || given.length > headersMax)
    return undefined;
  const headers: Header[] = [];
  for (const header of given as readonly unknown[]) {
    const [name, content] = Array.isArray(header) ? (header as readonly unknown[]) : [];
    if (typeof name !== 'string' || typeof content !== 'string') return undefined;
    headers.push({ name, value: text.encodeUtf8(content) });
  }
  return { key: text.encodeUtf8(key), headers, value };
};

const readRefusal = (given: unknown): SpoolRefusal | undefined => {
  if (!isJsonFields(given)) return undefined;
  const { code, message, hint } = given;
  return typeof code === 'string' && typeof message === 'string' && typeof hint === 'string'
    ? { code, message, hint }
    : undefined;
};

const damaged = (why: string): Result<never, SpoolDamage> =>
  fail({ code: 'spool-damaged', message: `it holds no marker: ${why}` });

/** Marker id and kind, as the record's headers name them: to be shown, never believed. */
export const labelOf = (
  text: Text,
  { headers }: NewRecord,
): { readonly marker: string; readonly kind: string } => {
  const read = (wanted: string): string => {
    const header = headers.find(({ name }) => name === wanted);
    return header === undefined ? '' : (text.decodeUtf8(header.value) ?? '');
  };
  return {
    marker: read(headerNames.id),
    kind: /^plimsoll\.([a-z-]+)\.v[0-9]+$/.exec(read(headerNames.type))?.[1] ?? '',
  };
};

/** What a marker that is delivered late at least waited: what did not wait is judged as if it were new. */
const waitedMsMin = 1;

/**
 * Milliseconds that it lay, from 1 on. While the machine was not started anew that is by the clock that nobody sets, else
 * by the wall clock; where that was set back it is the least, for how long it was nobody knows.
 */
export const waitedSince = (from: SpoolTime, now: SpoolTime): number => {
  const isSameRun = from.boot !== null && from.boot.id === now.boot?.id;
  const ms =
    isSameRun && from.boot !== null && now.boot !== null
      ? now.boot.ms - from.boot.ms
      : now.wallMs - from.wallMs;
  return Math.max(waitedMsMin, Math.round(ms));
};

/** Whether it waited for so long that no log takes it. */
export const isTooOld = (waitedMs: number): boolean => waitedMs > waitedMsMax;
