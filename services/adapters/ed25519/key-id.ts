import { hash } from 'node:crypto';

const ed25519KeyType = 0x01;

/**
 * 16 hex digits: the first 8 bytes of SHA-256 over principal, line feed, key type and public key, as in the
 * signed notes of C2SP. A hint for whoever looks a key up, never a proof.
 */
export function keyIdOf(principal: string, publicKey: Uint8Array): string {
  const head = Buffer.from(`${principal}\n`, 'utf8');
  return hash(
    'sha256',
    Buffer.concat([head, Buffer.from([ed25519KeyType]), publicKey]),
    'hex',
  ).slice(0, 16);
}

const principalMax = 128;

/** Printable ASCII without spaces: a line feed would make two principals share a key id. */
export const isPrincipal = (name: string): boolean =>
  name.length <= principalMax && /^[\x21-\x7e]+$/.test(name);
