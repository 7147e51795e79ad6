import type { Json } from '../../core/canonical.ts';
import type { Line } from '../../core/views.ts';
import { plainText } from '../terminal/display.ts';
import type { LetterView } from '../reading/reader.ts';

// A dead letter's bytes may be anybody's. They are shown, never interpreted.

const shownBytesMax = 4096;
/** Of a key or of one header; and headers. */
const shownPartBytesMax = 512;
const shownHeadersMax = 40;
const rowBytes = 16;

const utf8 = new TextEncoder();

/**
 * One line for programs: the list's line, and the record's parts in hex (null through a gateway). A header's name is
 * visible ASCII with every other byte as \x and two hex digits.
 */
export const letterLine = ({ letter, record }: LetterView): Line => ({
  ...letter,
  record:
    record === null
      ? null
      : {
          key: hex(record.key),
          headers: record.headers.map(({ name, value }) => ({
            name: ascii(utf8.encode(name)),
            value: hex(value),
          })),
          value: hex(record.value),
        },
});

export const letterText = ({ letter, record }: LetterView): readonly string[] =>
  [...told(letter), ...(record === null ? [notHere] : shown(record))].map(plainText);

const notHere = 'The bytes are on the log; a gateway does not hand them out.';

/** What the list says of it, in sentences where there is more than one word to a field. */
const told = (letter: Line): readonly string[] =>
  Object.entries(letter).flatMap(([name, value]): readonly string[] => {
    if (value === null) return [];
    switch (name) {
      case 'redriven':
        return Array.isArray(value) ? value.map(redrivenText) : [];
      case 'redrives':
        return value === 0 ? [] : [`redrives: ${wordOf(value)}`];
      case 'redriveOf':
        return [`a redrive of: ${wordOf(value)} (plimsoll dead-letters show ${wordOf(value)})`];
      case 'discarded':
        return [discardedText(value)];
      default:
        return [`${name}: ${wordOf(value)}`];
    }
  });

const redrivenText = (value: Json): string => {
  const { position, operation, at, code } = partsOf(value);
  const what = code === null ? 'accepted' : `refused again: ${wordOf(code)}`;
  return `redriven: ${wordOf(at)} to position ${wordOf(position)} by operation ${wordOf(operation)}: ${what}`;
};

const discardedText = (value: Json): string => {
  const { operation, at, signer, reason } = partsOf(value);
  return `discarded: ${wordOf(at)} by ${wordOf(signer)} (operation ${wordOf(operation)}): ${wordOf(reason)}`;
};

const partsOf = (value: Json): { readonly [name: string]: Json } => (isParts(value) ? value : {});

const isParts = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wordOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

const shown = ({ key, headers, value }: NonNullable<LetterView['record']>): readonly string[] => [
  `key (${key.length} bytes): ${cut(key)}`,
  ...headers
    .slice(0, shownHeadersMax)
    .map((header) => `header ${cut(utf8.encode(header.name))}: ${cut(header.value)}`),
  ...more(headers.length - shownHeadersMax, 'headers'),
  `value (${value.length} bytes):`,
  ...hexDump(value.subarray(0, shownBytesMax)),
  ...more(value.length - shownBytesMax, 'bytes'),
];

const more = (left: number, what: string): readonly string[] =>
  left > 0 ? [`… ${left} more ${what}; --json has them all`] : [];

/** A key or header may have a megabyte; its beginning tells what it is. */
const cut = (bytes: Uint8Array): string =>
  ascii(bytes.subarray(0, shownPartBytesMax)) +
  (bytes.length > shownPartBytesMax
    ? ` … ${bytes.length - shownPartBytesMax} more bytes; --json has them all`
    : '');

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Visible ASCII as it is, every other byte as \x and two hex digits. */
const ascii = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');

/** Rows of 16 bytes: offset, hex, and the visible ASCII among them. */
const hexDump = (bytes: Uint8Array): readonly string[] => {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += rowBytes) {
    const row = bytes.subarray(offset, offset + rowBytes);
    const digits = hex(row).replace(/..(?=.)/g, '$& ');
    const visible = Array.from(row, (byte) =>
      byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.',
    ).join('');
    rows.push(
      `  ${offset.toString(16).padStart(6, '0')}  ${digits.padEnd(rowBytes * 3 - 1)}  ${visible}`,
    );
  }
  return rows;
};
