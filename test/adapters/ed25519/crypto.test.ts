import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCrypto } from '../../../services/adapters/ed25519/crypto.ts';
import { createSigner } from '../../../services/adapters/ed25519/signer.ts';

const crypto = createCrypto();
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('Ed25519', () => {
  // RFC 8032, 7.1, tests 2 and 3.
  test.each([
    {
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
    {
      seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature:
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    },
  ])('signs and verifies as RFC 8032 shows for the message $message', async (vector) => {
    const signer = createSigner({ principal: 'rfc', seed: bytesOf(vector.seed) });
    const message = bytesOf(vector.message);
    expect(signer.publicKey).toEqual(bytesOf(vector.publicKey));
    expect(await signer.sign(message)).toEqual(bytesOf(vector.signature));
    expect(crypto.verify('ed25519', signer.publicKey, message, bytesOf(vector.signature))).toBe(
      true,
    );
  });

  test('refuses the twin of a signature, S plus the order of the group', async () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const signer = createSigner({ principal: 'a', seed: new Uint8Array(32).fill(1) });
    const message = new Uint8Array([1]);
    const signature = Buffer.from(await signer.sign(message));
    const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`);
    const twin = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').toReversed();
    const forged = Buffer.concat([signature.subarray(0, 32), twin]);
    expect(crypto.verify('ed25519', signer.publicKey, message, signature)).toBe(true);
    expect(crypto.verify('ed25519', signer.publicKey, message, forged)).toBe(false);
  });

  test('answers false to any bytes of any length, and never throws', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 70 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
    );
    fc.assert(
      fc.property(bytes, bytes, bytes, (publicKey, message, signature) => {
        expect(crypto.verify('ed25519', publicKey, message, signature)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('stays right when it has seen more keys than it keeps', async () => {
    const message = new Uint8Array([7]);
    const signers = Array.from({ length: 1100 }, (_, index) => {
      const seed = new Uint8Array(32);
      new DataView(seed.buffer).setUint32(0, index);
      return createSigner({ principal: 'p', seed });
    });
    const first = signers[0];
    if (first === undefined) throw new Error('no signer');
    const signature = await first.sign(message);
    const answers = signers.map(({ publicKey }) =>
      crypto.verify('ed25519', publicKey, message, signature),
    );
    expect(answers.filter(Boolean)).toEqual([true]);
    expect(answers[0]).toBe(true);
    expect(crypto.verify('ed25519', first.publicKey, message, signature)).toBe(true);
  });
});

test('SHA-256 is the one of FIPS 180', () => {
  expect(crypto.sha256Hex(new TextEncoder().encode('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});
