import type { Line } from '../core/views.ts';
import { plainText } from './display.ts';
import type { LetterView } from './reader.ts';

// A dead letter's bytes may be anybody's. They are shown, never interpreted.

const shownBytesMax = 4096;
const rowBytes = 16;

/** One line for programs: the list's line, and the record's parts in hex (null through a gateway). */
export const letterLine = ({ letter, record }: LetterView): Line => ({
  ...letter,
  record:
    record === null
      ? null
      : {
          key: hex(record.key),
          headers: record.headers.map(({ name, value }) => ({ name, value: hex(value) })),
          value: hex(record.value),
        },
});

export const letterText = ({ letter, record }: LetterView): readonly string[] => {
  const told = Object.entries(letter).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`],
  );
  return [
    ...told,
    ...(record === null
      ? ['The bytes are on the log; a gateway does not hand them out.']
      : [
          `key (${record.key.length} bytes): ${ascii(record.key)}`,
          ...record.headers.map(({ name, value }) => `header ${name}: ${ascii(value)}`),
          `value (${record.value.length} bytes):`,
          ...hexDump(record.value.subarray(0, shownBytesMax)),
          ...(record.value.length > shownBytesMax
            ? [`… ${record.value.length - shownBytesMax} more bytes; --json has them all`]
            : []),
        ]),
  ].map(plainText);
};

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
