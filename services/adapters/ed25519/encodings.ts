export const publicKeyBytes = 32;
export const signatureBytes = 64;
export const seedBytes = 32;

// RFC 8410: what stands before the 32 bytes in the DER of every Ed25519 key.
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/** SubjectPublicKeyInfo (DER) of a raw public key. */
export const spkiOf = (publicKey: Uint8Array): Buffer => Buffer.concat([spkiHead, publicKey]);

/** PrivateKeyInfo (DER) of a seed (RFC 8032, 5.1.5). */
export const pkcs8Of = (seed: Uint8Array): Buffer => Buffer.concat([pkcs8Head, seed]);

/** The seed inside a PrivateKeyInfo, or undefined where it is not of an Ed25519 key in this one form. */
export function seedOf(pkcs8: Uint8Array): Uint8Array | undefined {
  const isOurs =
    pkcs8.length === pkcs8Head.length + seedBytes &&
    pkcs8Head.equals(pkcs8.subarray(0, pkcs8Head.length));
  return isOurs ? pkcs8.subarray(pkcs8Head.length) : undefined;
}
