import type { Draw } from './draw.ts';
import { base62, base64url, hex, lower, uuid } from './draw.ts';

const words = ['Autumn', 'ferry', 'Harbour', 'pepper', 'Quartz', 'lantern', 'Velvet', 'otter'];

/** Passwords as people and generators make them; none is a word of a manual or a placeholder. */
export function password(draw: Draw): string {
  return draw.pick([
    () => `${draw.pick(words)}${draw.pick(words)}${draw.whole(10, 9999)}`,
    () => `${draw.pick(words)}-${draw.pick(words)}${draw.whole(1, 99)}!`,
    () => draw.chars(base62, draw.whole(14, 24)),
    () => `${draw.chars(base62, 5)}$${draw.chars(base62, 5)}!${draw.chars(base62, 4)}`,
    () => `${draw.chars(lower, 8)}${draw.whole(1, 999)}`,
    () => draw.chars(hex, 32),
    () => draw.chars(base64url, 32),
  ])();
}

/** As {@link password}, of characters that stand in a URL unescaped. */
export function plainPassword(draw: Draw): string {
  return draw.pick([
    () => `${draw.pick(words)}${draw.pick(words)}${draw.whole(10, 9999)}`,
    () => `${draw.pick(words)}-${draw.pick(words)}-${draw.whole(1, 99)}`,
    () => draw.chars(base62, draw.whole(12, 24)),
    () => `${draw.chars(lower, 7)}${draw.whole(1, 999)}`,
    () => draw.chars(hex, 32),
    () => uuid(draw),
  ])();
}
