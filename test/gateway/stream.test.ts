import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { readRecordEvent } from '../../services/core/log/record-event.ts';
import { ok } from '../../services/core/result.ts';
import type { LogRecord } from '../../services/core/log/record.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import type { Step } from '../support/given.ts';
import { eventually } from '../support/eventually.ts';
import { by, recordsOf, retires, tools, trusts } from '../support/given.ts';
import { failed, logged, planned, started } from '../support/markers.ts';
import { value } from '../support/records.ts';
import type { ServedGateway } from '../support/served-gateway.ts';
import { serveGateway } from '../support/served-gateway.ts';

let open: ServedGateway[] = [];
afterEach(async () => {
  await Promise.all(open.map((served) => served.close()));
  open = [];
});

const story: readonly Step[] = [
  trusts('ci'), // 1
  trusts('other'), // 2
  by('ci', planned()), // 3
  by('ci', started()), // 4
  retires('other'), // 5
  by('ci', failed()), // 6
];

const housed = async (steps = story, clock = createSystemClock()): Promise<GatewayHouse> =>
  openGatewayHouse(steps, () => ({ clock }));

const served = async (...given: Parameters<typeof serveGateway>): Promise<ServedGateway> => {
  const gateway = await serveGateway(...given);
  open.push(gateway);
  return gateway;
};

type Event = {
  readonly id: string | null;
  readonly name: string;
  readonly record: LogRecord | null;
};

/** Reads a stream until it said so many events, comments and bare ids not counted; then hangs up. */
const follow = (
  url: string,
  wanted: number,
  headers: { readonly [name: string]: string } = {},
): Promise<{ readonly text: string; readonly events: readonly Event[] }> =>
  new Promise((done, refuse) => {
    const asking = request(url, { headers, agent: false }, (answer) => {
      const chunks: string[] = [];
      let seen = 0;
      const text = (): string => chunks.join('');
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        chunks.push(chunk);
        seen += chunk.split('\n\n').length - 1;
        // Comments and what a chunk cuts are counted wrong, so it is looked at when there may be enough.
        if (seen < wanted || eventsIn(text()).length < wanted) return;
        asking.destroy();
        done({ text: text(), events: eventsIn(text()) });
      });
      answer.on('end', () => done({ text: text(), events: eventsIn(text()) }));
    });
    asking.on('error', refuse);
    asking.end();
  });

const eventsIn = (text: string): readonly Event[] =>
  text
    .split('\n\n')
    .slice(0, -1)
    .filter((block) => block.includes('data: '))
    .map((block) => {
      const field = (name: string): string | null =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? null;
      const record = readRecordEvent(tools.text, field('data') ?? '') ?? null;
      return { id: field('id'), name: field('event') ?? '', record };
    });

const positions = (events: readonly Event[]): readonly string[] =>
  events.map(
    ({ name, record, id }) => `${name} ${record?.position}${id === null ? '' : ` id ${id}`}`,
  );

