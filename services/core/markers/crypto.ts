/** What the rules need of cryptography, passed in so that they stay pure. */
export type Crypto = {
  /** SHA-256, 64 hex digits. */
  readonly sha256Hex: (bytes: Uint8Array) => string;
  /** The same of a text's UTF-8 bytes. */
  readonly sha256HexOfText: (text: string) => string;
  /** Whether the signature is good. Never throws, whatever the bytes. */
  readonly verify: (
    algorithm: 'ed25519',
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ) => boolean;
};

/** UTF-8 and base64, passed in for the same reason. Both are strict: what does not round-trip is undefined. */
export type Text = {
  readonly encodeUtf8: (text: string) => Uint8Array;
  readonly decodeUtf8: (bytes: Uint8Array) => string | undefined;
  readonly encodeBase64: (bytes: Uint8Array) => string;
  readonly decodeBase64: (text: string) => Uint8Array | undefined;
};
