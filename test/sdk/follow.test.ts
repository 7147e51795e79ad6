import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { recordEvent } from '../../services/core/log/record-event.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import { onBehalfSource } from '../../services/core/trust/on-behalf.ts';
import type { Fact } from '../../services/sdk/fact.ts';
import type { FollowOptions } from '../../services/sdk/follow.ts';
import { followMarkers } from '../../services/sdk/follow.ts';
import { fromGateway } from '../../services/sdk/gateway-source.ts';
import type { Carried, FollowNote, RecordSource } from '../../services/sdk/record-source.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import type { Step } from '../support/given.ts';
import { by, recordsOf, retires, tools, trusts } from '../support/given.ts';
import { failed, logId, logged, place, planned, started } from '../support/markers.ts';
import { value } from '../support/records.ts';
import type { ServedGateway } from '../support/served-gateway.ts';
import { serveGateway } from '../support/served-gateway.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const story: readonly Step[] = [
  trusts('ci'), // 1
  by('ci', planned()), // 2
  by('ci', started()), // 3
  trusts('other'), // 4
  by('other', logged('1.0.0', { slot: place('billing') })), // 5
  retires('other'), // 6
  by('ci', failed()), // 7
];

type Told = { readonly facts: readonly Fact[]; readonly notes: readonly FollowNote[] };

/** Follows until it was handed so many facts. */
const handed = async (
  wanted: number,
  source: RecordSource,
  more: Partial<FollowOptions> = {},
): Promise<Told> => {
  const facts: Fact[] = [];
  const notes: FollowNote[] = [];
  const onNote = (note: FollowNote): void => void notes.push(note);
  for await (const fact of followMarkers({ source, logId, onNote, from: 0, ...more })) {
    facts.push(fact);
    if (facts.length >= wanted) break;
  }
  return { facts, notes };
};

const positions = ({ facts }: Told): readonly string[] =>
  facts.map(({ position, marker, signer }) => `${position} ${marker.kind} by ${signer.principal}`);

const whole = [
  '0 log-opened by admin',
  '1 key-added by admin',
  '2 planned by ci',
  '3 started by ci',
  '4 key-added by admin',
  '5 logged by other',
  '6 key-retired by admin',
  '7 failed by ci',
];

const housed = async (): Promise<{ house: GatewayHouse; gateway: ServedGateway }> => {
  const house = await openGatewayHouse(story, () => ({ clock: createSystemClock() }));
  const gateway = await serveGateway(house);
  closing.push(() => gateway.close());
  return { house, gateway };
};

/** A source that carries what it is given, and is then silent. */
const carrying = (records: readonly (LogRecord | Carried)[]): RecordSource => ({
  name: 'what a test carries',
  carry: async function* () {
    for (const one of records) yield 'as' in one ? one : { as: 'record', record: one };
  },
});

test('what a gateway signed for somebody with a token says so', async () => {
  const source = onBehalfSource('shop');
  const records = await recordsOf(
    trusts('gateway', { roles: ['gateway'] }),
    by('gateway', { ...planned(), source }),
    by('ci', { ...logged('1.0.0'), source }),
  );
  const { facts } = await handed(5, carrying(records));
  expect(facts.map(({ onBehalf }) => onBehalf)).toEqual([null, null, 'shop', null, null]);
});

