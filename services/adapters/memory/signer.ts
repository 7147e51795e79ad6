import { createHash } from 'node:crypto';
import type { Signer } from '../../ports/signer.ts';
import { createSigner } from '../ed25519/signer.ts';

/** A real Ed25519 key that anyone can make again from the seed: for simulation and tests alone. */
export const createMemorySigner = (principal: string, seed: string): Signer =>
  createSigner({ principal, seed: createHash('sha256').update(seed, 'utf8').digest() });
