import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readKeyFile } from '../../services/adapters/ed25519/key-file.ts';
import { openKafkaRecordLog } from '../../services/adapters/kafka/record-log.ts';
import type { NewRecord } from '../../services/core/log/record.ts';
import { signMarker } from '../../services/core/markers/wire.ts';
import { editions } from '../../services/dev/build/editions.ts';
import type { Stack } from '../../services/dev/stack/stack.ts';
import { partsOf, startStack } from '../../services/dev/stack/stack.ts';
import type { Signer } from '../../services/ports/signer.ts';
import { analysisOf, artifact, decision } from '../support/decisions.ts';
import { eventually } from '../support/eventually.ts';
import { keyOf, markerOf, tools } from '../support/given.ts';
import type { Said } from '../support/markers.ts';
import { logged, place } from '../support/markers.ts';
import type { Installed } from '../support/packages.ts';
import { installPackage } from '../support/packages.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience } from '../support/stack.ts';

// A program of somebody else: the packed package with kafkajs beside it, in a folder that was empty, reads the log from
// Kafka itself, on a broker that is killed under it.

const manyMs = 180_000;
vi.setConfig({ testTimeout: manyMs, hookTimeout: manyMs });

const folder = scratchFolder();
const audience = freshAudience();
/** Without addresses from outside: this stack is to be broken. */
const ownStack = { PLIMSOLL_TEST_KAFKA: '', PLIMSOLL_TEST_REDIS: '' };

let stack: Stack;
let installed: Installed;
let up: ReturnType<typeof startPlimsoll>;
let env: { readonly [name: string]: string };
let gateway: string;

