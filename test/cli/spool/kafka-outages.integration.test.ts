import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Stack } from '../../../services/dev/stack/stack.ts';
import { partsOf, startStack } from '../../../services/dev/stack/stack.ts';
import { isKafkaProduce } from '../../../services/dev/stack/tcp-proxy.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Ran } from '../../support/plimsoll.ts';
import { plimsoll } from '../../support/plimsoll.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';
import { freshAudience } from '../../support/stack.ts';

// The real command and a real broker, with nothing between them but a bad day.

const manyMs = 180_000;
vi.setConfig({ testTimeout: manyMs, hookTimeout: manyMs });

const folder = join(scratchFolder(), randomUUID());
/** Without addresses from outside: this stack is to be broken. */
const ownStack = { PLIMSOLL_TEST_KAFKA: '', PLIMSOLL_TEST_REDIS: '' };
let stack: Stack;
let env: { readonly [name: string]: string };

type Node = ReturnType<typeof partsOf>['kafka'][number];
const broker = (): Node => {
  const [node] = partsOf(stack).kafka;
  if (node === undefined) throw new Error('the stack has no broker');
  return node;
};

beforeAll(async () => {
  stack = await startStack({ proxied: true, env: { ...process.env, ...ownStack } });
  env = {
    PLIMSOLL_LOG: `kafka://${stack.kafkaBrokers.join(',')}`,
    PLIMSOLL_AUDIENCE: freshAudience(),
  };
  const { exit, err } = await plimsoll(folder, log('0'), env);
  if (exit !== 0) throw new Error(`first use: ${err}`);
});

beforeEach(() => broker().proxy?.heal());

afterAll(async () => {
  await stack?.stop();
});

const log = (version: string, ...more: readonly string[]): readonly string[] => [
  ...['release', 'log', '--component-name=shop', `--environment-name=e${version}`],
  ...[`--target-version=${version}`, ...more],
];

const deliveryOf = ({ out }: Ran): unknown => {
  const receipt = JSON.parse(out) as { readonly delivery: string };
  expect(faultsOf('receipt', receipt)).toEqual([]);
  return receipt.delivery;
};

const versions = async (): Promise<readonly string[]> =>
  (await plimsoll(folder, ['timeline', '--json'], env)).out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly version: string }).version);

const flushed = async (): Promise<string> => {
  const said = await plimsoll(folder, ['flush'], env);
  return `${said.exit}: ${said.out.trimEnd().split('\n').at(-1) ?? ''}`;
};

test.each<[string, string, () => Promise<void> | void, () => Promise<void> | void]>([
  ['killed', '1', () => broker().kill(), () => broker().start()],
  ['stopped in its tracks', '2', () => broker().pause(), () => broker().resume()],
  ['behind a network that swallows all', '3', () => broker().proxy?.halfOpen(), () => undefined],
  ['behind a network that refuses', '4', () => broker().proxy?.refuse(), () => undefined],
  ['so slow that nothing comes of it', '5', () => broker().proxy?.slow(200, 200), () => undefined],
])(
  'with a broker that is %s the marker waits, and is delivered once',
  async (_fault, version, spoil, mend) => {
    await spoil();
    // It ends while the fault lasts: nobody but the deadline ends it.
    const said = await plimsoll(folder, log(version, '--json', '--timeout=3s'), env);
    await mend();
    broker().proxy?.heal();
    expect([said.exit, deliveryOf(said)]).toEqual([0, 'spooled']);
    expect(said.err.trimEnd().split('\n')).toHaveLength(1);
    expect(await flushed()).toBe('0: 1 delivered, 0 still waiting');
    expect(await flushed()).toBe('0: nothing waits in the spool');
    expect((await versions()).filter((one) => one === version)).toEqual([version]);
  },
);

test('an answer that is lost after the append leaves one marker, however often it is sent', async () => {
  const proxy = broker().proxy;
  if (proxy === undefined) throw new Error('the stack has no proxy');
  const dropped = proxy.dropAnswer(isKafkaProduce);
  const said = await plimsoll(folder, log('6', '--json'), env);
  expect([await dropped, said.exit]).toEqual([true, 0]);
  await flushed();
  expect((await versions()).filter((one) => one === '6')).toEqual(['6']);
});
