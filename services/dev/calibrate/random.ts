import type { Random } from '../canary-climates/random.ts';

/**
 * The uniform numbers of one run: the same for the same seed, name and run, and apart from those of any other. This
 * is Chris Doty-Humphrey's sfc32 (128 bits of state): a campaign takes some 10^10 numbers, which a generator with 32
 * bits would repeat.
 */
export const randomOf = (seed: number, name: string, run: number): Random => {
  // Of 32 bits each: what does not fit into a small integer would be put on the heap with every number.
  const state = Int32Array.of(seed, hashOf(name), run, 1);
  const next = (): number => {
    const b = state[1] ?? 0;
    const c = state[2] ?? 0;
    const counter = state[3] ?? 0;
    const sum = ((state[0] ?? 0) + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    state[3] = (counter + 1) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < MIXING_ROUNDS; round += 1) next();
  return next;
};

/** A standard normal number (Box and Muller). */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** A number that remembers itself for so many steps, standard normal at every one of them. */
export const wandering = (random: Random, memorySteps: number): (() => number) => {
  const kept = Math.exp(-1 / memorySteps);
  const renewed = Math.sqrt(1 - kept * kept);
  let value = normal(random);
  return () => {
    const before = value;
    value = kept * value + renewed * normal(random);
    return before;
  };
};

const MIXING_ROUNDS = 15;

/** FNV-1a, 32 bits. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return hash | 0;
};
