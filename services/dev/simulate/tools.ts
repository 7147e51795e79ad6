import { openCodec } from '../../adapters/avro/codec.ts';
import { loadSchemas } from '../../adapters/avro/schema-files.ts';
import { createCrypto } from '../../adapters/ed25519/crypto.ts';
import { createText } from '../../adapters/ed25519/text.ts';
import { createMemorySigner } from '../../adapters/memory/signer.ts';
import type { CheckTools } from '../../core/check/check-record.ts';
import type { Signer } from '../../ports/signer.ts';

// What the rules need of the outside, real but remembered: the same bytes are verified, decoded and signed once in
// the life of this process, or a schedule would cost a hundred times as much.

const remembered = <Key extends object, Value>(
  make: (key: Key) => Value,
): ((key: Key) => Value) => {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found.value;
    const value = make(key);
    known.set(key, { value });
    return value;
  };
};

/** Signatures and messages that stay remembered. */
const rememberedMax = 50_000;
/** Texts of rows are long, and mostly of one schedule alone. */
const textsRememberedMax = 3_000;

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

const rememberingTools = (): CheckTools => {
  const codec = openCodec(loadSchemas());
  const crypto = createCrypto();
  const text = createText();
  const verified = new Map<string, boolean>();
  const decoded = remembered(() => new Map<string, ReturnType<typeof codec.decode>>());
  const prefix = remembered((value: Uint8Array) => ({ prefix: codec.prefix(value) }));
  const digests = new Map<string, string>();
  const encoded = new Map<string, Uint8Array>();
  const base64 = new Map<string, Uint8Array | undefined>();
  const utf8 = remembered((value: Uint8Array) => ({ text: text.decodeUtf8(value) }));
  return {
    codec: {
      ...codec,
      decode: (digest, value) => {
        const byDigest = decoded(value);
        const known = byDigest.get(digest);
        if (known !== undefined) return known;
        const answer = codec.decode(digest, value);
        byDigest.set(digest, answer);
        return answer;
      },
      prefix: (value) => prefix(value).prefix,
    },
    crypto: {
      sha256Hex: remembered(crypto.sha256Hex),
      sha256HexOfText: (written) => {
        const known = digests.get(written);
        if (known !== undefined) return known;
        if (digests.size >= textsRememberedMax) digests.clear();
        const digest = crypto.sha256HexOfText(written);
        digests.set(written, digest);
        return digest;
      },
      verify: (algorithm, publicKey, message, signature) => {
        const asked = `${latin1(publicKey)}${latin1(signature)}${latin1(message)}`;
        const known = verified.get(asked);
        if (known !== undefined) return known;
        if (verified.size >= rememberedMax) verified.clear();
        const good = crypto.verify(algorithm, publicKey, message, signature);
        verified.set(asked, good);
        return good;
      },
    },
    text: {
      ...text,
      encodeUtf8: (plain) => {
        const known = encoded.get(plain);
        if (known !== undefined) return known;
        if (encoded.size >= textsRememberedMax) encoded.clear();
        const bytes = text.encodeUtf8(plain);
        encoded.set(plain, bytes);
        return bytes;
      },
      decodeUtf8: (bytes) => utf8(bytes).text,
      decodeBase64: (written) => {
        if (!base64.has(written)) {
          if (base64.size >= rememberedMax) base64.clear();
          base64.set(written, text.decodeBase64(written));
        }
        return base64.get(written);
      },
    },
  };
};

export const tools: CheckTools = rememberingTools();

const signers = new Map<string, Signer>();

/** The key of that name; its principal is the name. Ed25519 signs the same message the same way each time. */
export const signerOf = (name: string): Signer => {
  const known = signers.get(name);
  if (known !== undefined) return known;
  const signer = createMemorySigner(name, `simulation ${name}`);
  const signed = new Map<string, Promise<Uint8Array>>();
  const remembering: Signer = {
    ...signer,
    sign: (message) => {
      const asked = latin1(message);
      const before = signed.get(asked);
      if (before !== undefined) return before;
      if (signed.size >= rememberedMax) signed.clear();
      const signature = signer.sign(message);
      signed.set(asked, signature);
      return signature;
    },
  };
  signers.set(name, remembering);
  return remembering;
};