describe('a follower of a gateway', () => {
  test('is handed every fact of the log, in order, with its signer', async () => {
    const { gateway } = await housed();
    expect(positions(await handed(8, fromGateway(gateway.url)))).toEqual(whole);
  });

  test('is handed only what comes now, unless it says from where', async () => {
    const { house, gateway } = await housed();
    const source = fromGateway(gateway.url);
    const following = handed(1, {
      ...source,
      carry: (asked) => source.carry({ ...asked, from: null }),
    });
    const [next] = (await recordsOf(...story, by('ci', logged('3.0.0')))).slice(8);
    if (next === undefined) throw new Error('no record');
    // Nobody can say when the stream stands: the same record again is no second fact, and harms nothing.
    await house.get('/healthz');
    const adding = setInterval(() => void house.log.append(0, [next]).then(house.project), 100);
    closing.push(() => clearInterval(adding));
    const told = await following;
    expect(told.facts[0]?.marker.kind).toBe('logged');
    expect(told.facts[0]?.position).toBeGreaterThanOrEqual(8);
  });

  test('goes on from its checkpoint, and knows who may sign', async () => {
    const { gateway } = await housed();
    const told = await handed(3, fromGateway(gateway.url), { from: 5 });
    expect(positions(told)).toEqual(whole.slice(5));
  });

  test('is handed the kinds that it asked for', async () => {
    const { gateway } = await housed();
    const told = await handed(2, fromGateway(gateway.url), { kinds: ['logged', 'failed'] });
    expect(positions(told)).toEqual([whole[5], whole[7]]);
  });

  test('is handed each fact once, however often the wire is cut', async () => {
    const { house } = await housed();
    // Room for who may sign, and for an event or two.
    const gateway = await serveGateway(house, {}, 5000);
    closing.push(() => gateway.close());
    expect(positions(await handed(8, fromGateway(gateway.url)))).toEqual(whole);
    expect(gateway.connections()).toBeGreaterThan(2);
  });

  test('ends when it is asked to, in the midst of its waiting', async () => {
    const { gateway } = await housed();
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { position } of followMarkers({
      ...{ source: fromGateway(gateway.url), logId, from: 0, signal: stop.signal },
    })) {
      seen.push(position);
      if (position === 7) setTimeout(() => stop.abort(), 10);
    }
    expect(seen).toHaveLength(8);
  });

  test('waits out an outage, and says so', async () => {
    const { house, gateway } = await housed();
    const { port } = new URL(gateway.url);
    await gateway.close();
    const notes: FollowNote[] = [];
    const following = followMarkers({
      ...{ source: fromGateway(gateway.url), logId, from: 0 },
      onNote: (note) => notes.push(note),
    }).next();
    while (notes.length === 0) await new Promise((done) => setTimeout(done, 10));
    expect(notes[0]?.code).toBe('unreachable');
    const again = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      void house.records().then((records) => {
        for (const record of records) response.write(recordEvent(tools.text, 'record', record));
      });
    });
    await new Promise<void>((up) => again.listen(Number(port), '127.0.0.1', up));
    closing.push(
      () => void again.close(),
      () => again.closeAllConnections(),
    );
    expect(await following).toMatchObject({ value: { position: 0 } });
  });

  test('is told at once what does not mend by waiting', async () => {
    const { gateway } = await housed();
    await expect(handed(1, fromGateway(gateway.url), { from: 900 })).rejects.toMatchObject({
      name: 'FollowError',
      code: 'query-invalid',
    });
    await expect(
      handed(1, fromGateway(gateway.url), { logId: '0190a000-0000-7000-8000-00000000ffff' }),
    ).rejects.toMatchObject({ name: 'FollowError', code: 'foreign-log' });
    await expect(
      handed(1, fromGateway(gateway.url), { audience: 'production' }),
    ).rejects.toMatchObject({ name: 'FollowError', code: 'audience-wrong' });
  });

  test.each([
    ['garbage', 'data: {"position":"x"}\n\n'],
    ['bytes that are no text', '\u0000\uffff\n\n'],
    ['a line without an end', 'data: '.padEnd(2_000_000, 'x')],
  ])('hands out nothing of %s, and goes on', async (_what, said) => {
    const { house } = await housed();
    const records = await house.records();
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (asked === 1) response.end(said);
      else for (const record of records) response.write(recordEvent(tools.text, 'record', record));
    });
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
    closing.push(
      () => void server.close(),
      () => server.closeAllConnections(),
    );
    const { port } = server.address() as AddressInfo;
    const told = await handed(8, fromGateway(`http://127.0.0.1:${port}`));
    expect(positions(told)).toEqual(whole);
  });
});

describe('whoever carries the records cannot', () => {
  const flipped = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));

  test('change what was said', async () => {
    const records = [...(await recordsOf(...story))];
    const told = await handed(
      9,
      carrying(
        records.map((record) =>
          record.position === 2 ? { ...record, value: flipped(record.value) } : record,
        ),
      ),
    );
    expect(positions(told)).toEqual(whole.filter((_line, at) => at !== 2));
    expect(told.notes).toMatchObject([{ code: 'signature-bad', position: 2 }]);
  });

  test('bring a key of their own', async () => {
    const others = await recordsOf(trusts('mallory'), by('mallory', planned()));
    const records = await recordsOf(...story);
    const [, , forged] = others;
    if (forged === undefined) throw new Error('no record');
    const told = await handed(9, carrying([...records, { ...forged, position: 8 }]));
    expect(positions(told)).toEqual(whole);
    expect(told.notes).toMatchObject([{ code: 'key-unknown', position: 8 }]);
  });

  test('say the same again, or go back', async () => {
    const records = await recordsOf(...story);
    const told = await handed(99, carrying([...records, ...records, ...records.slice(3)]));
    expect(positions(told)).toEqual(whole);
  });

  test('let a key speak that was retired, or for a place that it may not', async () => {
    const records = await recordsOf(
      trusts('ci', { environments: ['staging'] }),
      by('ci', planned()), // 2, in production
      trusts('other'),
      retires('other'),
    );
    const signedBefore = (await recordsOf(...story))[5];
    if (signedBefore === undefined) throw new Error('no record');
    const told = await handed(9, carrying([...records, { ...signedBefore, position: 5 }]));
    expect(told.notes).toMatchObject([
      { code: 'out-of-scope', position: 2 },
      { code: 'key-retired', position: 5 },
    ]);
    expect(value({ ok: true, value: told.facts.length } as const)).toBe(4);
  });

  test('begin in the middle', async () => {
    const records = await recordsOf(...story);
    await expect(handed(9, carrying(records.slice(1)))).rejects.toMatchObject({
      code: 'log-not-opened',
    });
  });
});