describe('the stream of a gateway', () => {
  test('has the bytes as they lie on the log, from the position that was asked for', async () => {
    const house = await housed();
    const { url } = await served(house);
    const { events, text } = await follow(`${url}/v1/stream?from=0`, 7);
    expect(events.map(({ record }) => record)).toEqual(await house.records());
    expect(text.startsWith('retry: 2000\n\n')).toBe(true);
  });

  test('goes on with what is appended later', async () => {
    const house = await housed();
    const { url } = await served(house);
    const following = follow(`${url}/v1/stream?from=7`, 4 + 1);
    const [, , , , , , , next] = await recordsOf(...story, by('ci', logged()));
    if (next === undefined) throw new Error('no record');
    value(await house.log.append(0, [next]));
    const { events } = await following;
    expect(positions(events)).toEqual([
      'trust 0',
      'trust 1',
      'trust 2',
      'trust 5',
      'record 7 id 7',
    ]);
  });

  test('tells first who may sign, from every record before that says it, and moves no id by it', async () => {
    const { url } = await served(await housed());
    const { events } = await follow(`${url}/v1/stream?from=4`, 5);
    expect(positions(events).slice(0, 3)).toEqual(['trust 0', 'trust 1', 'trust 2']);
    expect(positions(events).slice(3)).toEqual(['record 4 id 4', 'record 5 id 5']);
  });

  test('finds who may sign in few reads, each record once however many ask', async () => {
    const far = Array.from({ length: 60 }, (_, at) => by('ci', planned(`${at}.0.0`)));
    const reads: (readonly [from: number, recordsMax: number])[] = [];
    const house = await openGatewayHouse([...story, ...far, trusts('late')], ({ log }) => ({
      clock: createSystemClock(),
      log: {
        ...log,
        read: (partition, from, recordsMax) => {
          reads.push([from, recordsMax]);
          return log.read(partition, from, recordsMax);
        },
      },
    }));
    const { url } = await served(house);
    const expected = ['trust 0', 'trust 1', 'trust 2', 'trust 5', 'trust 67'];
    for (const _asked of [1, 2]) {
      const { events } = await follow(`${url}/v1/stream?from=68`, 5);
      expect(positions(events)).toEqual(expected);
    }
    expect(reads.filter(([from]) => from < 68)).toEqual([
      [0, 6],
      [67, 1],
    ]);
  });

  test('says where to go on before anything else, also to who wants only what comes', async () => {
    const { url } = await served(await housed());
    const { text } = await follow(`${url}/v1/stream`, 4);
    expect(text.startsWith('retry: 2000\n\nid: 6\n\n')).toBe(true);
  });

  test('leaves out kinds that were not asked for, but never who may sign', async () => {
    const { url } = await served(await housed());
    const { events } = await follow(`${url}/v1/stream?from=0&kinds=failed`, 5);
    expect(events.map(({ record }) => record?.position)).toEqual([0, 1, 2, 5, 6]);
  });

  test('goes on behind the last event that a reader had', async () => {
    const { url } = await served(await housed());
    const { events } = await follow(`${url}/v1/stream?from=0`, 4, { 'last-event-id': '4' });
    expect(positions(events).at(-1)).toBe('record 5 id 5');
    expect(events.filter(({ name }) => name === 'record')).toHaveLength(1);
  });

  test('says in its silence where to go on', async () => {
    // The clock of the house leaps over the silence.
    const house = await openGatewayHouse(story);
    const { url } = await served(house);
    const text = await new Promise<string>((done) => {
      const asking = request(
        `${url}/v1/stream?from=6&kinds=planned`,
        { agent: false },
        (answer) => {
          let said = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            said += chunk;
            if (!said.includes(': waiting\nid: 6\n\n')) return;
            asking.destroy();
            done(said);
          });
        },
      );
      asking.on('error', () => undefined);
      asking.end();
    });
    expect(eventsIn(text).map(({ name }) => name)).not.toContain('record');
  });

  test('answers nothing of it to HEAD', async () => {
    const house = await housed();
    const { status, headers, text } = await house.send('HEAD', '/v1/stream?from=0');
    expect([status, headers['content-type'], headers['x-accel-buffering'], text]).toEqual([
      ...[200, 'text/event-stream; charset=utf-8', 'no', 'retry: 2000\n\n'],
    ]);
  });

  test.each([
    ['/v1/stream?from=8', 400, 'query-invalid'],
    ['/v1/stream?from=-1', 400, 'query-invalid'],
    ['/v1/stream?kinds=planed', 400, 'query-invalid'],
    ['/v1/stream?kind=planned', 400, 'query-unknown'],
  ])('%s is %i %s', async (path, status, code) => {
    const answered = await (await housed()).get(path);
    expect([answered.status, answered.json.code]).toEqual([status, code]);
  });

  test('waits for read models that are behind what was asked for, and says so', async () => {
    const house = await openGatewayHouse(story);
    const [, , , , , , , late] = await recordsOf(...story, by('ci', logged()));
    if (late === undefined) throw new Error('no record');
    value(await house.log.append(0, [late]));
    expect((await house.get('/v1/stream')).json.code).toBe('not-yet');
    house.projectorRuns(true);
    expect((await house.get('/v1/stream')).status).toBe(200);
  });
});

describe('who follows', () => {
  const manyRecords = 400;
  const long = async (): Promise<GatewayHouse> => {
    const house = await housed();
    const records = await house.records();
    const last = records.at(-1);
    if (last === undefined) throw new Error('no record');
    const large = { ...last, value: new Uint8Array(60_000) };
    for (let added = 0; added < manyRecords; added += 10)
      value(
        await house.log.append(
          0,
          Array.from({ length: 10 }, () => large),
        ),
      );
    return house;
  };

  test('and takes nothing is cut off, and nobody else waits for it', async () => {
    const house = await long();
    const gateway = await served(house, { streamStallsMs: 200 });
    const { port } = new URL(gateway.url);
    const deaf = connect(Number(port), '127.0.0.1');
    deaf.on('error', () => undefined);
    deaf.pause();
    deaf.write('GET /v1/stream?from=0 HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const { events } = await follow(`${gateway.url}/v1/stream?from=0`, manyRecords);
    expect(events.length).toBeGreaterThanOrEqual(manyRecords);
    await eventually('nobody follows any more', () => house.app.status().streams === 0);
    deaf.destroy();
  });

  test('is told to come again where too many follow already', async () => {
    const house = await housed();
    const streams = await Promise.all(
      Array.from({ length: 200 }, async () => (await house.app.api(asked)).stream),
    );
    const gone = new AbortController();
    const write = async (): Promise<boolean> => true;
    const running = streams.map(async (stream) => stream?.({ write, gone: gone.signal }));
    const refused = await house.get('/v1/stream?from=0');
    expect([refused.status, refused.json.code]).toEqual([503, 'busy']);
    gone.abort();
    await Promise.all(running);
    expect((await house.get('/v1/stream?from=0')).status).toBe(200);
  });

  test('is let go at once when the gateway stops', async () => {
    const gateway = await served(await housed());
    const following = follow(`${gateway.url}/v1/stream?from=0`, 1000);
    await follow(`${gateway.url}/v1/stream?from=0`, 7);
    await gateway.stop();
    expect((await following).events).toHaveLength(7);
  });
});

const asked = {
  method: 'GET',
  path: '/v1/stream',
  query: new Map([['from', '0']]),
  header: () => undefined,
  body: async () => ok(new Uint8Array()),
};
