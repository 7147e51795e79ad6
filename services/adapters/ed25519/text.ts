import type { Text } from '../../core/markers/crypto.ts';

/** UTF-8 and base64 (RFC 4648 section 4, padded). A lone surrogate has no UTF-8 and becomes U+FFFD. */
export function createText(): Text {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return {
    encodeUtf8: (text) => encoder.encode(text),
    decodeUtf8: (bytes) => {
      try {
        return decoder.decode(bytes);
      } catch {
        return undefined;
      }
    },
    encodeBase64,
    decodeBase64,
  };
}

export const encodeBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Node takes nearly any text for base64; only what it would write itself is taken here. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return encodeBase64(bytes) === text ? bytes : undefined;
}
