import type { WriteOtlpStatus } from '../../ports/otlp.ts';

/** google.rpc.Status: tags of field number and wire type. */
const CODE_TAG = (1 << 3) | 0;
const MESSAGE_TAG = (2 << 3) | 2;

const MESSAGE_CHARS_MAX = 1000;

/** The body that OTLP/HTTP asks for with every answer of 4xx and 5xx. */
export const encodeStatus: WriteOtlpStatus = (contentType, code, message) => {
  const short = message.slice(0, MESSAGE_CHARS_MAX).toWellFormed();
  switch (contentType) {
    case 'application/json':
      return Buffer.from(JSON.stringify({ code, message: short }));
    case 'application/x-protobuf': {
      const text = Buffer.from(short);
      return Uint8Array.from([CODE_TAG, code, MESSAGE_TAG, ...varint(text.length), ...text]);
    }
  }
};

/** For a length below 2^14: a message of `MESSAGE_CHARS_MAX` characters has at most 3000 bytes. */
const varint = (value: number): readonly number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
