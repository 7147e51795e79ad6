import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Stack } from '../../services/dev/stack/stack.ts';
import { partsOf, startStack } from '../../services/dev/stack/stack.ts';
import { faultsOf } from '../support/cli-schemas.ts';
import { eventually } from '../support/eventually.ts';
import { plimsoll, startPlimsoll } from '../support/plimsoll.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience } from '../support/stack.ts';

// The real command on a real Kafka and Redis of this file's own, each behind a proxy, by hand and through a gateway on them.

const manyMs = 180_000;
vi.setConfig({ testTimeout: manyMs, hookTimeout: manyMs });
const folder = scratchFolder();
const audience = freshAudience();
const ownStack = { PLIMSOLL_TEST_KAFKA: '', PLIMSOLL_TEST_REDIS: '' };
let stack: Stack;
let up: ReturnType<typeof startPlimsoll>;
let direct: { readonly [name: string]: string };
let through: { readonly [name: string]: string };

beforeAll(async () => {
  stack = await startStack({ proxied: true, env: { ...process.env, ...ownStack } });
  direct = {
    PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
    PLIMSOLL_STORE: stack.redisUrl,
    PLIMSOLL_AUDIENCE: audience,
  };
  up = startPlimsoll(folder, ['up'], { ...direct, PLIMSOLL_PORT: '0', PLIMSOLL_OTLP_PORT: '0' });
  await eventually('all services are ready', () => up.out().includes('ready'), manyMs);
  const gateway = /gateway: (http:\S+)\n/.exec(up.out())?.[1] ?? '';
  through = {
    PLIMSOLL_URL: gateway,
    PLIMSOLL_AUDIENCE: audience,
    PLIMSOLL_KEY: join(folder, 'plimsoll-data/keys/local.json'),
  };
});
afterEach(() => {
  for (const { proxy } of [...partsOf(stack).kafka, partsOf(stack).redis]) proxy?.heal();
});
afterAll(async () => {
  up.signal('SIGTERM');
  await up.ended;
  await stack.stop();
});

type Line = {
  readonly check: string;
  readonly outcome: string;
  readonly message: string;
  readonly hint: string;
};
type Looked = { readonly exit: number | null; readonly lines: readonly Line[] };

const doctor = async (
  env: { readonly [name: string]: string },
  ...more: readonly string[]
): Promise<Looked> => {
  const { exit, out } = await plimsoll(folder, ['doctor', '--json', ...more], env);
  const lines = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  expect(lines.flatMap((line) => faultsOf('doctor-check', line))).toEqual([]);
  // Whatever is wrong, there is a line of what to do.
  expect(lines.filter(({ outcome, hint }) => outcome === 'fail' && hint === '')).toEqual([]);
  return { exit, lines };
};
const outcomes = ({ lines }: Looked): readonly string[] =>
  lines.map(({ check, outcome }) => `${check} ${outcome}`);
const failure = ({ lines }: Looked): Line | undefined =>
  lines.find(({ outcome }) => outcome === 'fail');

const wholeWay = ['test marker ok', 'read back ok', 'undone ok', 'said again ok'];
const checklists = [
  'pre-production: markers are valid met',
  'production: markers are seen in time met',
  'production: the same marker counts once met',
  'production: canaries are analysed not-met',
  'production: alerts are routed unseen',
];

test('on Kafka and Redis a marker goes there and back, and both checklists are walked', async () => {
  const looked = await doctor(direct, '--readiness');
  expect(looked.exit).toBe(0);
  expect(outcomes(looked)).toEqual(
    expect.arrayContaining([
      ...['key ok', 'spool ok', 'broker ok', 'read models ok', 'log id warn', 'trust warn'],
      ...[...wholeWay, ...checklists],
    ]),
  );
});

test('through a gateway on them as well', async () => {
  const looked = await doctor(through, '--readiness');
  expect(looked.exit).toBe(0);
  expect(outcomes(looked)).toEqual(
    expect.arrayContaining(['gateway ok', 'clock ok', 'trust warn', ...wholeWay, ...checklists]),
  );
});

test('of an audience that has no log it says so, and makes none', async () => {
  const env = { ...direct, PLIMSOLL_AUDIENCE: freshAudience() };
  for (const _time of [1, 2]) {
    const looked = await doctor(env);
    expect(looked.exit).toBe(0);
    expect(looked.lines.at(-1)).toMatchObject({
      ...{ check: 'broker', outcome: 'warn', hint: expect.stringContaining('PLIMSOLL_AUDIENCE') },
    });
  }
});

test('where nobody has made keys yet, an audience without a log gets them with its first marker', async () => {
  const env = { ...direct, PLIMSOLL_AUDIENCE: freshAudience() };
  const elsewhere = join(folder, 'elsewhere');
  const outcomeOfKey = async (of: typeof direct): Promise<string> => {
    const { exit, out } = await plimsoll(elsewhere, ['doctor'], of);
    return `${exit} ${out.split('\n').find((line) => line.includes(' key: ')) ?? 'nothing'}`;
  };
  expect(await outcomeOfKey(env)).toBe(
    '0 -     key: none is named; first use of the log makes one',
  );
  expect(await outcomeOfKey(direct)).toMatch(/^5 FAIL {2}key: /);
  const first = ['release', 'log', '--component-name=shop', '--target-version=1'];
  expect(await plimsoll(elsewhere, first, env)).toMatchObject({ exit: 0 });
  expect(await outcomeOfKey(env)).toMatch(/^0 ok {4}key: /);
});

test('a log that is not the pinned one is 3, and nothing is sent', async () => {
  const pinned = { PLIMSOLL_LOG_ID: '0190a000-0000-7000-8000-00000000000f' };
  for (const env of [direct, through]) {
    const looked = await doctor({ ...env, ...pinned });
    expect([looked.exit, outcomes(looked).includes('test marker ok')]).toEqual([3, false]);
  }
});

test('without Redis the broker answers, and the read models say where they should be', async () => {
  partsOf(stack).redis.proxy?.refuse();
  const looked = await doctor(direct);
  expect(looked.exit).toBe(6);
  expect(outcomes(looked)).toContain('broker ok');
  expect(failure(looked)).toMatchObject({
    ...{ check: 'read models', hint: 'see PLIMSOLL_STORE; is Redis up?' },
    message: expect.stringMatching(/^Redis at /),
  });
  const remote = await doctor(through);
  expect(remote.exit).toBe(6);
  expect(failure(remote)).toMatchObject({
    ...{ check: 'gateway', hint: expect.stringContaining('is what it stands on up?') },
    message: expect.stringMatching(/^it answers and is not ready: Redis at /),
  });
});

test('without the broker it says which address, and what to look at', async () => {
  partsOf(stack).kafka[0]?.proxy?.refuse();
  const looked = await doctor(direct);
  expect(looked.exit).toBe(6);
  expect(failure(looked)).toMatchObject({
    ...{ check: 'broker', hint: 'see PLIMSOLL_LOG; is the broker up?' },
    message: expect.stringContaining(stack.kafkaBrokers[0] ?? '?'),
  });
  const remote = await doctor(through);
  expect(remote.exit).toBe(6);
  expect(failure(remote)).toMatchObject({
    ...{ check: 'gateway', hint: expect.stringContaining('is what it stands on up?') },
  });
});

test('without the gateway it says that nobody is there', async () => {
  const looked = await doctor({ ...through, PLIMSOLL_URL: 'http://127.0.0.1:9' });
  expect(looked.exit).toBe(6);
  expect(failure(looked)).toMatchObject({
    check: 'gateway',
    message: expect.stringContaining('127.0.0.1:9'),
  });
});
