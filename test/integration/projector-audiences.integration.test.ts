import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { projectorGroup } from '../../services/projector/group.ts';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import type { ProjectorProcess } from '../support/projector-processes.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import { value } from '../support/records.ts';
import { tools } from '../support/given.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProcess = projectorProcesses();
const takeOverMs = 30_000;
const testTimeoutMs = 120_000;

type Tenant = {
  readonly fed: FedLog;
  readonly group: string;
  /** Appends the next records of its hostile log. */
  readonly feed: (count: number) => Promise<void>;
  readonly projectors: ProjectorProcess[];
};

const openTenant = async (audience: string, seed: number): Promise<Tenant> => {
  const fed = await onStack(stack, audience);
  const left = [...(await hostileLog({ seed, audience, records: 500 }))];
  const start = (): ProjectorProcess =>
    startProcess({
      log: `kafka://${stack.kafkaBrokers.join(',')}`,
      store: stack.redisUrl,
      ...{ audience, folder, leaseMs: leaseMsOn(stack) },
    });
  return {
    fed,
    group: projectorGroup(tools.crypto, audience, fed.store.name),
    feed: async (count) => fed.append(left.splice(0, count)),
    projectors: [start(), start()],
  };
};

/** Both projectors of each have found each other: from then on nobody joins any more. */
const haveMet = async (tenants: readonly Tenant[]): Promise<boolean> => {
  const admin = new Kafka({
    brokers: [...stack.kafkaBrokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups(tenants.map(({ group }) => group));
    return groups.every(({ state, members }) => state === 'Stable' && members.length === 2);
  } finally {
    await admin.disconnect();
  }
};

const activeOf = async ({ projectors }: Tenant): Promise<ProjectorProcess> => {
  const active = (): readonly ProjectorProcess[] => projectors.filter((each) => each.isActive());
  await eventually('one is active', () => active().length === 1, takeOverMs);
  const [one] = active();
  if (one === undefined) throw new Error('the active one is gone');
  return one;
};

test(
  'two audiences on one Kafka and one Redis, one named like the beginning of the other: each has its own active projector and its own rows, and whatever happens to one the other goes on',
  async () => {
    const { seed } = seededChance();
    const shop = freshAudience();
    const one = await openTenant(shop, seed);
    const other = await openTenant(`${shop}.eu`, seed + 1);
    const all = [one, other];
    await eventually('they have met', () => haveMet(all), takeOverMs);
    await Promise.all(all.map(({ feed }) => feed(120)));
    await Promise.all(all.map(({ fed }) => fed.compareAtEnd()));
    const killed = await activeOf(one);
    const undisturbed = await activeOf(other);
    // While the two found each other the work may have gone from hand to hand.
    const stoodBy = undisturbed.said('standby').length;

    killed.signal('SIGKILL');
    expect(await killed.over).toBe('SIGKILL');
    one.projectors.splice(one.projectors.indexOf(killed), 1);
    await Promise.all(all.map(({ feed }) => feed(120)));
    await Promise.all(all.map(({ fed }) => fed.compareAtEnd()));
    await activeOf(one);
    expect(await activeOf(other)).toBe(undisturbed);
    expect(undisturbed.said('standby')).toHaveLength(stoodBy);

    // One goes back to nothing; the other keeps every row.
    const before = value(await other.fed.store.dump('g1'));
    for (const each of one.projectors) each.send('stop');
    await Promise.all(one.projectors.map(({ over }) => over));
    value(await one.fed.store.switchTo('g1', 'g2'));
    value(await one.fed.store.drop('g1'));
    expect(value(await one.fed.store.dump('g1'))).toEqual([]);
    expect(value(await other.fed.store.dump('g1'))).toEqual(before);
    await other.feed(60);
    await other.fed.compareAtEnd();

    // Handed over in order, the other one of the second audience goes on.
    undisturbed.send('stop');
    expect(await undisturbed.over).toBe(0);
    await other.feed(60);
    await other.fed.compareAtEnd();
    for (const each of [...one.projectors, ...other.projectors])
      expect(each.said('stopped-by')).toEqual([]);
  },
  testTimeoutMs,
);
