import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readThrough } from '../../../services/cli/reading/reader-gateway.ts';
import { ok } from '../../../services/core/result.ts';
import type { HttpClient } from '../../../services/ports/http.ts';
import { tools } from '../../support/given.ts';
import { value } from '../../support/records.ts';

/** A gateway with positions 0 to count - 1, that answers at most `pageMax` at a time. */
const gatewayOf =
  (count: number, pageMax: number): HttpClient =>
  async ({ path }) => {
    const query = new URL(path, 'http://gateway').searchParams;
    const isNewest = query.get('order') === 'newest';
    const after = query.get('after');
    const all = Array.from({ length: count }, (_, position) => ({ position }));
    const rest = (isNewest ? all.toReversed() : all).filter(
      ({ position }) =>
        after === null || (isNewest ? position < Number(after) : position > Number(after)),
    );
    const items = rest.slice(0, Math.min(pageMax, Number(query.get('limit'))));
    const next = items.length < rest.length ? String(items.at(-1)?.position) : null;
    const body = Buffer.from(JSON.stringify({ position: count, items, next }));
    return ok({ status: 200, header: () => undefined, body });
  };

test('a list is whole, in order and without doubles, however a gateway cuts it', async () => {
  const counts = fc.integer({ min: 0, max: 30 });
  const least1 = fc.integer({ min: 1, max: 40 });
  await fc.assert(
    fc.asyncProperty(counts, least1, least1, counts, async (count, pageMax, newestMax, after) => {
      const reader = readThrough(gatewayOf(count, pageMax), { tools });
      const positions = async (choice: Parameters<typeof reader.list>[1]): Promise<unknown> =>
        value(await reader.list('timeline', choice)).map(({ position }) => position);
      const all = Array.from({ length: count }, (_, position) => position);
      expect(await positions({})).toEqual(all);
      expect(await positions({ newestMax })).toEqual(all.slice(-newestMax));
      const later = all.filter((position) => position > after);
      expect(await positions({ after, newestMax })).toEqual(later.slice(0, newestMax));
    }),
  );
});

test('a gateway that never comes to an end is not followed for ever', async () => {
  const stuck: HttpClient = async () =>
    ok({
      status: 200,
      header: () => undefined,
      body: Buffer.from('{"items":[{"position":1}],"next":"1"}'),
    });
  const lines = value(await readThrough(stuck, { tools }).list('timeline', {}));
  expect(lines.length).toBeLessThanOrEqual(2);
});

test.each(['{}', '{"items":7}', '{"items":[7]}', '[]', 'null', '{"items":[null]}'])(
  'what is no list is told: %s',
  async (text) => {
    const odd: HttpClient = async () =>
      ok({ status: 200, header: () => undefined, body: Buffer.from(text) });
    const reader = readThrough(odd, { tools });
    expect(await reader.list('timeline', {})).toMatchObject({ problem: { code: 'unreachable' } });
    expect(await reader.show('x')).toMatchObject({ problem: { code: 'unreachable' } });
  },
);
