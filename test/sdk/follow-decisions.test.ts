import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { fromGateway } from '../../services/sdk/gateway-source.ts';
import type { FollowedDecision } from '../../services/sdk/follow-decisions.ts';
import { followDecisions } from '../../services/sdk/follow-decisions.ts';
import type { FollowNote } from '../../services/sdk/record-source.ts';
import { canary, decides, decision } from '../support/decisions.ts';
import { openGatewayHouse } from '../support/gateway.ts';
import type { GatewayHouse } from '../support/gateway.ts';
import type { Step } from '../support/given.ts';
import { by, openedAtMs } from '../support/given.ts';
import { failed, logId, operated, run } from '../support/markers.ts';
import { serveGateway } from '../support/served-gateway.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const soonMs = openedAtMs + 20_000;

/** A gateway at the time of the story, whose waiting is real. */
const housed = async (...steps: readonly Step[]): Promise<{ house: GatewayHouse; url: string }> => {
  const { sleep } = createSystemClock();
  const house = await openGatewayHouse([...canary, ...steps], () => ({
    clock: { nowMs: () => soonMs, sleep },
  }));
  const gateway = await serveGateway(house);
  closing.push(() => gateway.close());
  return { house, url: gateway.url };
};

const first = async (
  gateway: string,
  more: Partial<Parameters<typeof followDecisions>[0]> = {},
): Promise<FollowedDecision> => {
  for await (const followed of followDecisions({
    ...{ gateway, logId, from: 0, nowMs: () => soonMs },
    ...more,
  }))
    return followed;
  throw new Error('no decision came');
};

describe('whoever follows decisions', () => {
  test('is handed what is to be done, from a record whose signature was checked', async () => {
    const { url } = await housed(await decides(decision('roll-back')));
    expect(await first(url)).toMatchObject({
      fact: { position: 7, signer: { principal: 'analyser' }, marker: { kind: 'roll-back' } },
      act: { act: 'roll-back', deployment: run('7'), toVersion: '1.9.4', component: 'checkout' },
      refused: null,
    });
  });

  test.each([
    ['stopped', [by('ops', operated('decisions-stopped', { reason: 'we look at it' }))]],
    ['attempt-ended', [by('ci', failed())]],
  ])('is told why one may not be obeyed: %s', async (code, steps) => {
    const { url } = await housed(await decides(decision('promote')), ...steps);
    expect(await first(url)).toMatchObject({ act: null, refused: { code } });
  });

  test('hears of one once, in its order', async () => {
    const { url } = await housed(
      await decides(decision('advance')),
      await decides(decision('roll-back', { windowIndex: 9 })),
    );
    const heard: number[] = [];
    for await (const { fact } of followDecisions({
      ...{ gateway: url, logId, from: 0, nowMs: () => soonMs },
    })) {
      heard.push(fact.position);
      if (heard.length === 2) break;
    }
    expect(heard).toEqual([7, 8]);
  });
});

/** A gateway that streams the log rightly and answers about decisions as it likes. */
const lying = async (
  house: GatewayHouse,
  item: (truth: { act: { [name: string]: unknown } }) => unknown,
  status = 200,
): Promise<string> => {
  const server = createServer((request, response) => {
    void house.get(request.url ?? '').then(({ json }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ item: item(json.item) }));
    });
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  closing.push(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('a gateway that answers wrongly', () => {
  test.each([
    ['another act', { act: 'promote' }],
    ['another deployment', { deployment: run('8') }],
    ['another place', { environment: 'staging' }],
    ['another position', { position: 6 }],
    ['another version', { toVersion: '0.0.1-evil' }],
    ['another digest', { toDigest: 'sha256:evil' }],
    ['another origin', { fromVersion: '9.9.9' }],
    ['another target', { target: 'eu-west' }],
    ['another namespace', { namespace: 'x' }],
    ['another share', { share: 1 }],
    ['no form', { id: 7 }],
  ])('with %s than was signed moves nobody', async (_what, changed) => {
    const { house, url } = await housed(await decides(decision('roll-back')));
    const gateway = await lying(house, ({ act }) => ({ act: { ...act, ...changed } }));
    expect(await first(gateway, { source: fromGateway(url) })).toMatchObject({
      act: null,
      refused: { code: 'answer-differs' },
    });
  });

  test('and tells to obey what was only tried moves nobody', async () => {
    const { house, url } = await housed(await decides(decision('roll-back', { mode: 'dry-run' })));
    const gateway = await lying(house, () => ({ act: { act: 'roll-back' } }));
    expect(await first(gateway, { source: fromGateway(url) })).toMatchObject({
      act: null,
      refused: { code: 'dry-run' },
    });
  });

  test('and calls valid what is long over moves nobody', async () => {
    const { url } = await housed(await decides(decision('roll-back')));
    const nowMs = (): number => soonMs + 3_600_000;
    expect(await first(url, { nowMs })).toMatchObject({ refused: { code: 'decision-late' } });
  });

  test('or not at all keeps a decision waiting, until it is over', async () => {
    const { house, url } = await housed(await decides(decision('roll-back')));
    const gateway = await lying(house, () => ({}), 503);
    let nowMs = soonMs;
    const notes: FollowNote[] = [];
    const onNote = (note: FollowNote): void => {
      notes.push(note);
      nowMs += 3_600_000;
    };
    const followed = await first(gateway, { source: fromGateway(url), nowMs: () => nowMs, onNote });
    expect(followed).toMatchObject({ act: null, refused: { code: 'decision-late' } });
    expect(notes).toMatchObject([{ code: 'unreachable', position: 7 }]);
  });

  test('is named in notes without the name and password of its address', async () => {
    const { house, url } = await housed(await decides(decision('roll-back')));
    const gateway = await lying(house, () => ({}), 503);
    const notes: FollowNote[] = [];
    let nowMs = soonMs;
    await first(gateway.replace('http://', 'http://bob:hunter@2@'), {
      source: fromGateway(url),
      nowMs: () => nowMs,
      onNote: (note) => {
        notes.push(note);
        nowMs += 3_600_000;
      },
    });
    expect(notes.map(({ message }) => message)).toEqual([
      `${gateway} does not say whether it may be obeyed`,
    ]);
  });
});

test.each(['localhost', 'ftp://gateway', ''])(
  'an address that is none is said at once, and not waited for: %j',
  async (gateway) => {
    await expect(first(gateway)).rejects.toMatchObject({
      ...{ name: 'FollowError', code: 'address-invalid' },
      hint: 'write it as http(s)://HOST[:PORT]',
    });
  },
);
