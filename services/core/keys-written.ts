/** Keys of rows that were written: of a key that was not, it nearly always knows so, and nobody need look for its row. */
export type KeysWritten = {
  readonly add: (key: string) => void;
  /** False: it was not added. True: perhaps it was. */
  readonly mayHave: (key: string) => boolean;
  /** More were added than it can tell apart: perhaps it has any key. */
  readonly isFull: () => boolean;
};

const wordBits = 32;
const bitsPerKey = 12;
/** Bits that a key sets: of a hundred other keys about one finds all of its own set. */
const probes = 4;
const firstBits = 2 ** 16;
const growth = 8;
/** 8 KiB, 64 KiB, half a MiB, 4 MiB. */
const layersMax = 4;

/** So many keys it can tell apart; of more than that it knows nothing. */
export const keysWrittenMax: number = Array.from({ length: layersMax }, (_, layer) =>
  keysOf(bitsOf(layer)),
).reduce((sum, keys) => sum + keys, 0);

/**
 * Bloom filters (Bloom 1970), each larger than the one before, for as many keys as come (Almeida, Baquero, Preguiça and
 * Hutchison 2007). A key's hash and a second one step through a filter (Kirsch and Mitzenmacher 2006).
 */
export const createKeysWritten = (): KeysWritten => {
  const layers: Uint32Array[] = [];
  let room = 0;
  let isFull = false;
  const grow = (): void => {
    const bits = bitsOf(layers.length);
    isFull = layers.length === layersMax;
    if (isFull) layers.length = 0;
    else layers.push(new Uint32Array(bits / wordBits));
    room = keysOf(bits);
  };
  return {
    add: (key) => {
      if (isFull) return;
      if (room === 0) grow();
      room -= 1;
      const layer = layers.at(-1);
      if (layer !== undefined) set(layer, hashOf(key));
    },
    mayHave: (key) => {
      if (isFull) return true;
      const hash = hashOf(key);
      for (const layer of layers) if (isSet(layer, hash)) return true;
      return false;
    },
    isFull: () => isFull,
  };
};

function bitsOf(layer: number): number {
  return firstBits * growth ** layer;
}

function keysOf(bits: number): number {
  return Math.floor(bits / bitsPerKey);
}

const set = (layer: Uint32Array, hash: number): void => {
  const step = mixed(hash) | 1;
  const mask = layer.length * wordBits - 1;
  for (let probe = 0, at = hash; probe < probes; probe++, at = (at + step) | 0) {
    const bit = at & mask;
    layer[bit >>> 5] = (layer[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }
};

const isSet = (layer: Uint32Array, hash: number): boolean => {
  const step = mixed(hash) | 1;
  const mask = layer.length * wordBits - 1;
  for (let probe = 0, at = hash; probe < probes; probe++, at = (at + step) | 0) {
    const bit = at & mask;
    if (((layer[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
};

/** FNV-1a, mixed. */
const hashOf = (key: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return mixed(hash);
};

/** The end of MurmurHash3 (Appleby), 32 bits. */
const mixed = (hash: number): number => {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
};
