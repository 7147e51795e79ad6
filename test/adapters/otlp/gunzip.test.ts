import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzipCapped } from '../../../services/adapters/otlp/gunzip.ts';

const MEGABYTE = 1024 * 1024;

const withWrongChecksum = (): Buffer => {
  const packed = gzipSync(Buffer.from('a request'));
  return packed.fill(0xff, packed.length - 8, packed.length - 4);
};

describe('gzip', () => {
  test('is unpacked up to the cap', async () => {
    const body = Buffer.from('a request');
    expect(await gunzipCapped(gzipSync(body), body.length)).toEqual({ ok: true, value: body });
  });

  test('one byte beyond the cap is a bomb', async () => {
    const body = Buffer.from('a request');
    expect(await gunzipCapped(gzipSync(body), body.length - 1)).toMatchObject({
      ok: false,
      problem: { code: 'gzip-bomb' },
    });
  });

  test('a real bomb, 200 MiB in 200 KiB, is stopped without taking its room', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MEGABYTE), { level: 9 });
    expect(bomb.length).toBeLessThan(MEGABYTE / 4);
    const before = process.memoryUsage().arrayBuffers;
    const unpacked = await gunzipCapped(bomb, MEGABYTE);
    expect(unpacked).toMatchObject({ ok: false, problem: { code: 'gzip-bomb' } });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MEGABYTE);
  });

  test('a bomb of many members is stopped alike', async () => {
    const member = gzipSync(Buffer.alloc(MEGABYTE / 2));
    const bomb = Buffer.concat(Array.from({ length: 100 }, () => member));
    expect(await gunzipCapped(bomb, MEGABYTE)).toMatchObject({
      ok: false,
      problem: { code: 'gzip-bomb' },
    });
  });

  test.each([
    ['no bytes', Buffer.alloc(0)],
    ['text', Buffer.from('{"resourceMetrics":[]}')],
    ['a header alone', Buffer.from([0x1f, 0x8b])],
    ['gzip cut off', gzipSync(Buffer.from('a request')).subarray(0, -9)],
    ['a wrong checksum', withWrongChecksum()],
  ])('%s is broken', async (_fault, bytes) => {
    expect(await gunzipCapped(bytes, MEGABYTE)).toMatchObject({
      ok: false,
      problem: { code: 'gzip-broken' },
    });
  });
});
