// Chance that comes out the same every time, for corpora.

export type Draw = {
  /** A whole number below `count`. */
  readonly below: (count: number) => number;
  readonly one: <Item>(items: readonly Item[]) => Item;
  /** So many characters of an alphabet. */
  readonly text: (length: number, alphabet?: string) => string;
};

export const digits = '0123456789';
export const hex: string = `${digits}abcdef`;
export const lower = 'abcdefghijklmnopqrstuvwxyz';
export const upper: string = lower.toUpperCase();
export const words: string = `${upper}${lower}${digits}`;
export const base64url: string = `${words}-_`;
export const base64: string = `${words}+/`;

/** Mulberry32. */
export const drawn = (seed: number): Draw => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    below,
    one: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('nothing to draw from');
      return item;
    },
    text: (length, alphabet = words) =>
      Array.from({ length }, () => alphabet[below(alphabet.length)]).join(''),
  };
};
