import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onDatabase, onStack, seededChance } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import type { ProjectorProcess } from '../support/projector-processes.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProcess = projectorProcesses();
const recordsMax = 900;
const takeOverMs = 30_000;
const testTimeoutMs = 90_000;

type House = {
  readonly fed: FedLog;
  /** Appends the next records of a hostile log. */
  readonly feed: (count: number) => Promise<void>;
  readonly start: () => ProjectorProcess;
};

type Foundation = 'Kafka and Redis' | 'SQLite';

const openHouse = async (foundation: Foundation): Promise<House> => {
  const audience = freshAudience();
  const { seed } = seededChance();
  const database = join(folder, audience);
  const embedded = { log: `sqlite:${database}`, store: `sqlite:${database}` };
  const servers = { log: `kafka://${stack.kafkaBrokers.join(',')}`, store: stack.redisUrl };
  const fed =
    foundation === 'SQLite' ? await onDatabase(database, audience) : await onStack(stack, audience);
  const settings = foundation === 'SQLite' ? embedded : servers;
  const left = [...(await hostileLog({ seed, audience, records: recordsMax }))];
  return {
    fed,
    feed: async (count) => fed.append(left.splice(0, count)),
    start: () => startProcess({ ...settings, audience, folder, leaseMs: leaseMsOn(stack) }),
  };
};

const activeOf = (projectors: readonly ProjectorProcess[]): readonly ProjectorProcess[] =>
  projectors.filter((each) => each.isActive());

const untilActive = async (
  ...projectors: readonly ProjectorProcess[]
): Promise<ProjectorProcess> => {
  await eventually('one is active', () => activeOf(projectors).length === 1, takeOverMs);
  const [active] = activeOf(projectors);
  if (active === undefined) throw new Error('the active one is gone');
  return active;
};

describe.each<Foundation>(['Kafka and Redis', 'SQLite'])('on %s', (foundation) => {
  test(
    'of three projectors one is active; killed, another takes over by itself, and so on to the last',
    async () => {
      const { fed, feed, start } = await openHouse(foundation);
      await feed(200);
      const projectors = [start(), start(), start()];
      while (projectors.length > 0) {
        await untilActive(...projectors);
        await feed(100);
        await fed.compareAtEnd();
        // While newcomers join, the group shares out anew.
        const active = await untilActive(...projectors);
        active.signal('SIGKILL');
        expect(await active.over).toBe('SIGKILL');
        projectors.splice(projectors.indexOf(active), 1);
      }
    },
    testTimeoutMs,
  );

  test(
    'a projector that falls asleep with a step in its hands wakes to find it refused, and stands by',
    async () => {
      const { fed, feed, start } = await openHouse(foundation);
      await feed(100);
      const first = start();
      await untilActive(first);
      const second = start();
      first.send('sleep before commit');
      await feed(50);
      await eventually('it sleeps', () => first.said('falls-asleep').length === 1, takeOverMs);
      await untilActive(second);
      await feed(50);
      await fed.compareAtEnd();

      first.signal('SIGCONT');
      await eventually('it was refused', () => first.said('overtaken').length === 1, takeOverMs);
      await eventually('it stands by', () => !first.isActive(), takeOverMs);
      expect(await fed.compare()).toBe(fed.records.length);
      expect(await first.status()).toMatchObject({ active: false, counts: { overtaken: 1 } });

      // Both live on: the second goes on working, and the first takes over when it is needed.
      await feed(50);
      await fed.compareAtEnd();
      expect((await untilActive(first, second)) === second).toBe(true);
      second.signal('SIGKILL');
      await untilActive(first);
      await feed(50);
      await fed.compareAtEnd();
      expect(first.said('stopped-by')).toEqual([]);
      expect(first.said('overtaken')).toHaveLength(1);
    },
    testTimeoutMs,
  );
});

// Not on SQLite: a process that is paused in the middle of writing holds up everybody who writes.
test(
  'projectors that are paused by turns while records come in do no harm',
  async () => {
    const { fed, feed, start } = await openHouse('Kafka and Redis');
    await feed(50);
    const projectors = [start(), start()];
    for (let turn = 0; turn < 3; turn += 1) {
      const active = await untilActive(...projectors);
      const other = projectors.filter((each) => each !== active);
      const feeding = feed(60);
      active.signal('SIGSTOP');
      await feeding;
      await untilActive(...other);
      await feed(60);
      active.signal('SIGCONT');
      await feed(30);
      await eventually('the paused one stands by', () => !active.isActive(), takeOverMs);
      await fed.compareAtEnd();
    }
    for (const each of projectors) expect(each.said('ended')).toEqual([]);
  },
  testTimeoutMs,
);
