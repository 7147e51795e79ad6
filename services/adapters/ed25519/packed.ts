import type { Crypto } from '../../core/markers/crypto.ts';
import type { SignedMessage } from '../../ports/signature-checking.ts';
import { publicKeyBytes, signatureBytes } from './encodings.ts';

const lengthBytes = 4;

/** Signed messages as one buffer of its own, which can be handed to another thread: key, signature, length, message. */
export function packSigned(signed: readonly SignedMessage[]): Uint8Array<ArrayBuffer> {
  const fixed = publicKeyBytes + signatureBytes + lengthBytes;
  const size = signed.reduce((sum, { message }) => sum + fixed + message.length, 0);
  const packed = new Uint8Array(new ArrayBuffer(size));
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { publicKey, message, signature } of signed) {
    packed.set(publicKey, at);
    packed.set(signature, at + publicKeyBytes);
    view.setUint32(at + publicKeyBytes + signatureBytes, message.length);
    packed.set(message, at + fixed);
    at += fixed + message.length;
  }
  return packed;
}

/** One byte for each: 1 where the signature is good. */
export function verifyPacked(crypto: Crypto, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const answers: number[] = [];
  for (let at = 0; at < packed.length;) {
    const publicKey = packed.subarray(at, (at += publicKeyBytes));
    const signature = packed.subarray(at, (at += signatureBytes));
    const length = view.getUint32(at);
    const message = packed.subarray(at + lengthBytes, at + lengthBytes + length);
    at += lengthBytes + length;
    answers.push(crypto.verify('ed25519', publicKey, message, signature) ? 1 : 0);
  }
  return Uint8Array.from(answers);
}
