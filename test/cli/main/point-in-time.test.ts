import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createMemoryReadModelStore } from '../../../services/adapters/memory/read-model-store.ts';
import type { Foundation } from '../../../services/adapters/foundation/foundation.ts';
import { openFoundation } from '../../../services/adapters/foundation/foundation.ts';
import type { Composition } from '../../../services/cli/main/composition.ts';
import { openOwnMetrics } from '../../../services/cli/main/own-metrics.ts';
import { atHandBeforeOn } from '../../../services/cli/main/point-in-time.ts';
import { problem } from '../../../services/cli/problem.ts';
import { orderedModels } from '../../../services/core/read-models.ts';
import { fail } from '../../../services/core/result.ts';
import { parseSettings } from '../../../services/core/settings.ts';
import type { ReadModelStore } from '../../../services/ports/read-model-store.ts';
import { value } from '../../support/records.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const folder = join(scratchFolder(), randomUUID());
let foundation: Foundation | undefined;
afterEach(async () => {
  await foundation?.close();
});

const composed = (stop: AbortSignal): Composition => {
  const opened = openFoundation(value(parseSettings({ PLIMSOLL_DATA: folder })));
  foundation = opened;
  return {
    ...{ foundation: opened, stop, metrics: openOwnMetrics(), alongside: {} },
    log: async () => {
      const log = await opened.stream('log');
      return log.ok ? log : fail(problem(log.problem.code, log.problem.message, ''));
    },
    keys: {} as Composition['keys'],
    note: () => undefined,
  };
};

test('a moment is folded into the scratch store for so many records, closed where the fold fails', async () => {
  const asked: number[] = [];
  let closed = 0;
  const scratch = async (records: number): Promise<{ ok: true; value: ReadModelStore }> => {
    asked.push(records);
    const store = createMemoryReadModelStore({ orderedModels });
    const close = async (): Promise<void> => {
      closed += 1;
      await store.close();
    };
    return { ok: true, value: { ...store, close } };
  };
  const stopping = new AbortController();
  const atHandBefore = atHandBeforeOn(composed(stopping.signal), scratch);
  const before = value(await atHandBefore(2, () => undefined));
  expect([before.state.next, asked, closed]).toEqual([2, [2], 0]);
  stopping.abort();
  expect(await atHandBefore(1, () => undefined)).toMatchObject({
    ok: false,
    problem: { code: 'stopped' },
  });
  expect([asked, closed]).toEqual([[2, 1], 1]);
});
