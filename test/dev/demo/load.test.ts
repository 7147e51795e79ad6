import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { openLoopbackClient, startLoad } from '../../../services/dev/demo/load.ts';
import type { LoadLimits } from '../../../services/dev/demo/load.ts';
import { createTraffic } from '../../../services/dev/demo/traffic.ts';
import { eventually } from '../../support/eventually.ts';
import { seededRandom } from '../../../services/dev/canary-climates/random.ts';

const limits: LoadLimits = {
  requestsPerSecond: 2_000,
  requestsMax: 1_000_000,
  durationMsMax: 60_000,
  inFlightMax: 10,
};

describe('the load', () => {
  test('ends by itself at its number of requests', async () => {
    let sent = 0;
    await startLoad({ ...limits, requestsMax: 150 }, async () => {
      sent += 1;
    }).over;
    expect(sent).toBe(150);
  });

  test('ends by itself at its time', async () => {
    let sent = 0;
    await startLoad({ ...limits, durationMsMax: 60 }, async () => {
      sent += 1;
    }).over;
    expect(sent).toBeLessThan(limits.requestsMax);
  });

  test('has never more requests under way than allowed, and ends only after the last of them', async () => {
    let underWay = 0;
    let most = 0;
    const load = startLoad(limits, async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((done) => setTimeout(done, 50));
      underWay -= 1;
    });
    await eventually('as many are under way as may be', () => most === limits.inFlightMax);
    await new Promise((done) => setTimeout(done, 100));
    await load.stop();
    expect(most).toBe(limits.inFlightMax);
    expect(underWay).toBe(0);
  });

  test('sends nothing more once it was stopped', async () => {
    let sent = 0;
    const load = startLoad(limits, async () => {
      sent += 1;
    });
    await load.stop();
    const then = sent;
    await new Promise((done) => setTimeout(done, 50));
    expect(sent).toBe(then);
  });
});

describe('the client', () => {
  const client = openLoopbackClient(2);
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
    request.on('end', () => {
      if (request.url === '/broken') response.destroy();
      else response.writeHead(request.url === '/bad' ? 503 : 200).end('…');
    });
  });
  const listening = new Promise<number>((done) => {
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port));
  });
  afterAll(() => {
    client.close();
    server.close();
  });

  test('tells the status, and what got no answer', async () => {
    const port = await listening;
    expect(await client.post(port, '/good', '{"cart":"🛒"}')).toBe(200);
    expect(await client.post(port, '/bad', '{}')).toBe(503);
    expect(await client.post(port, '/broken', '{}')).toBe('lost');
    expect(bodies).toEqual(['{"cart":"🛒"}', '{}', '{}']);
  });
});

describe('the traffic', () => {
  const shareOfCanary = (share: number): number => {
    const traffic = createTraffic(seededRandom(1, 1));
    traffic.shiftTo(share);
    const sides = Array.from({ length: 4_000 }, () => traffic.nextSide());
    return sides.filter((side) => side === 'canary').length / sides.length;
  };

  test('goes to the baseline until it is shifted', () => {
    expect(createTraffic(seededRandom(1, 1)).nextSide()).toBe('baseline');
  });

  test('is shifted by share, wholly at 0 and 1', () => {
    expect(shareOfCanary(0)).toBe(0);
    expect(shareOfCanary(0.3)).toBeCloseTo(0.3, 1);
    expect(shareOfCanary(1)).toBe(1);
  });

  test('counts per side, and remembers when the canary first failed', () => {
    const traffic = createTraffic(seededRandom(1, 1));
    traffic.answered('baseline', 503, 10);
    traffic.answered('canary', 200, 20);
    traffic.answered('canary', 404, 30);
    traffic.answered('canary', 'lost', 40);
    expect(traffic.firstBadAtMs()).toBeNull();
    traffic.answered('canary', 500, 50);
    traffic.answered('canary', 500, 60);
    expect(traffic.firstBadAtMs()).toBe(50);
    expect(traffic.counts('baseline')).toEqual({ answered: 1, failed: 1, lost: 0 });
    expect(traffic.counts('canary')).toEqual({ answered: 4, failed: 2, lost: 1 });
  });
});
