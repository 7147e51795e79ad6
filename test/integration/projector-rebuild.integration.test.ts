import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Generation, ReadModelStore } from '../../services/ports/read-model-store.ts';
import type { ProjectionPorts } from '../../services/ports/projecting.ts';
import { rebuild } from '../../services/projector/catch-up.ts';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import { tools } from '../support/given.ts';
import { hostileLog } from '../support/hostile-log.ts';
import type { ProjectorEnvironment, ProjectorProcess } from '../support/projector-processes.ts';
import {
  leaseMsOn,
  projectorProcesses,
  startWithSettings,
} from '../support/projector-processes.ts';
import { value } from '../support/records.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProjector = projectorProcesses();
const takeOverMs = 30_000;
const testTimeoutMs = 60_000;

/** A projector beside which read models are rebuilt while records come in. */
const openHouse = async (): Promise<{
  readonly fed: FedLog;
  readonly settings: ProjectorEnvironment;
  readonly ports: ProjectionPorts;
  readonly projector: ProjectorProcess;
  readonly feed: (count: number) => Promise<void>;
}> => {
  const audience = freshAudience();
  const { seed } = seededChance();
  const fed = await onStack(stack, audience);
  const left = [...(await hostileLog({ seed, audience, records: 1_000 }))];
  const feed = async (count: number): Promise<void> => fed.append(left.splice(0, count));
  const settings = {
    log: `kafka://${stack.kafkaBrokers.join(',')}`,
    store: stack.redisUrl,
    audience,
    folder,
    leaseMs: leaseMsOn(stack),
  };
  await feed(450);
  const projector = startProjector(settings);
  await eventually('it is active', projector.isActive, takeOverMs);
  const { log, store } = fed;
  const ports = { log, store, tools, audience, pinnedLogId: null };
  return { fed, settings, ports, projector, feed };
};

const current = async ({ store }: FedLog): Promise<Generation | undefined> =>
  value(await store.current());
const generations = async ({ store }: FedLog): Promise<readonly Generation[]> =>
  value(await store.generations());

test(
  'a rebuild beside a projector that works gives the same bytes, and the projector goes on with them',
  async () => {
    const { fed, ports, projector, feed } = await openHouse();
    for (const [generation, ...kept] of [
      ['g2', 'g1'],
      ['g3', 'g1', 'g2'],
    ] as const) {
      let isDone = false;
      const rebuilding = rebuild(ports).finally(() => (isDone = true));
      while (!isDone) {
        await feed(3);
        await sleep(5);
      }
      value(await rebuilding);
      expect(await current(fed)).toBe(generation);
      expect(await generations(fed)).toEqual([...kept, generation]);
      await fed.compareAtEnd();
      await feed(20);
      await fed.compareAtEnd();
    }
    expect(projector.isActive()).toBe(true);
    expect(projector.said('stopped-by')).toEqual([]);
  },
  testTimeoutMs,
);

test(
  'what was still written to the old generation after the switch is in the new one when the rebuild is done',
  async () => {
    const { fed, ports, feed } = await openHouse();
    await fed.compareAtEnd();
    const slow: ReadModelStore = {
      ...fed.store,
      switchTo: async (expected, generation) => {
        const switched = await fed.store.switchTo(expected, generation);
        await feed(20);
        const nexts = async (): Promise<unknown[]> => [
          value(await fed.store.checkpoint('g1'))?.next,
          value(await fed.store.checkpoint('g2'))?.next,
        ];
        // The projector has not noticed yet, or just now.
        await eventually('they are projected', async () =>
          (await nexts()).includes(fed.records.length),
        );
        return switched;
      },
    };
    value(await rebuild({ ...ports, store: slow }));
    expect(await current(fed)).toBe('g2');
    expect(await fed.compare()).toBe(fed.records.length);
  },
  testTimeoutMs,
);

test(
  'two rebuilds at once beside a projector leave one generation in use, and the same bytes',
  async () => {
    const { fed, ports, projector, feed } = await openHouse();
    const rebuilding = [rebuild(ports), rebuild(ports), feed(30)];
    for (const answer of await Promise.all(rebuilding)) if (answer !== undefined) value(answer);
    await fed.compareAtEnd();
    await feed(20);
    await fed.compareAtEnd();
    expect(await generations(fed)).toContain(await current(fed));
    expect(await current(fed)).not.toBe('g1');
    expect(projector.said('stopped-by')).toEqual([]);
  },
  testTimeoutMs,
);

test(
  'a rebuild that is killed anywhere does no harm, and the next one tidies up after it',
  async () => {
    const { fed, settings, ports, projector, feed } = await openHouse();
    const places = [
      ['while it folds', 'g1'],
      ['before it switches', 'g1'],
      ['after it switched', 'g4'],
    ] as const;
    for (const [place, generation] of places) {
      const rebuilding = startWithSettings('rebuild.ts', [place], settings);
      expect(await rebuilding.over).toBe('SIGKILL');
      expect(await current(fed)).toBe(generation);
      // Also where nobody told the projector that readers use another generation now.
      await feed(20);
      await fed.compareAtEnd();
    }
    expect(await generations(fed)).toEqual(['g1', 'g2', 'g3', 'g4']);
    value(await rebuild(ports));
    expect(await generations(fed)).toEqual(['g2', 'g3', 'g4', 'g5']);
    await feed(20);
    await fed.compareAtEnd();
    expect(projector.said('stopped-by')).toEqual([]);
  },
  testTimeoutMs,
);
