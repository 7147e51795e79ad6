import type { Generation } from '../../ports/read-model-store.ts';

/** The names of everything one audience keeps in Redis. All share one hash tag, so one script may touch them all. */
export type Keys = {
  /** String: the generation that readers use. */
  readonly current: string;
  /** Set: the generations that stand here. */
  readonly generations: string;
  /** Hash: what stands beside the generations, by its key. */
  readonly aside: string;
  /** Sorted set of those keys, all with score 0. */
  readonly asideOrder: string;
  /** Hash: `checkpointFields`. */
  readonly checkpoint: (generation: Generation) => string;
  /** Set: the read models that have, or had, rows. */
  readonly models: (generation: Generation) => string;
  /** Hash: row key to row. */
  readonly rows: (generation: Generation, model: string) => string;
  /**
   * Hash: of the small rows of a model, each owner's number and count (see small-rows.ts). Its buckets are hashes
   * under its name, with number and bucket behind it.
   */
  readonly small: (generation: Generation, model: string) => string;
  /** Sorted set of the row keys, all with score 0, so that Redis sorts them by their bytes. */
  readonly order: (generation: Generation, model: string) => string;
};

export function keysOf(prefix: string, audience: string): Keys {
  // Percent-encoded, so that no name can end the hash tag or be taken for two names.
  const tag = `{${encodeURIComponent(prefix)}:${encodeURIComponent(audience)}}`;
  const under = (generation: Generation): string => `${tag}:${encodeURIComponent(generation)}`;
  return {
    current: `${tag}:current`,
    generations: `${tag}:generations`,
    // No generation's keys begin so: what follows the tag there has a part of its own behind it.
    aside: `${tag}:aside`,
    asideOrder: `${tag}:aside-order`,
    checkpoint: (generation) => `${under(generation)}:checkpoint`,
    models: (generation) => `${under(generation)}:models`,
    rows: (generation, model) => `${under(generation)}:rows:${encodeURIComponent(model)}`,
    small: (generation, model) => `${under(generation)}:small:${encodeURIComponent(model)}`,
    order: (generation, model) => `${under(generation)}:order:${encodeURIComponent(model)}`,
  };
}
