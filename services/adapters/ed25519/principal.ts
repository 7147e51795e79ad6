import { keyIdOf } from '../../core/trust/key-id.ts';
import { createCrypto } from './crypto.ts';
import { createText } from './text.ts';

const crypto = createCrypto();
const text = createText();

/** The id of a key that this principal signs with: 16 hex digits. */
export const keyIdFor = (principal: string, publicKey: Uint8Array): string =>
  keyIdOf(crypto, text, principal, publicKey);

const principalMax = 128;

/** Printable ASCII without spaces: a line feed would make two principals share a key id. */
export const isPrincipal = (name: string): boolean =>
  name.length <= principalMax && /^[\x21-\x7e]+$/.test(name);
