import type { Ids } from '../../ports/ids.ts';

const counterMax = 0xfff;
const counterStartMask = 0x7ff;

/**
 * UUIDv7 in rising order within this maker, also when the clock stands still or steps back: the 12 bits
 * after the time are a counter that begins at a random place in its lower half and borrows a millisecond
 * when it is full (RFC 9562, 6.2, method 1). The 62 bits after it are random each time.
 */
export function createIds(from: {
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}): Ids {
  let timeMs = 0;
  let counter = counterMax;
  return {
    uuidV7: () => {
      const bytes = new DataView(new ArrayBuffer(16));
      from.randomBytes(10).forEach((byte, index) => bytes.setUint8(6 + index, byte));
      const nowMs = from.nowMs();
      if (nowMs > timeMs || counter === counterMax) {
        timeMs = Math.max(nowMs, timeMs + 1);
        counter = bytes.getUint16(6) & counterStartMask;
      } else {
        counter += 1;
      }
      bytes.setUint16(0, Math.floor(timeMs / 2 ** 32));
      bytes.setUint32(2, timeMs % 2 ** 32);
      bytes.setUint16(6, 0x7000 | counter);
      bytes.setUint8(8, 0x80 | (bytes.getUint8(8) & 0x3f));
      return Buffer.from(bytes.buffer)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
}
