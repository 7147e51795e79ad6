import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { onStack, seededChance } from '../support/fed-log.ts';
import { hostileLog } from '../support/hostile-log.ts';
import { leaseMsOn, projectorProcesses } from '../support/projector-processes.ts';
import { scratchFolder } from '../support/scratch-folder.ts';
import { freshAudience, sharedStack } from '../support/stack.ts';

const stack = sharedStack();
const folder = scratchFolder();
const startProjector = projectorProcesses();
const kills = 10;
const recordsPerKill = 240;
const takeOverMs = 30_000;
const testTimeoutMs = 120_000;

test(
  'a projector killed again and again leaves, each time and at the end, the pure fold of the log',
  async () => {
    const audience = freshAudience();
    const { seed, random } = seededChance();
    const fed = await onStack(stack, audience);
    const left = [...(await hostileLog({ seed, audience, records: kills * recordsPerKill }))];
    const feed = async (count: number): Promise<void> => fed.append(left.splice(0, count));
    const start = (): ReturnType<typeof startProjector> =>
      startProjector({
        log: `kafka://${stack.kafkaBrokers.join(',')}`,
        store: stack.redisUrl,
        audience,
        folder,
        leaseMs: leaseMsOn(stack),
      });
    const pickUpTo = (count: number): number => Math.floor(random() * count);
    const faults = ['die before commit', 'die in commit', 'die after commit', 'kill'] as const;
    const stoodAt = new Set<number>();

    for (let kill = 0; kill < kills; kill += 1) {
      await feed(pickUpTo(recordsPerKill / 2));
      const projector = start();
      const fault = faults[kill % faults.length] ?? 'kill';
      // At one of the first commits, perhaps while it takes over; or later, while records come in.
      if (random() < 0.5) await eventually('it is active', projector.isActive, takeOverMs);
      if (fault === 'kill') setTimeout(() => projector.signal('SIGKILL'), pickUpTo(400));
      else projector.send(fault);
      let isOver = false;
      void projector.over.then(() => (isOver = true));
      while (!isOver && left.length > (kills - 1 - kill) * recordsPerKill) {
        await feed(1 + pickUpTo(20));
        await sleep(pickUpTo(40));
      }
      // Where there was nothing left to commit.
      if (!isOver) setTimeout(() => projector.signal('SIGKILL'), 3_000).unref();
      expect(await projector.over).toBe('SIGKILL');
      const next = await fed.compare();
      expect(next).toBeDefined();
      stoodAt.add(next ?? 0);
    }
    await feed(left.length);
    const last = start();
    await fed.compareAtEnd();

    // It was really stopped on the way, at many places.
    expect(stoodAt.size).toBeGreaterThan(2);
    last.send('stop');
    expect(await last.over).toBe(0);
    await Promise.all([fed.log.close(), fed.store.close()]);
  },
  testTimeoutMs,
);
