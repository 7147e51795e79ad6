/** Random choices that are the same for the same seed: no made-up secret is ever stored as text. */
export interface Draw {
  /** A whole number from `least` to `most`, both possible. */
  whole(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
  /** `length` characters of `alphabet`. */
  chars(alphabet: string, length: number): string;
}

export const lower = 'abcdefghijklmnopqrstuvwxyz';
export const upper: string = lower.toUpperCase();
export const digits = '0123456789';
export const hex: string = `${digits}abcdef`;
export const base32: string = `${upper}234567`;
export const base62: string = `${digits}${upper}${lower}`;
export const base64: string = `${base62}+/`;
export const base64url: string = `${base62}-_`;

/** @param seed any text; the same text gives the same choices */
export function drawFrom(seed: string): Draw {
  // FNV-1a over the seed, then mulberry32: both public domain, both a few lines.
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(seed)) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const whole = (least: number, most: number): number =>
    least + Math.floor(next() * (most - least + 1));
  return {
    whole,
    pick: (from) => {
      const picked = from[whole(0, from.length - 1)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
    chars: (alphabet, length) =>
      Array.from({ length }, () => alphabet.charAt(whole(0, alphabet.length - 1))).join(''),
  };
}

export function uuid(draw: Draw): string {
  const part = (length: number): string => draw.chars(hex, length);
  return `${part(8)}-${part(4)}-4${part(3)}-${draw.pick(['8', '9', 'a', 'b'])}${part(3)}-${part(12)}`;
}

/** Random bytes in base64 with its padding. */
export function bytesIn64(draw: Draw, bytes: number): string {
  return Buffer.from(Array.from({ length: bytes }, () => draw.whole(0, 255))).toString('base64');
}

export function jsonIn64Url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
