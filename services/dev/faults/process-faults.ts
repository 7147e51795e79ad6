import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Chance, StreetFault } from './fault.ts';
import type { Member } from './member.ts';
import { otherFold } from './street.ts';
import type { Street } from './street.ts';
import { groupOf } from './group.ts';

// What happens to the services themselves.

const burst = 25;
const endWithinMs = 120_000;

/** Killed while there is work, and started again a little later. */
const killed = (
  kind: string,
  weight: number,
  of: (street: Street) => readonly Member[],
): StreetFault => ({
  kind,
  weight,
  make: async (street, chance) => {
    const member = chance.oneOf(of(street));
    await street.emitters.burst(burst);
    await chance.pause(0, 300);
    await member.kill();
    await chance.pause(0, 500);
    member.start();
  },
});

/** Stopped for longer than its session, so that others take its work, and then it wakes and knows nothing of it. */
const slept = (
  kind: string,
  weight: number,
  of: (street: Street) => readonly Member[],
): StreetFault => ({
  kind,
  weight,
  make: async (street, chance, leaseMs) => {
    const member = chance.oneOf(of(street));
    await street.emitters.burst(burst);
    await chance.pause(0, 200);
    member.pause();
    await chance.pause(leaseMs * 1.2, leaseMs * 2);
    member.resume();
  },
});

const over = async (street: Street, member: Member): Promise<void> => {
  const timer = new AbortController();
  const late = sleep(endWithinMs, 'late', { signal: timer.signal }).catch(() => 'in time');
  const how = await Promise.race([member.over(), late]);
  timer.abort();
  if (how === 'late')
    throw new Error(
      `${member.name} does not end: ${street.events.last(20).join('\n')}\n${member.lastOutput()}`,
    );
};

/** Ended with this code, or the fault was not met as it must be. */
const endedWith = (member: Member, codes: readonly string[]): void => {
  if (!codes.some((code) => member.told().includes(code)))
    throw new Error(
      `${member.name} did not say ${codes.join(' or ')}: it said ${member.told().join(', ')}`,
    );
};

const stopAll = (members: readonly Member[]): Promise<unknown> =>
  Promise.all(members.map((member) => member.stop()));
const startAll = (members: readonly Member[]): void => {
  for (const member of members) member.start();
};

export const processFaults: readonly StreetFault[] = [
  killed('projector-killed', 10, ({ projectors }) => projectors),
  killed('analyser-killed', 4, ({ analysers }) => analysers),
  killed('gateway-killed', 3, ({ gateway }) => [gateway]),
  slept('projector-slept', 6, ({ projectors }) => projectors),
  slept('analyser-slept', 2, ({ analysers }) => analysers),
  {
    kind: 'projectors-all-killed',
    weight: 2,
    make: async (street, chance) => {
      await street.emitters.burst(burst);
      await Promise.all(street.projectors.map((projector) => projector.kill()));
      await chance.pause(0, 500);
      startAll(street.projectors);
    },
  },
  {
    kind: 'clock-jumped',
    weight: 4,
    isPossible: ({ clock }) => clock !== undefined,
    make: async (street, chance) => {
      const { clock, projectors } = street;
      // So that the one with that clock is the one that works.
      const others = projectors.slice(0, -1);
      if (chance.random() < 0.5) await Promise.all(others.map((projector) => projector.kill()));
      for (let jump = 0; jump < 3; jump += 1) {
        clock?.jump(Math.round((chance.random() - 0.5) * 2 * 86_400));
        await street.emitters.burst(burst);
        await chance.pause(300, 1_200);
      }
      clock?.jump(0);
      startAll(others);
    },
  },
  {
    kind: 'rebalance-storm',
    weight: 3,
    make: async (street, chance) => {
      const { brokers } = street.foundation.settings.log as { brokers: readonly string[] };
      for (let stranger = 0; stranger < 4; stranger += 1) {
        await street.emitters.burst(5);
        await joinAndLeave(street, brokers, chance);
      }
    },
  },
  {
    kind: 'older-version-started',
    weight: 1.5,
    make: async (street, chance) => {
      const before = await street.store.current();
      await stopAll(street.projectors);
      const old = street.another(
        'older projector',
        ['projector'],
        [otherFold(street.version.above - 1)],
      );
      old.start();
      await street.emitters.burst(burst);
      await over(street, old);
      endedWith(old, ['old-code']);
      const after = await street.store.current();
      if (before.ok && after.ok && before.value !== after.value)
        throw new Error(`the older projector switched ${before.value} to ${after.value}`);
      await chance.pause(0, 200);
      startAll(street.projectors);
    },
  },
  {
    kind: 'newer-version-rolled-out',
    weight: 1,
    make: async (street, chance) => {
      const before = await foldOf(street);
      await stopAll(street.projectors);
      street.ends.areExpected = true;
      const newer = street.another(
        'newer projector',
        ['projector'],
        [otherFold(street.version.above + 1)],
      );
      newer.start();
      await street.emitters.burst(burst);
      await switched(street, before);
      // The others come back as they were: whoever is active after the newer one must refuse.
      startAll(street.projectors);
      await chance.pause(0, 1_000);
      await newer.kill();
      const refusing = chance.oneOf(street.projectors);
      await over(street, refusing);
      endedWith(refusing, ['old-code']);
      await stopAll(street.projectors);
      street.version.above += 1;
      await Promise.all([street.gateway.stop(), stopAll(street.analysers)]);
      startAll(street.members());
      street.ends.areExpected = false;
    },
  },
  {
    kind: 'rebuilt-while-behind',
    weight: 3,
    make: async (street, chance) => {
      for (const projector of street.projectors) projector.pause();
      await street.emitters.burst(burst * 2);
      await chance.pause(100, 400);
      const rebuild = street.another('rebuild', ['rebuild', '--reason=fault']);
      rebuild.start();
      await chance.pause(300, 1_500);
      for (const projector of street.projectors) projector.resume();
      await over(street, rebuild);
    },
  },
  {
    kind: 'rebuild-killed',
    weight: 3,
    make: async (street, chance) => {
      const rebuild = street.another('rebuild', ['rebuild', '--reason=fault']);
      rebuild.start();
      await street.emitters.burst(burst);
      await chance.pause(600, 2_500);
      await rebuild.kill();
    },
  },
];

/** Resolves when readers are on a generation of another fold than this one. */
const switched = async (street: Street, before: number | undefined): Promise<void> => {
  const deadlineMs = performance.now() + endWithinMs;
  for (;;) {
    const now = await foldOf(street);
    if (now !== undefined && now !== before) return;
    if (performance.now() > deadlineMs) throw new Error('the newer projector does not take over');
    await sleep(100);
  }
};

const foldOf = async ({ store }: Street): Promise<number | undefined> => {
  const current = await store.current();
  const checkpoint =
    current.ok && current.value !== undefined ? await store.checkpoint(current.value) : undefined;
  return checkpoint?.ok === true ? checkpoint.value?.foldVersion : undefined;
};

/** A stranger that joins the projectors' group, may be given the partition, reads nothing, and goes. */
const joinAndLeave = async (
  street: Street,
  brokers: readonly string[],
  chance: Chance,
): Promise<void> => {
  const kafka = new kafkajs.Kafka({
    clientId: `stranger-${Math.floor(chance.random() * 1e6)}`,
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2 },
  });
  const consumer = kafka.consumer({
    groupId: groupOf(street),
    sessionTimeout: 6_000,
    retry: { retries: 2, restartOnFailure: async () => false },
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [street.log.name] });
    await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
    await chance.pause(500, 1_500);
  } catch {
    // It disturbs the others by trying.
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
};
