import { describe, expect, test } from 'vitest';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import type { MemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { createMemoryRecordLog } from '../../services/adapters/memory/record-log.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import type { RefusedRow } from '../../services/core/instances/fold.ts';
import {
  generationOfPartition,
  orderedInstanceModels,
} from '../../services/core/instances/fold.ts';
import type { InstanceStarted } from '../../services/core/instances/instance.ts';
import { instancePartitions } from '../../services/core/instances/instance.ts';
import type { SlotInstances } from '../../services/core/instances/running.ts';
import { partitionOfInstance } from '../../services/core/instances/wire.ts';
import { fail, ok } from '../../services/core/result.ts';
import type { ReadModelStore } from '../../services/ports/read-model-store.ts';
import { openGeneration } from '../../services/projector/catch-up.ts';
import type { InstanceFollower } from '../../services/projector/follow-instances.ts';
import { followInstances } from '../../services/projector/follow-instances.ts';
import { foldInstancesToEnd } from '../../services/projector/instances.ts';
import type { InstancePorts } from '../../services/projector/instances.ts';
import { eventually } from '../support/eventually.ts';
import { emptyStore, recordsOf, retires, tools, trusts } from '../support/given.ts';
import { startRecord } from '../support/instances.ts';
import { audience, place } from '../support/markers.ts';
import { value } from '../support/records.ts';

const clock = createSystemClock();
const emptyInstanceStore = (): ReadModelStore =>
  createMemoryReadModelStore({ orderedModels: orderedInstanceModels });
const emptyTopic = (): MemoryRecordLog =>
  createMemoryRecordLog({
    name: 'instances',
    partitions: instancePartitions,
    nowMs: () => Date.now(),
  });

/** A log that trusts `node`, its read models, and a topic without instances. */
const openHouse = async () => {
  const log = createMemoryRecordLog({ name: 'log', partitions: 1, nowMs: () => Date.now() });
  value(await log.append(0, await recordsOf(trusts('node'))));
  const projection = { log, store: emptyStore(), tools, audience };
  const foldLog = async (): Promise<void> =>
    void value(await openGeneration({ ...projection, pinnedLogId: null }));
  await foldLog();
  const instances = emptyTopic();
  const ports: InstancePorts = { instances, instanceStore: emptyInstanceStore(), projection };
  const says = async (
    name: string,
    instance: string,
    over: Partial<InstanceStarted> = {},
    topic = instances,
  ): Promise<void> => {
    const record = await startRecord(name, instance, over);
    value(await topic.append(partitionOfInstance(tools.text, record), [record]));
  };
  const follow = (using: InstancePorts = ports): InstanceFollower =>
    followInstances({ ...using, clock, tell: () => undefined });
  return { log, ports, instances, says, follow, foldLog };
};

const scanned = async <Row>(store: ReadModelStore, model: string): Promise<readonly Row[]> => {
  const pages = await Promise.all(
    Array.from({ length: instancePartitions }, (_, partition) =>
      store.scan(generationOfPartition(partition), model, { rowsMax: 1000 }),
    ),
  );
  return pages.flatMap((page) => value(page).rows.map((row) => JSON.parse(row.value) as Row));
};

const running = async (store: ReadModelStore): Promise<readonly string[]> =>
  (await scanned<SlotInstances>(store, 'running'))
    .flatMap(({ slot, groups }) =>
      groups.map(({ version, instances }) => `${slot.environment} ${version} ${instances}`),
    )
    .toSorted();
const refused = async (store: ReadModelStore): Promise<readonly string[]> =>
  (await scanned<RefusedRow>(store, 'refused')).map(({ code, count }) => `${code} ${count}`);

test('what starts is counted, in whatever slot', async () => {
  const { ports, says, follow } = await openHouse();
  await says('node', 'a');
  await says('node', 'b');
  const follower = follow();
  await says('node', 'a', { slot: place('staging') });
  await says('stranger', 'c');
  await eventually('all are judged', () => follower.status().counts['counted'] === 3);
  await eventually('the stranger is', () => follower.status().counts['refused:key-unknown'] === 1);
  expect(await running(ports.instanceStore)).toEqual(['production 2.0.0 2', 'staging 2.0.0 1']);
  expect(await refused(ports.instanceStore)).toEqual(['key-unknown 1']);
  expect(follower.status()).toMatchObject({ lagRecords: 0, problem: null });
  expect(follower.status().partitions).toHaveLength(instancePartitions);
  await follower.stop();
  expect(await follower.ended).toBe(undefined);
});

test('nothing that the log feeds is touched', async () => {
  const { ports, says, follow } = await openHouse();
  const before = value(await ports.projection.store.dump('g1'));
  const follower = follow();
  await says('node', 'a');
  await eventually('it is counted', () => follower.status().counts['counted'] === 1);
  await follower.stop();
  expect(value(await ports.projection.store.dump('g1'))).toEqual(before);
  expect(value(await ports.projection.store.generations())).toEqual(['g1']);
});

test('a key that stands on the log and not yet in its read models is waited for', async () => {
  const { log, ports, says, follow, foldLog } = await openHouse();
  const follower = follow();
  await eventually('it follows', () => follower.status().partitions.length === instancePartitions);
  const records = await recordsOf(trusts('node'), trusts('newcomer'));
  value(await log.append(0, records.slice(2)));
  await says('newcomer', 'a');
  await new Promise((done) => setTimeout(done, 50));
  expect(follower.status().counts).toEqual({});
  await foldLog();
  await eventually('it is counted', () => follower.status().counts['counted'] === 1);
  expect(await refused(ports.instanceStore)).toEqual([]);
  await follower.stop();
});

test('a key that was retired counts no more', async () => {
  const { log, ports, says, foldLog } = await openHouse();
  const records = await recordsOf(trusts('node'), retires('node'));
  value(await log.append(0, records.slice(2)));
  await foldLog();
  await says('node', 'a');
  value(await foldInstancesToEnd(ports));
  expect(await refused(ports.instanceStore)).toEqual(['key-retired 1']);
});

describe('each start counts once', () => {
  const names = Array.from({ length: 120 }, (_, index) => `pod-${index}`);

  test('whoever stops, takes over, or folds beside it', async () => {
    const { ports, says, follow } = await openHouse();
    const followers = [follow(), follow()];
    for (const [index, name] of names.entries()) {
      await says('node', name, { slot: place(`place-${index % 5}`) });
      if (index === 40) await followers[0]?.stop();
      if (index % 50 === 20) value(await foldInstancesToEnd(ports));
    }
    value(await foldInstancesToEnd(ports));
    await Promise.all(followers.map((follower) => follower.stop()));
    expect(await running(ports.instanceStore)).toEqual(
      [0, 1, 2, 3, 4].map((place_) => `place-${place_} 2.0.0 24`),
    );
  });

  test('when the store does not answer at times', async () => {
    const { ports, says, follow } = await openHouse();
    let asked = 0;
    const flaky: ReadModelStore = {
      ...ports.instanceStore,
      commit: async (generation, step) => {
        asked += 1;
        // Half of the lost answers were stored.
        if (asked % 4 === 1) return fail({ code: 'unreachable', message: 'away' });
        const done = await ports.instanceStore.commit(generation, step);
        return asked % 4 === 3 ? fail({ code: 'unreachable', message: 'answer lost' }) : done;
      },
    };
    const follower = follow({ ...ports, instanceStore: flaky });
    for (const name of names) await says('node', name);
    await eventually('all are counted', async () =>
      (await running(ports.instanceStore)).includes('production 2.0.0 120'),
    );
    await follower.stop();
    expect(asked).toBeGreaterThan(3);
    // What interrupted it is counted by its name.
    expect(follower.status().counts['refused:unreachable']).toBeGreaterThan(0);
  });
});

describe('a topic that changed under its rows', () => {
  test('made anew: the partition is folded anew', async () => {
    const { ports, says } = await openHouse();
    await says('node', 'a');
    value(await foldInstancesToEnd(ports));
    const instances = emptyTopic();
    await says('node', 'b', { version: '3.0.0' }, instances);
    value(await foldInstancesToEnd({ ...ports, instances }));
    expect(await running(ports.instanceStore)).toEqual(['production 3.0.0 1']);
  });

  test('records that are past their time: it goes on with what is left', async () => {
    const { ports, says, instances } = await openHouse();
    await says('node', 'a');
    value(await foldInstancesToEnd(ports));
    await says('node', 'b');
    for (let partition = 0; partition < instancePartitions; partition++)
      value(await instances.prune(partition, Date.now() + 1000));
    await says('node', 'c');
    value(await foldInstancesToEnd(ports));
    expect(await running(ports.instanceStore)).toEqual(['production 2.0.0 2']);
  });

  test('an outage is no other topic: nothing is dropped', async () => {
    const { ports, says, instances } = await openHouse();
    await says('node', 'a');
    value(await foldInstancesToEnd(ports));
    const away: InstancePorts = {
      ...ports,
      instances: {
        ...instances,
        read: async () => fail({ code: 'unreachable', message: 'away' }),
      },
    };
    expect(await foldInstancesToEnd(away)).toMatchObject({ problem: { code: 'unreachable' } });
    expect(await running(ports.instanceStore)).toEqual(['production 2.0.0 1']);
  });

  test('rows of another log are refused by name, and left as they are', async () => {
    const { ports, says } = await openHouse();
    await says('node', 'a');
    value(await foldInstancesToEnd(ports));
    for (let partition = 0; partition < instancePartitions; partition++) {
      const stored = value(await ports.instanceStore.checkpoint(generationOfPartition(partition)));
      if (stored === undefined) continue;
      const other: ReadModelStore = {
        ...ports.instanceStore,
        checkpoint: async () => ok({ ...stored, logId: 'another' }),
      };
      const folded = await foldInstancesToEnd({ ...ports, instanceStore: other });
      expect(folded).toMatchObject({ problem: { code: 'foreign-log' } });
    }
    expect(await running(ports.instanceStore)).toEqual(['production 2.0.0 1']);
  });
});
