import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createMemoryReadModelStore } from '../../services/adapters/memory/read-model-store.ts';
import { createSystemClock } from '../../services/adapters/system/clock.ts';
import { orderedModels } from '../../services/core/read-models.ts';
import { noFilter } from '../../services/core/record-filter.ts';
import { ok } from '../../services/core/result.ts';
import type { WrongChecks } from '../../services/ports/projecting.ts';
import type { Replaying, RunWish } from '../../services/ports/replaying.ts';
import { foldToEnd } from '../../services/projector/catch-up.ts';
import { generationNotes } from '../../services/projector/generation-notes.ts';
import { openReplay } from '../../services/replay/replay.ts';
import { eventually } from '../support/eventually.ts';
import type { FedLog } from '../support/fed-log.ts';
import { onDatabase, onStack, seededChance } from '../support/fed-log.ts';
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
const scratch = scratchFolder();
const startProjector = projectorProcesses();
const takeOverMs = 30_000;
const testTimeoutMs = 120_000;

type Foundation = {
  readonly fed: FedLog;
  readonly settings: ProjectorEnvironment;
};

const onKafkaAndRedis = async (audience: string): Promise<Foundation> => ({
  fed: await onStack(stack, audience),
  settings: {
    ...{ log: `kafka://${stack.kafkaBrokers.join(',')}`, store: stack.redisUrl },
    ...{ audience, folder: scratch, leaseMs: leaseMsOn(stack) },
  },
});

const onSqlite = async (audience: string): Promise<Foundation> => {
  const folder = join(scratch, randomUUID());
  return {
    fed: await onDatabase(folder, audience),
    settings: {
      ...{ log: `sqlite:${folder}`, store: `sqlite:${folder}` },
      ...{ audience, folder: scratch, leaseMs: leaseMsOn(stack) },
    },
  };
};

const wish = (more: Partial<Exclude<RunWish, { resume: string }>> = {}): RunWish => ({
  ...{ filter: noFilter, to: null, sampleShare: 0.01, seed: 7, rate: null },
  by: { principal: 'admin', reason: 'a test' },
  ...more,
});

/** A projector that works, and generations beside it. */
const openHouse = async (
  foundation: (audience: string) => Promise<Foundation>,
): Promise<
  Foundation & {
    readonly replay: Replaying;
    readonly projector: ProjectorProcess;
    readonly feed: (count: number) => Promise<void>;
  }
> => {
  const audience = freshAudience();
  const { seed } = seededChance();
  const { fed, settings } = await foundation(audience);
  const left = [...(await hostileLog({ seed, audience, records: 1_000 }))];
  const feed = async (count: number): Promise<void> => fed.append(left.splice(0, count));
  await feed(600);
  const projector = startProjector(settings);
  await eventually('it is active', projector.isActive, takeOverMs);
  const replay = openReplay({
    ...{ log: fed.log, store: fed.store, tools, audience, pinnedLogId: null },
    ...{ clock: createSystemClock(), fold: foldToEnd, notes: generationNotes },
    scratch: async () => ok(createMemoryReadModelStore({ orderedModels })),
  });
  return { fed, settings, replay, projector, feed };
};

describe.each([
  ['Kafka and Redis', onKafkaAndRedis],
  ['SQLite', onSqlite],
] as const)('generations on %s, beside a projector that works', (_, foundation) => {
  test(
    'are made, compared, switched to and given back while records come in; readers never see other bytes',
    async () => {
      const { fed, replay, projector, feed } = await openHouse(foundation);
      await fed.compareAtEnd();
      const wrong: WrongChecks[] = [];
      let isDone = false;
      const running = replay.run(wish({ rate: 1_500 }), {}).finally(() => (isDone = true));
      while (!isDone) {
        await feed(2);
        await sleep(20);
      }
      const ran = value(await running);
      wrong.push(...ran.wrongChecks);
      expect([ran.generation, ran.state, wrong]).toEqual(['g2', 'complete', []]);
      const diff = value(await replay.diff('g2', null, {}));
      expect(diff.differences).toEqual([]);
      for (const to of ['g2', 'g1', 'g2']) {
        const switched = value(
          to === 'g2' && value(await fed.store.current()) === 'g1'
            ? await replay.switchTo('g2', { isForced: false })
            : await replay.back({ isStale: false }),
        );
        expect(switched.to).toBe(to);
        await feed(15);
        await fed.compareAtEnd();
        expect(value(await fed.store.current())).toBe(to);
      }
      // Conflicts that it had told of are not told again for a generation that it takes up.
      const told = projector.said('conflict').map(({ position }) => position);
      expect(new Set(told).size).toBe(told.length);
      expect(projector.said('stopped-by')).toEqual([]);
      value(await replay.drop('g1', { isForced: true }));
      expect(value(await fed.store.generations())).toEqual(['g2']);
    },
    testTimeoutMs,
  );

  test(
    'that are killed anywhere go on from where they were, with what they were begun with',
    async () => {
      const { fed, settings, replay, feed } = await openHouse(foundation);
      // So many that a run makes more than four steps.
      await feed(350);
      await fed.compareAtEnd();
      const made: string[] = [];
      for (const commit of [1, 2, 4]) {
        const dying = startWithSettings('replay.ts', [`${commit}`], settings);
        expect(await dying.over).toBe('SIGKILL');
        made.push(value(await fed.store.generations()).at(-1) ?? '');
      }
      await feed(50);
      await fed.compareAtEnd();
      const whole = value(
        await replay.run(wish({ filter: { ...noFilter, components: ['checkout'] } }), {}),
      );
      const rows = value(await fed.store.dump(whole.generation));
      // The one that died at its first commit has no note; the others are taken for alive for a minute.
      const status = value(await replay.status());
      const alive = status.filter(({ state }) => state === 'running');
      expect(alive.length).toBeGreaterThan(0);
      for (const { generation } of alive) {
        value(await replay.pause(generation));
        const resumed = value(await replay.run({ resume: generation }, {}));
        expect(resumed).toMatchObject({ state: 'complete', next: fed.records.length });
        expect(resumed.filter.components).toEqual(['checkout']);
        expect(value(await fed.store.dump(generation))).toEqual(rows);
      }
      expect(new Set(made).size).toBeGreaterThan(1);
      expect(value(await fed.store.current())).toBe('g1');
    },
    testTimeoutMs,
  );
});
