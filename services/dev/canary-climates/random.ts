/** A source of uniform numbers in [0, 1) that gives the same sequence for the same seed. */
export type Random = () => number;

const NORMAL_FROM_MEAN = 50;

/** SplitMix32. `stream` sets apart sequences of one seed. Good for simulation, not for secrets. */
export const seededRandom = (seed: number, stream: number): Random => {
  let state = (mix(seed) ^ mix(stream + 0x51ed270b)) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 2 ** 32;
  };
};

/** How many of `trials` succeed: counts the failures between successes, so rare ones are cheap. */
export const binomial = (random: Random, trials: number, probability: number): number => {
  if (probability <= 0) return 0;
  if (probability >= 1) return trials;
  const logFailure = Math.log1p(-probability);
  let successes = 0;
  let position = -1;
  while (true) {
    position += 1 + Math.floor(Math.log(1 - random()) / logFailure);
    if (position >= trials) return successes;
    successes += 1;
  }
};

/**
 * A Poisson count; from a mean of 50 on a rounded normal one. That is enough for numbers of
 * requests, because the judge takes them as given.
 */
export const poisson = (random: Random, mean: number): number => {
  if (mean >= NORMAL_FROM_MEAN) {
    const normal =
      Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) * Math.sqrt(mean);
    return Math.max(0, Math.round(mean + normal));
  }
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
};

const mix = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};
