import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { readKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { keysOf } from '../../services/adapters/redis/keys.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { kinds } from '../../services/core/markers/kinds.ts';
import { parseMarker } from '../../services/core/markers/parse-marker.ts';
import { signMarker } from '../../services/core/markers/wire.ts';
import type { Signer } from '../../services/ports/signer.ts';
import { faultsOf } from '../support/cli-schemas.ts';
import { eventually } from '../support/eventually.ts';
import { onStack } from '../support/fed-log.ts';
import { tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import type { Said } from '../support/markers.ts';
import { id, planned, run, started, succeeded } from '../support/markers.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { record, value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

// What an operator does, with the real command, on real Kafka and Redis.

const stack = sharedStack();
const folder = join(scratchFolder(), randomUUID());
const testTimeoutMs = 180_000;
const caughtUpMs = 60_000;

type Line = { readonly [field: string]: unknown };

test(
  'letters are redriven and discarded, and read models that somebody wrote to are found out',
  async () => {
    const audience = freshAudience();
    const env = {
      PLIMSOLL_AUDIENCE: audience,
      PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
      PLIMSOLL_STORE: stack.redisUrl,
    };
    const said = async (
      args: readonly string[],
      schema: string,
      exit = 0,
    ): Promise<readonly Line[]> => {
      const ran = await plimsoll(folder, [...args, '--json'], env);
      expect([ran.exit, exit === 0 ? ran.err.replaceAll(firstUse, '') : '']).toEqual([exit, '']);
      const lines = ran.out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line);
      expect(lines.flatMap((line) => faultsOf(schema, line))).toEqual([]);
      return lines;
    };

    await said(
      ['release', 'log', '--component-name=shop', '--target-version=1', '--timeout=60s'],
      'receipt',
    );
    await said(['keys', 'new', '--principal=late'], 'key-made');
    const late = value(await readKeyFile(join(folder, 'plimsoll-data/keys/late.json')));

    // A deployment of a key that nobody trusts yet, and bytes of nobody.
    const { log, store } = await onStack(stack, audience);
    const first = value(await log.range(0)).end;
    const letters = [
      await markerBy(late, audience, planned(), 'plan'),
      await markerBy(late, audience, started(), 'start'),
      await markerBy(late, audience, succeeded(), 'end'),
      record('\u001b[2Jnothing of ours'),
    ];
    for (const letter of letters) value(await log.append(0, [letter]));
    const listed = async (...args: readonly string[]): Promise<readonly unknown[]> =>
      (await said(['dead-letters', 'list', ...args], 'dead-letter')).map(
        ({ position, state }) => `${Number(position) - first} ${String(state)}`,
      );
    expect(await listed()).toEqual(['0 open', '1 open', '2 open', '3 open']);

    const redrive = ['dead-letters', 'redrive'];
    expect(
      await said([...redrive, '--code=key-unknown', '--dry-run'], 'redriven-letter'),
    ).toMatchObject(Array.from({ length: 3 }, () => ({ becomes: 'key-unknown', position: null })));
    await said(
      [
        ...['keys', 'trust', 'plimsoll-data/keys/late.pub.json', '--role=emitter'],
        ...['--environment=*', '--component=*'],
      ],
      'key-change',
    );
    const redriven = await said(
      [...redrive, `--deployment=${run('7')}`, '--reason=the key is trusted now'],
      'redriven-letter',
    );
    const operation = first + 5;
    expect(redriven).toMatchObject(
      [1, 2, 3].map((behind) => ({
        outlook: 'accepted',
        becomes: 'applied',
        operation,
        position: operation + behind,
      })),
    );
    const [shown] = await said(['show', run('7')], 'show');
    expect(shown).toMatchObject({ attempts: [{ status: 'succeeded', signer: 'late' }] });
    await said(
      ['dead-letters', 'discard', String(first + 3), '--reason=a scanner'],
      'discarded-letter',
    );
    // Nothing is left to do, and nothing is gone.
    expect(await plimsoll(folder, ['dead-letters', 'list', '--json'], env)).toMatchObject({
      exit: 0,
      out: '',
    });
    expect(await listed('--all')).toEqual([
      '0 redriven',
      '1 redriven',
      '2 redriven',
      '3 discarded',
    ]);
    const operations = await said(['operations'], 'operation');
    expect(operations.map(({ kind, signer }) => `${String(kind)} ${String(signer)}`)).toEqual([
      expect.stringMatching(/^letters-redriven /),
      expect.stringMatching(/^letters-discarded /),
    ]);

    const [clean] = await said(['verify-models', '--full'], 'verification');
    expect(clean).toMatchObject({ divergent: 0, digest: { isEqual: true } });

    // Somebody writes to Redis, past every projector.
    const redis = new Redis(stack.redisUrl);
    const keys = keysOf('plimsoll', audience);
    const timeline = keys.rows('g1', 'timeline');
    const [one = '', other = ''] = (await redis.hkeys(timeline)).toSorted();
    const changed = (await redis.hget(timeline, other)) ?? '';
    expect(await redis.hset(timeline, one, changed)).toBe(0);
    expect(await redis.hdel(keys.rows('g1', 'deployment'), run('7'))).toBe(1);
    expect(await redis.hset(keys.rows('g1', 'environment'), 'moon', '{"lastPosition":5}')).toBe(1);
    await redis.hset(keys.checkpoint('g1'), 'rowsDigest', '0'.repeat(32));
    const [wrong] = await said(['verify-models'], 'verification', 3);
    expect(wrong).toMatchObject({
      divergent: 3,
      divergences: [
        { why: 'missing', model: 'deployment', key: run('7'), position: operation + 3 },
        { why: 'extra', model: 'environment', key: 'moon', position: 5 },
        { why: 'changed', model: 'timeline', key: one, stored: changed },
      ],
      digest: { isEqual: false },
    });

    // What was planted is gone with the generation that it was planted in.
    const rebuilt = await plimsoll(folder, ['rebuild', '--reason=somebody wrote to it'], env);
    expect([rebuilt.exit, rebuilt.err]).toEqual([0, expect.stringContaining('generation g2')]);
    const [mended] = await said(['verify-models'], 'verification');
    expect(mended).toMatchObject({ divergent: 0, digest: { isEqual: true } });
    redis.disconnect();
    await Promise.all([log.close(), store.close()]);
  },
  testTimeoutMs,
);

test(
  'read models are compared while a projector writes them, and nothing newer is taken for wrong',
  async () => {
    const audience = freshAudience();
    const env = {
      PLIMSOLL_AUDIENCE: audience,
      PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
      PLIMSOLL_STORE: stack.redisUrl,
    };
    const fed = await onStack(stack, audience);
    const records = await hostileLog({ seed: 5, audience, records: 1_500 });
    await fed.append(records.slice(0, 200));
    const projector = startPlimsoll(folder, ['projector'], env);
    await eventually('it projects', async () => (await fed.next()) >= 200, caughtUpMs);
    const feeding = (async () => {
      for (let at = 200; at < records.length; at += 20)
        await fed.append(records.slice(at, at + 20));
    })();
    const seen: Line[] = [];
    while (seen.length < 3) {
      const ran = await plimsoll(folder, ['verify-models', '--json'], env);
      expect(ran.exit).toBe(0);
      seen.push(JSON.parse(ran.out) as Line);
    }
    await feeding;
    await fed.compareAtEnd();
    const last = await plimsoll(folder, ['verify-models', '--json'], env);
    expect([last.exit, JSON.parse(last.out)]).toMatchObject([
      0,
      { to: records.length, divergent: 0, digest: { isEqual: true } },
    ]);
    expect(seen.every(({ divergent }) => divergent === 0)).toBe(true);
    projector.signal('SIGTERM');
    expect((await projector.ended).exit).toBe(0);
    await Promise.all([fed.log.close(), fed.store.close()]);
  },
  testTimeoutMs,
);

/** What first use says is said once, and not looked at here. */
const firstUse = /^.*first-use.*\n/gm;

const markerBy = (
  signer: Signer,
  audience: string,
  says: Said,
  name: string,
): Promise<NewRecord> => {
  const body = {
    ...says,
    ...{ marker: id(name), audience, source: '/late', occurredAt: Date.now() },
  };
  const marker = value(parseMarker(kinds[says.kind].shape, body));
  return signMarker(tools.codec, tools.text, marker, signer);
};
