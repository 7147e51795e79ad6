import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { describe, expect, test, vi } from 'vitest';
import { faultsOf } from '../support/cli-schemas.ts';
import { onDatabase, onStack } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { kcat } from '../support/kcat.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import type { Env } from '../support/bare-env.ts';
import type { Ran } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';
import { eventually } from '../support/eventually.ts';
import { value } from '../support/records.ts';

// A log that moves from a database to a real Kafka and back, by the real command.

const stack = sharedStack();
const { kafkaBrokers } = stack;
const scratch = scratchFolder();
vi.setConfig({ testTimeout: 240_000 });

const kafka = `kafka://${kafkaBrokers.join(',')}`;
const line = ({ out }: Ran): { readonly [field: string]: unknown } =>
  JSON.parse(out) as { readonly [field: string]: unknown };
const release = (version: string): readonly string[] => [
  ...['release', 'log', '--component-name=shop', '--environment-name=production'],
  ...[`--target-version=${version}`, '--timeout=60s', '--json'],
];
const key = { PLIMSOLL_KEY: 'plimsoll-data/keys/local.json' };

const installation = (): {
  readonly audience: string;
  readonly folder: string;
  readonly topic: string;
  readonly run: (args: readonly string[], env?: Env) => Promise<Ran>;
} => {
  const audience = freshAudience();
  const folder = join(scratch, randomUUID());
  return {
    audience,
    folder,
    topic: `plimsoll.${audience}.log`,
    run: (args, env = {}) =>
      plimsoll(folder, args, {
        PLIMSOLL_AUDIENCE: audience,
        PLIMSOLL_STORE: 'memory:',
        ...key,
        ...env,
      }),
  };
};

const move = (from: string, to: string): readonly string[] => [
  ...['migrate', `--from=${from}`, `--to=${to}`],
  ...['--reason=the test moves it', '--key=plimsoll-data/keys/admin.json', '--json'],
];

const timeTypeOf = async (topic: string): Promise<string | undefined> => {
  const admin = new Kafka({ brokers: [...kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['message.timestamp.type'] },
      ],
    });
    return resources[0]?.configEntries[0]?.configValue;
  } finally {
    await admin.disconnect();
  }
};

