import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Signer } from '../../ports/signer.ts';
import { pkcs8Of, publicKeyBytes } from './encodings.ts';
import { keyIdFor } from './principal.ts';

export type SigningKey = {
  readonly principal: string;
  /** 32 bytes (RFC 8032). The signer keeps its own copy, out of reach of whoever holds the signer. */
  readonly seed: Uint8Array;
};

/** A signer that can be logged or inspected without showing its key. */
export function createSigner({ principal, seed }: SigningKey): Signer {
  const der = pkcs8Of(seed);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = Uint8Array.from(spki.subarray(-publicKeyBytes));
  return {
    keyId: keyIdFor(principal, publicKey),
    principal,
    algorithm: 'ed25519',
    publicKey,
    sign: async (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}
