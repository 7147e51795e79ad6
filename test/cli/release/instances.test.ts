import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { instancePartitions } from '../../../services/core/instances/instance.ts';
import { checkInstance } from '../../../services/core/instances/wire.ts';
import { fail } from '../../../services/core/result.ts';
import type { KeyState } from '../../../services/core/trust/trust.ts';
import { problem } from '../../../services/cli/problem.ts';
import { loadState } from '../../../services/projector/project.ts';
import { faultsOf } from '../../support/cli-schemas.ts';
import type { Desk, DeskOptions } from '../../support/desk.ts';
import { jsonOf, openDesk } from '../../support/desk.ts';
import type { Step } from '../../support/given.ts';
import { tools, trusts } from '../../support/given.ts';
import { audience } from '../../support/markers.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const scratch = scratchFolder();
const desk = (options: DeskOptions & { readonly steps?: readonly Step[] } = {}): Promise<Desk> =>
  openDesk({ folder: join(scratch, randomUUID()), ...options });

const digest = `sha256:${'a'.repeat(64)}`;
const start = [
  ...['instance', 'start', '--component-name=checkout', '--environment-name=production'],
  '--target-version=2.0.0',
];

const stored = async ({ house }: Desk) => {
  const pages = await Promise.all(
    Array.from({ length: instancePartitions }, (_, partition) =>
      house.instances.read(partition, 0, 100),
    ),
  );
  return pages.flatMap((page) => value(page));
};

test.each([false, true])(
  'a start is stored as it was said (through a gateway: %s)',
  async (isRemote) => {
    const at = await desk({ isRemote });
    const said = await at.plimsoll(
      ...start,
      ...[`--digest=${digest}`, '--instance=web-0', '--zone=eu-1', '--cluster=blue', '--json'],
      '--started-at=2026-11-21T09:59:00Z',
    );
    expect(said).toMatchObject({ exit: 0, err: [] });
    expect(faultsOf('instance-receipt', jsonOf(said))).toEqual([]);
    expect(jsonOf(said)).toMatchObject({ instance: 'web-0', position: 0 });
    const [record] = await stored(at);
    const keys = await trustedKeys(at);
    if (record === undefined) throw new RangeError('nothing was stored');
    expect(value(checkInstance(tools, audience, keys, record))).toMatchObject({
      slot: { environment: 'production', component: 'checkout' },
      version: '2.0.0',
      digest,
      instance: 'web-0',
      zone: 'eu-1',
      cluster: 'blue',
      startedAt: Date.parse('2026-11-21T09:59:00Z'),
    });
  },
);

const trustedKeys = async ({ house }: Desk) => {
  await house.project();
  const generation = value(await house.store.current()) ?? '';
  const state = value(await loadState({ store: house.store, tools }, generation));
  return state?.trust.keys ?? new Map<string, KeyState>();
};

test('people read where it lies', async () => {
  const { out } = await (await desk()).plimsoll(...start);
  expect(out).toEqual([
    expect.stringMatching(
      /^instance desk of default\/production\/checkout\/ runs 2\.0\.0 \(instances \d+, position 0\)$/,
    ),
  ]);
});

test('what is wrong in the command line is said in its words, and nothing is written', async () => {
  const at = await desk();
  const said = await at.plimsoll(...start, '--digest=latest');
  expect(said.exit).toBe(2);
  expect(said.err.join('\n')).toContain('--digest must be sha256:');
  expect((await at.plimsoll(...start, '--started-at=noon')).exit).toBe(2);
  expect(await stored(at)).toEqual([]);
});

test('a key that may not speak there is told so', async () => {
  const at = await desk({ steps: [trusts('stage', { environments: ['staging'] })] });
  const said = await at.plimsoll(...start, '--key=stage.json');
  expect(said.exit).toBe(5);
  expect(said.err.join('\n')).toContain('may not act on default/production/checkout/');
  expect((await at.plimsoll(...start, '--key=stage.json', '--no-fail')).exit).toBe(0);
  expect(await stored(at)).toEqual([]);
});

test('without read models it is stored unasked', async () => {
  const at = await desk({
    change: (ports) => ({
      ...ports,
      atHand: async () => fail(problem('unreachable', 'the store is away', '')),
    }),
  });
  expect(jsonOf(await at.plimsoll(...start, '--json'))).toMatchObject({ code: 'not-checked' });
});

test('an outage fails no container: it is told, and with --strict it is a failure', async () => {
  const at = await desk({
    change: (ports) => ({
      ...ports,
      atHand: async () => fail(problem('unreachable', 'all is away', '')),
      instances: { topic: async () => fail(problem('unreachable', 'all is away', '')) },
    }),
  });
  const said = await at.plimsoll(...start);
  expect([said.exit, said.out, said.err.join(' ')]).toEqual([
    0,
    [],
    expect.stringContaining('nobody heard of this start: all is away'),
  ]);
  expect((await at.plimsoll(...start, '--strict')).exit).toBe(6);
});
