/** Signs with one key. It never hands the private key out, and its logs and errors never contain it. */
export type Signer = {
  /** 16 hex digits: a hint for whoever verifies. */
  readonly keyId: string;
  readonly principal: string;
  readonly algorithm: 'ed25519';
  /** 32 bytes for Ed25519. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. Deterministic for Ed25519. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
};
