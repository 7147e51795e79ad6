import type { Header, NewRecord } from '../log/record.ts';
import type { Result } from '../result.ts';
import { fail, ok } from '../result.ts';
import type { Text } from './crypto.ts';
import type { Kind } from './marker.ts';
import { headerNames } from './wire.ts';

// A signed record over HTTP: CloudEvents 1.0, HTTP protocol binding, binary mode. The body is the Avro body.

/** Where a gateway takes signed markers. */
export const markersPath = '/v1/markers';

/** How many milliseconds the sender waits for the answer: one that comes later is none. */
export const withinHeader = 'plimsoll-within';

/** The id of the log that the sender means (PLIMSOLL_LOG_ID): a gateway of another one refuses. */
export const logHeader = 'plimsoll-log';

/** The code of a gateway's no, as a header: by it a client knows that no proxy in between has said it. */
export const codeHeader = 'plimsoll-code';

/** What a gateway answers to a marker, and what an emitting command prints with --json. */
export type Receipt = {
  /** Null for a change of trust, which is about no deployment. */
  readonly deployment: string | null;
  /** Null where nobody can say yet. */
  readonly attempt: number | null;
  readonly marker: string;
  readonly kind: Kind;
  readonly delivery: 'stored' | 'spooled' | 'refused' | 'duplicate';
  /** What there is to say about it, for instance the code of a refusal. */
  readonly code: string | null;
  readonly position: number | null;
};

/** The record's key, which Kafka has a place for and HTTP has not. */
const keyHeader = 'plimsoll-key';

/** By their names in a record; over HTTP the `ce_` ones begin with `ce-`. */
const carried: readonly string[] = Object.values(headerNames);

/** HTTP names are lower case, values are visible ASCII (percent-encoded as the binding says). */
export const toHttp = (
  text: Text,
  record: NewRecord,
): { readonly headers: { readonly [name: string]: string }; readonly body: Uint8Array } => {
  const headers = record.headers.map(({ name, value }): readonly [string, string] => [
    httpName(name),
    encodeValue(name, readUtf8(text, value)),
  ]);
  return {
    headers: {
      ...Object.fromEntries(headers),
      [keyHeader]: percentEncode(readUtf8(text, record.key)),
    },
    body: record.value,
  };
};

export type HttpWireProblem = {
  readonly code: 'header-missing' | 'header-malformed';
  readonly message: string;
};

/** The record that was sent. Sizes and content are for the checks of a record: nothing is believed here. */
export const fromHttp = (
  text: Text,
  header: (name: string) => string | undefined,
  body: Uint8Array,
): Result<NewRecord, HttpWireProblem> => {
  const encodedKey = header(keyHeader);
  if (encodedKey === undefined)
    return fail({ code: 'header-missing', message: `the header ${keyHeader} must be there` });
  const key = percentDecode(encodedKey);
  if (key === undefined) return malformed(keyHeader);
  const headers: Header[] = [];
  for (const name of carried) {
    const sent = header(httpName(name));
    if (sent === undefined) continue;
    const value = decodeValue(name, sent);
    if (value === undefined) return malformed(httpName(name));
    headers.push({ name, value: text.encodeUtf8(value) });
  }
  return ok({ key: text.encodeUtf8(key), headers, value: body });
};

const httpName = (name: string): string => name.replace(/^ce_/, 'ce-');

// The binding encodes the attributes of the event; the content type is one that other tools must see as it is.
const encodeValue = (name: string, value: string): string =>
  name === headerNames.contentType ? value : percentEncode(value);

const decodeValue = (name: string, value: string): string | undefined =>
  name === headerNames.contentType ? value : percentDecode(value);

/** Space, double quote, percent and all that is not visible ASCII (CloudEvents HTTP binding, 3.1.3.2). */
const percentEncode = (value: string): string =>
  value.replace(/[^\u0021\u0023\u0024\u0026-\u007e]+/g, (run) =>
    encodeURIComponent(run.toWellFormed()),
  );

const percentDecode = (value: string): string | undefined => {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
};

const readUtf8 = (text: Text, bytes: Uint8Array): string => {
  const content = text.decodeUtf8(bytes);
  if (content === undefined) throw new TypeError('a record of ours has UTF-8 headers');
  return content;
};

const malformed = (name: string): Result<never, HttpWireProblem> =>
  fail({ code: 'header-malformed', message: `the header ${name} is not percent-encoded UTF-8` });
