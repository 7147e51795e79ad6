import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { Signer } from '../../ports/signer.ts';
import { pkcs8Of } from './encodings.ts';
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
  // As a JSON Web Key (RFC 8037), because DER makes OpenSSL load its encoders: a millisecond of a command's start.
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = Uint8Array.from(Buffer.from(x, 'base64url'));
  return {
    keyId: keyIdFor(principal, publicKey),
    principal,
    algorithm: 'ed25519',
    publicKey,
    sign: async (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}
