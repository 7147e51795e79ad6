import { createPublicKey, hash, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Crypto } from '../../core/markers/crypto.ts';
import { publicKeyBytes, signatureBytes, spkiOf } from './encodings.ts';

/** Keys that stay parsed: building one costs about a tenth of a verification. */
const keysKeptMax = 1024;

/**
 * SHA-256 and Ed25519 as this Node has them. Which keys and signatures are too weak to be asked about is
 * the rules' business (core/trust/weak-keys.ts), because libraries differ in it.
 */
export function createCrypto(): Crypto {
  const kept = new Map<string, KeyObject>();

  const keyObject = (publicKey: Uint8Array): KeyObject => {
    const name = Buffer.from(publicKey).toString('latin1');
    const known = kept.get(name);
    if (known !== undefined) return known;
    const key = createPublicKey({ key: spkiOf(publicKey), format: 'der', type: 'spki' });
    if (kept.size >= keysKeptMax) kept.clear();
    kept.set(name, key);
    return key;
  };

  return {
    sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
    sha256HexOfText: (text) => hash('sha256', text, 'hex'),
    verify: (_algorithm, publicKey, message, signature) => {
      if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false;
      try {
        return verify(null, message, keyObject(publicKey), signature);
      } catch {
        return false; // bytes that are no point on the curve
      }
    },
  };
}
