import type { Random } from '../canary-climates/random.ts';

/**
 * The uniform numbers of one run: the same for the same seed, name and run, and apart from those of any other. This
 * is Chris Doty-Humphrey's sfc32 (128 bits of state): a campaign takes some 10^10 numbers, which a generator with 32
 * bits would repeat.
 */
export const randomOf = (seed: number, name: string, run: number): Random => {
  let a = seed | 0;
  let b = hashOf(name);
  let c = run | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
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