beforeAll(async () => {
  const edition = editions.find(({ name }) => name === 'plimsoll');
  if (edition === undefined) throw new Error('no package for pipelines');
  const version = '2.2.4';
  [stack, installed] = await Promise.all([
    startStack({ proxied: true, env: { ...process.env, ...ownStack } }),
    installPackage(edition, [`kafkajs@${version}`]),
  ]);
  writeFileSync(join(installed.folder, 'follow.mjs'), program);
  env = {
    PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
    PLIMSOLL_STORE: stack.redisUrl,
    PLIMSOLL_AUDIENCE: audience,
    ...{ PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' },
  };
  up = startPlimsoll(folder, ['up'], env);
  await eventually('all services are ready', () => up.out().includes('ready'), manyMs);
  gateway = /gateway: (http:\S+)\n/.exec(up.out())?.[1] ?? '';
});
const following: ReturnType<typeof follow>[] = [];
afterAll(async () => {
  for (const { end } of following) await end();
  up.signal('SIGTERM');
  await up.ended;
  await stack.stop();
  installed.remove();
});

const program = `
import { followDecisions, followMarkers, fromKafka } from 'plimsoll';
const [brokers, audience, from, gateway] = process.argv.slice(2);
const options = {
  source: fromKafka({ brokers: brokers.split(','), audience }),
  audience, logId: null, from: Number(from),
  onNote: ({ code, position }) => console.error(code, position),
};
if (gateway === undefined)
  for await (const { position, marker, signer } of followMarkers(options))
    console.log(position, marker.kind, marker.version ?? '', signer.principal.split('@')[0]);
else
  for await (const { fact, act, refused } of followDecisions({ ...options, gateway }))
    console.log(fact.position, act === null ? refused.code : act.act + ' to ' + act.toVersion);
`;

const follow = (
  from: number,
  ...asking: readonly string[]
): {
  readonly lines: () => readonly string[];
  readonly notes: () => readonly string[];
  readonly end: () => Promise<unknown>;
} => {
  const args = [stack.kafkaBrokers.join(','), audience, String(from), ...asking];
  const child = spawn(
    process.execPath,
    ['--disable-warning=TimeoutNegativeWarning', 'follow.mjs', ...args],
    {
      cwd: installed.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = new Promise((done) => child.on('close', done));
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (err += text));
  const linesOf = (text: string): readonly string[] => text.split('\n').slice(0, -1);
  const followed = {
    lines: () => linesOf(out),
    notes: () => linesOf(err),
    end: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
  following.push(followed);
  return followed;
};

/** The position of what was stored. */
const say = async (...args: readonly string[]): Promise<number> => {
  const { exit, out, err } = await plimsoll(folder, [...args, '--json'], env);
  if (exit !== 0) throw new Error(err);
  return (JSON.parse(out) as { readonly position: number }).position;
};
const logs = (version: string, ...more: readonly string[]): Promise<number> =>
  say(
    ...['release', 'log', '--environment-name=production', '--component-name=checkout'],
    ...[`--target-version=${version}`, ...more],
  );

const signed = (says: Said, signer: Signer): Promise<NewRecord> => {
  const marker = markerOf('somebody', { audience, ...says }, `marker ${Math.random()}`, Date.now());
  return signMarker(tools.codec, tools.text, marker, signer);
};
const append = async (record: NewRecord): Promise<number> => {
  const topic = `plimsoll.${audience}.log`;
  const brokers = stack.kafkaBrokers;
  const log = value(
    await openKafkaRecordLog({ brokers, topic, partitions: 1, keptMs: 'for-ever' }),
  );
  const [stored] = value(await log.append(0, [record]));
  await log.close();
  if (stored === undefined) throw new Error('nothing was stored');
  return stored.position;
};

const has = (one: ReturnType<typeof follow>, line: string): Promise<void> =>
  eventually(`follows: ${line}`, () => one.lines().includes(line), 60_000);

test('every fact is handed out, and each new one; from a position only what comes then', async () => {
  const first = await logs('1.0.0');
  const whole = follow(0);
  await has(whole, `${first} logged 1.0.0 local`);
  expect(whole.lines()[0]).toMatch(/^0 log-opened /);
  expect(whole.lines().map((line) => Number(line.split(' ')[0]))).toEqual(
    Array.from({ length: first + 1 }, (_, at) => at),
  );
  const second = await logs('1.0.1');
  await has(whole, `${second} logged 1.0.1 local`);
  const later = follow(second);
  await has(later, `${second} logged 1.0.1 local`);
  expect(later.lines()).toHaveLength(1);
});

test('what a stranger signed is told and never handed out; what follows it is', async () => {
  const from = await logs('2.0.0');
  const one = follow(from);
  const strangers = await append(
    await signed(logged('6.6.6', { slot: place('production') }), keyOf('stranger')),
  );
  const next = await logs('2.0.1');
  await has(one, `${next} logged 2.0.1 local`);
  expect(one.lines()).toEqual([`${from} logged 2.0.0 local`, `${next} logged 2.0.1 local`]);
  expect(one.notes()).toEqual([`key-unknown ${strangers}`]);
});

test('a decision comes with what the gateway says may be done', async () => {
  await logs('1.9.4', `--digest=${artifact('a')}`);
  const place_ = ['--environment-name=production', '--component-name=checkout'];
  const canary = ['--strategy=canary', '--canary-share=0.1', `--digest=${artifact('b')}`];
  const plan = ['release', 'plan', ...place_, ...canary, '--target-version=2.0.2', '--json'];
  const planned = await plimsoll(folder, plan, env);
  const { deployment } = JSON.parse(planned.out) as { readonly deployment: string };
  const from = await say('release', 'update', '--status=running');
  const key = value(await readKeyFile(join(folder, 'plimsoll-data/keys/analyser.json')));
  const says = decision('roll-back', {
    ...{ deployment, analysis: analysisOf(deployment), slot: place('production') },
    ...{ windowEndedAt: Date.now(), fromVersion: '2.0.2' },
  });
  const at = await append(await signed(says, key));
  await has(follow(from, gateway), `${at} roll-back to 1.9.4`);
});

test('a broker that is killed and comes back loses and doubles nothing', async () => {
  const from = await logs('3.0.0');
  const one = follow(from);
  await has(one, `${from} logged 3.0.0 local`);
  const [broker] = partsOf(stack).kafka;
  await broker?.kill();
  await eventually('the outage is told', () => one.notes().includes('unreachable null'), 60_000);
  await broker?.start();
  const next = await logs('3.0.1');
  await has(one, `${next} logged 3.0.1 local`);
  expect(one.lines()).toEqual([`${from} logged 3.0.0 local`, `${next} logged 3.0.1 local`]);
});

test('the log is one partition: what somebody writes into another is none of it', async () => {
  const from = await logs('4.0.0');
  const topic = `plimsoll.${audience}.log`;
  const kafka = new Kafka({ brokers: [...stack.kafkaBrokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
  await admin.disconnect();
  const local = value(await readKeyFile(join(folder, 'plimsoll-data/keys/local.json')));
  const producer = kafka.producer();
  await producer.connect();
  const send = async (
    partition: number,
    { key, headers, value: body }: NewRecord,
  ): Promise<number> => {
    const named = headers.map((header): [string, Buffer] => [
      header.name,
      Buffer.from(header.value),
    ]);
    const message = { partition, key: Buffer.from(key), value: Buffer.from(body) };
    const [sent] = await producer.send({
      topic,
      messages: [{ ...message, headers: Object.fromEntries(named) }],
    });
    return Number(sent?.baseOffset);
  };
  await send(1, await signed(logged('9.9.9'), local));
  const at = await send(0, await signed(logged('4.0.1'), local));
  await producer.disconnect();
  const one = follow(from);
  await has(one, `${at} logged 4.0.1 local`);
  expect(one.lines()).toEqual([`${from} logged 4.0.0 local`, `${at} logged 4.0.1 local`]);
});
