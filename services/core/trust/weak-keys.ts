/**
 * The 14 encodings of Ed25519 points of low order, canonical and not. A signature under such a key, or with such
 * an R, can be good for messages that nobody signed, and libraries differ in which they take.
 */
const lowOrderEncodings: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));

/** Whether a public key (32 bytes) must never be trusted: low order, or y not below the field's prime. */
export const isWeakPublicKey = (publicKey: Uint8Array): boolean => isWeakPoint(publicKey);

/** Whether a signature's R (its first 32 bytes) is a point of low order or not canonical. */
export const isWeakSignature = (signature: Uint8Array): boolean => isWeakPoint(signature);

/** Of the first 32 bytes. Asked for every record, and nearly always the first byte answers. */
const isWeakPoint = (encoded: Uint8Array): boolean =>
  lowOrderEncodings.some((low) => beginsWith(encoded, low)) || !isCanonicalY(encoded);

const beginsWith = (bytes: Uint8Array, beginning: Uint8Array): boolean => {
  for (let index = 0; index < beginning.length; index++)
    if (bytes[index] !== beginning[index]) return false;
  return true;
};

/** y < p = 2^255 - 19, little endian, the top bit being the sign of x (RFC 8032, 5.1.3). */
const isCanonicalY = (encoded: Uint8Array): boolean => {
  if (((encoded[31] ?? 0) & 0x7f) !== 0x7f) return true;
  for (let index = 30; index > 0; index--) if (encoded[index] !== 0xff) return true;
  return (encoded[0] ?? 0) < 0xed;
};
