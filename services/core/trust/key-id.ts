import type { Crypto, Text } from '../markers/crypto.ts';

const ed25519TypeByte = 0x01;

/**
 * A key's id: the first 8 bytes, hex, of SHA-256 over principal, newline, algorithm byte and public key, after
 * C2SP signed notes. A hint to find the key by; it decides nothing.
 */
export const keyIdOf = (
  crypto: Crypto,
  text: Text,
  principal: string,
  publicKey: Uint8Array,
): string =>
  crypto
    .sha256Hex(new Uint8Array([...text.encodeUtf8(principal), 0x0a, ed25519TypeByte, ...publicKey]))
    .slice(0, 16);
