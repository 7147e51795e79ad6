/** A signature and what it must be of. Ed25519: 32 bytes of key, 64 of signature. */
export type SignedMessage = {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

/**
 * Checks many signatures, on as many cores as it was given beside the one that asks. Its answers are those of
 * `Crypto.verify`, one each, in order. It never rejects, and what it holds keeps no process alive.
 */
export type SignatureChecking = {
  readonly verifyAll: (signed: readonly SignedMessage[]) => Promise<readonly boolean[]>;
  /** Ends what runs beside. Who asks afterwards is answered all the same, by the asking thread alone. */
  readonly close: () => Promise<void>;
};
