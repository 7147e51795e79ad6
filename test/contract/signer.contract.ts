import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { inspect } from 'node:util';
import { createCrypto } from '../../services/adapters/ed25519/crypto.ts';
import { keyIdFor } from '../../services/adapters/ed25519/principal.ts';
import type { Signer } from '../../services/ports/signer.ts';

export type OpenedSigner = {
  readonly signer: Signer;
  /** Every spelling in which the private key could show: hex, base64, … */
  readonly secrets: readonly string[];
  /** The same key opened once more. */
  readonly again: () => Promise<Signer>;
};

/** What every signer promises. */
export const signerContract = (name: string, open: () => Promise<OpenedSigner>): void => {
  const { verify } = createCrypto();

  test(`${name}: what it signs, plain Node verifies with its public key`, async () => {
    const { signer } = await open();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (message) => {
        const signature = await signer.sign(message);
        expect(signature).toHaveLength(64);
        expect(verify('ed25519', signer.publicKey, message, signature)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test(`${name}: one bit of message, signature or key changed, and it does not verify`, async () => {
    const { signer } = await open();
    const message = new TextEncoder().encode('planned');
    const signature = await signer.sign(message);
    for (const part of ['message', 'signature', 'publicKey'] as const) {
      const parts = { message, signature, publicKey: signer.publicKey };
      const changed = Uint8Array.from(parts[part]);
      changed[0] = (changed[0] ?? 0) ^ 1;
      const { publicKey, ...rest } = { ...parts, [part]: changed };
      expect(verify('ed25519', publicKey, rest.message, rest.signature)).toBe(false);
    }
  });

  test(`${name}: the same key signs the same bytes the same way`, async () => {
    const { signer, again } = await open();
    const second = await again();
    const message = new Uint8Array([1, 2, 3]);
    expect(second).toMatchObject({ keyId: signer.keyId, principal: signer.principal });
    expect(await second.sign(message)).toEqual(await signer.sign(message));
  });

  test(`${name}: its key id is the one of its principal and public key`, async () => {
    const { signer } = await open();
    expect(signer.algorithm).toBe('ed25519');
    expect(signer.publicKey).toHaveLength(32);
    expect(signer.keyId).toBe(keyIdFor(signer.principal, signer.publicKey));
  });

  test(`${name}: nobody sees the private key by looking at it`, async () => {
    const { signer, secrets } = await open();
    const looks = [
      inspect(signer, { depth: null, showHidden: true, getters: true }),
      JSON.stringify(signer),
      JSON.stringify(Object.getOwnPropertyDescriptors(signer)),
      signer.sign.toString(),
      Buffer.from(signer.publicKey.buffer).toString('hex'), // not in memory that it shares, either
    ];
    expect(secrets.length).toBeGreaterThan(0);
    for (const look of looks) for (const secret of secrets) expect(look).not.toContain(secret);
  });
};

/** The ways in which 32 secret bytes are commonly printed. */
export const spellingsOf = (seed: Uint8Array): readonly string[] => {
  const bytes = Buffer.from(seed);
  return [
    bytes.toString('hex'),
    bytes.toString('base64').slice(0, 40),
    bytes.toString('base64url').slice(0, 40),
    [...bytes].join(', '),
    [...bytes].join(','),
    inspect(bytes).slice('<Buffer '.length, -1),
  ];
};
