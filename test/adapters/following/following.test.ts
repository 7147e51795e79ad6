import { expect, test } from 'vitest';
import { createFollowing } from '../../../services/adapters/following/following.ts';
import type {
  Following,
  FollowingOptions,
} from '../../../services/adapters/following/following.ts';
import { ok } from '../../../services/core/result.ts';
import type { RecordBatch } from '../../../services/ports/record-log.ts';
import { record } from '../../support/records.ts';

const batchOf = (position: number): RecordBatch => ({
  partition: 0,
  records: [{ ...record('a'), position, appendedAtMs: 0 }],
  end: position + 1,
});

const follow = (part: Partial<FollowingOptions>): Following =>
  createFollowing({
    subscriber: { startFrom: async () => 0, onBatch: async () => undefined },
    read: async () => ok(undefined),
    release: async () => undefined,
    ...part,
  });

test('a record that comes after the read and before the wait is not slept through', async () => {
  const { promise: delivered, resolve } = Promise.withResolvers<RecordBatch>();
  let reads = 0;
  const following = follow({
    subscriber: { startFrom: async () => 0, onBatch: async (batch) => resolve(batch) },
    read: async (_, from) => {
      reads += 1;
      if (reads > 1) return ok(from === 0 ? batchOf(0) : undefined);
      // Nothing was there when we looked; it comes while the answer is on its way.
      following.wake();
      return ok(undefined);
    },
  });
  following.take(0, null);
  expect(await delivered).toEqual(batchOf(0));
  await following.finish(undefined);
});

test('a partition that is lost and comes back waits for the batch that is still pending', async () => {
  const { promise: door, resolve: open } = Promise.withResolvers<void>();
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const story: string[] = [];
  const following = follow({
    subscriber: {
      startFrom: async (_, hint) => {
        story.push(`start ${hint}`);
        return hint ?? 0;
      },
      onBatch: async ({ records }) => {
        story.push(`batch ${records[0]?.position}`);
        enter();
        await door;
        story.push('done');
      },
      onLost: () => story.push('lost'),
    },
    read: async (_, from) => ok(from < 2 ? batchOf(from) : undefined),
  });
  following.take(0, null);
  await entered;
  following.lose(0);
  expect(following.owned()).toEqual([]);
  following.take(0, 1);
  expect(following.owned()).toEqual([0]);
  // Whatever could run without the door has run.
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  expect(story).toEqual(['start null', 'batch 0', 'lost']);
  open();
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  expect(story).toEqual(['start null', 'batch 0', 'lost', 'done', 'start 1', 'batch 1', 'done']);
  await following.finish(undefined);
});

test('only the first reason to finish counts, and nothing is taken afterwards', async () => {
  let releases = 0;
  const following = follow({
    release: async () => {
      releases += 1;
    },
  });
  const problem = { code: 'closed', message: 'closed' } as const;
  await Promise.all([following.finish(problem), following.finish(undefined)]);
  following.take(0, null);
  expect(following.owned()).toEqual([]);
  expect(await following.ended).toEqual(problem);
  expect(releases).toBe(1);
});