describe('a log', () => {
  test('moves from a database to Kafka and back: positions, times and bytes stay', async () => {
    const { run, topic } = installation();
    for (const version of ['1.0.0', '2.0.0', '3.0.0'])
      expect((await run(release(version))).exit).toBe(0);
    const before = await run(['timeline', '--json']);
    const old = (await run(['export', '--raw'])).out.trim().split('\n');

    const there = await run(move('sqlite:./plimsoll-data', kafka));
    expect([there.exit, faultsOf('migrate', line(there))]).toEqual([0, []]);
    expect(line(there)).toMatchObject({ position: 7, copied: 7, to: kafka, already: false });
    expect(await timeTypeOf(topic)).toBe('LogAppendTime');
    const refused = await run(release('4.0.0'));
    expect([refused.exit, refused.err]).toEqual([
      3,
      expect.stringContaining(`PLIMSOLL_LOG=${kafka}`),
    ]);
    const onKafka = { PLIMSOLL_LOG: kafka };
    expect((await run(['timeline', '--json'], onKafka)).out).toBe(before.out);
    expect((await run(['export', '--raw'], onKafka)).out.trim().split('\n').slice(0, 7)).toEqual(
      old.slice(0, 7),
    );
    const stored = await run(release('4.0.0'), onKafka);
    expect([stored.exit, line(stored)]).toMatchObject([0, { position: 8 }]);
    const seen = await kcat(kafkaBrokers, topic);
    expect(seen.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(
      seen.slice(0, 7).map(({ appendedAtMs }) => new Date(appendedAtMs).toISOString()),
    ).toEqual(
      old.slice(0, 7).map((text) => (JSON.parse(text) as { appendedAt: string }).appendedAt),
    );

    const back = await run(move(kafka, 'sqlite:./home'));
    expect([back.exit, line(back)]).toMatchObject([0, { position: 9, copied: 9 }]);
    const atHome = { PLIMSOLL_LOG: 'sqlite:./home' };
    const operations = (await run(['operations', '--json'], atHome)).out.trim().split('\n');
    expect(operations.map((text) => (JSON.parse(text) as { kind: string }).kind)).toEqual([
      'log-continued',
      'log-continued',
    ]);
    expect((await run(release('5.0.0'), atHome)).exit).toBe(0);
    expect((await run(release('6.0.0'), onKafka)).exit).toBe(3);
    expect((await run(['dead-letters', 'list', '--json'], atHome)).out).toBe('');
  });

  test('that moves is killed again and again, and arrives whole', async () => {
    const { run, folder, audience, topic } = installation();
    expect((await run(release('1.0.0'))).exit).toBe(0);
    const records = await hostileLog({ seed: 5, audience, records: 3_000 });
    const database = await onDatabase(join(folder, 'plimsoll-data'), audience);
    // Their own keys open no log here: what they say is kept as dead letters, and moves with the rest.
    await database.append(records.slice(1));
    await database.log.close();
    const temporary = join(folder, 'temporary');
    mkdirSync(temporary);
    const TMPDIR = temporary;
    const env = { PLIMSOLL_AUDIENCE: audience, PLIMSOLL_STORE: 'memory:', ...key, TMPDIR };
    const total = records.length - 1 + 5;
    for (const afterMs of [400, 700, 1_000, 1_400, 1_900]) {
      const moving = startPlimsoll(folder, move('sqlite:./plimsoll-data', kafka), env);
      await new Promise((done) => setTimeout(done, afterMs));
      moving.signal('SIGKILL');
      await moving.ended;
      // Where no topic is yet, who looks would make the log.
      if ((await timeTypeOf(topic).catch(() => undefined)) === undefined) continue;
      // Asked before the topic is: what a killed one had sent last may still be done by the broker.
      const look = await run(['current', '--json'], { PLIMSOLL_LOG: kafka });
      if ((await timeTypeOf(topic).catch(() => undefined)) !== 'CreateTime') continue;
      expect([look.exit, look.err]).toEqual([3, expect.stringContaining('plimsoll migrate again')]);
    }
    // What a killed one leaves beside its log is scratch; the one that arrives leaves nothing.
    const left = readdirSync(temporary);
    const moved = await run(move('sqlite:./plimsoll-data', kafka), { TMPDIR });
    expect([moved.exit, moved.err]).toEqual([0, expect.not.stringContaining('internal')]);
    expect(readdirSync(temporary)).toEqual(left);
    expect(line(moved)).toMatchObject({ position: total });
    const fed = await onStack(stack, audience);
    expect(value(await fed.log.range(0)).end).toBe(total + 1);
    await fed.log.close();
    await fed.store.close();
  });

  test('does not move to where a log is, nor to itself, nor from where none is', async () => {
    const { run } = installation();
    expect((await run(release('1.0.0'))).exit).toBe(0);
    const code = async (args: readonly string[], env: Env = {}): Promise<readonly unknown[]> => {
      const { exit, err } = await run(args, env);
      return [exit, (JSON.parse(err.trim().split('\n').at(-1) ?? '{}') as { code?: string }).code];
    };
    const self = move('sqlite:./plimsoll-data', 'sqlite:plimsoll-data/');
    expect(await code(self)).toEqual([2, 'option-invalid']);
    expect(await code(move('sqlite:./nowhere', kafka))).toEqual([2, 'option-invalid']);
    expect(await code(move(kafka, 'sqlite:./target'))).toEqual([6, 'refused']);
    expect((await run(release('1.0.0'), { PLIMSOLL_LOG: 'sqlite:./taken' })).exit).toBe(5);
    expect(await code(move('sqlite:./plimsoll-data', 'sqlite:./taken'))).toEqual([
      3,
      'target-taken',
    ]);
    expect((await run(release('2.0.0'))).exit).toBe(0);
  });
});

test('a canary that runs keeps its log where it is, until it has ended', async () => {
  const { run } = installation();
  expect((await run(release('1.0.0'))).exit).toBe(0);
  const plan = ['release', 'plan', 'c', '--component-name=shop', '--environment-name=production'];
  expect((await run([...plan, '--target-version=2.0.0', '--canary-share=0.1'])).exit).toBe(0);
  expect((await run(['release', 'update', 'c', '--status=RUNNING'])).exit).toBe(0);
  const held = await run(move('sqlite:./plimsoll-data', 'sqlite:./elsewhere'));
  expect([held.exit, held.err]).toEqual([3, expect.stringContaining('canary-running')]);
  await eventually('nothing was sealed', async () => (await run(release('1.1.0'))).exit === 0);
  expect((await run(['release', 'update', 'c', '--status=CANCELED'])).exit).toBe(0);
  expect((await run(move('sqlite:./plimsoll-data', 'sqlite:./elsewhere'))).exit).toBe(0);
});
