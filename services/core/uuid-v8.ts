/** SHA-256 of the UTF-8 of a text, 64 hex digits. */
export type TextDigest = (text: string) => string;

/** The first 128 bits of a digest (hex) as a UUIDv8 (RFC 9562), lower case. */
export const uuidV8 = (digestHex: string): string => {
  const variant = (Number.parseInt(digestHex.slice(16, 17), 16) & 0x3) | 0x8;
  return [
    digestHex.slice(0, 8),
    digestHex.slice(8, 12),
    `8${digestHex.slice(13, 16)}`,
    `${variant.toString(16)}${digestHex.slice(17, 20)}`,
    digestHex.slice(20, 32),
  ].join('-');
};

/** The UUIDv8 of a list of texts. Each is led by its length, so no two lists run into one another. */
export const uuidOfParts = (digest: TextDigest, parts: readonly string[]): string =>
  uuidV8(digest(parts.map((part) => `${part.length}:${part}`).join('')));
